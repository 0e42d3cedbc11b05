//! A simulated TiKV cluster.

pub mod logs;
