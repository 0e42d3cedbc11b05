//! What measures and tries Operator, and is no part of it.

mod folder;
pub mod real;
pub mod replay;
