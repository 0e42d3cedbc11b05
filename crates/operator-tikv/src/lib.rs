//! TiKV for Operator.

pub mod log_parser;
