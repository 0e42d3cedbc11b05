//! The log generator.
