//! Prometheus: what it scraped, what its queries answer, and the pages that a real one would scrape.

mod aggregate;
mod binary;
mod eval;
pub(crate) mod face;
pub(crate) mod families;
mod functions;
mod pages;
mod render;
mod select;
pub(crate) mod series;

pub(crate) use pages::{member_page, store_page};
