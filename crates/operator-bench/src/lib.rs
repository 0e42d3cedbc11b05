//! What measures and tries Operator, and is no part of it.

pub mod replay;
