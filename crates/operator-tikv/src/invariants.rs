//! The rules that TiKV is judged by: one struct per rule, its test beneath. They know the domain and
//! nothing of how it was read.

mod store_down;

use operator_core::Invariant;
pub use store_down::StoreDown;

/// Every rule, as it is judged when nobody asks for less.
pub fn standard() -> Vec<Box<dyn Invariant>> {
    vec![Box::new(StoreDown::default())]
}
