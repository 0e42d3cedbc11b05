//! The core of Operator.
