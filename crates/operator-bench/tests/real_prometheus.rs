//! A real Prometheus that scrapes: a simulated cluster, whose own query face must tell the same; recorded
//! pages of real servers; and its own end and return. Where it is not installed, that is said and nothing
//! is judged.

#[path = "real_prometheus/alike.rs"]
mod alike;
#[path = "real_prometheus/pages.rs"]
mod pages;
#[path = "real_prometheus/restart.rs"]
mod restart;
#[path = "real_prometheus/support.rs"]
mod support;
