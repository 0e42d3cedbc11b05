//! The decoders of what PD and Prometheus send, for fuzz targets and benchmarks; no part of the API.
//!
//! Each target takes any bytes and must not panic, nor hold more than a few times what it was given.

use std::ops::ControlFlow;

use operator_core::{Fault, Listing, Region, Timestamp};

use crate::pd::{Intake, decode, units};
use crate::prom;

/// A target: it is given bytes, and says whether it could read them.
pub type Target = fn(&[u8]) -> bool;

/// Every target, by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("bytes", |data| text(data).and_then(units::bytes).is_some()),
    ("duration", |data| {
        text(data).and_then(units::duration).is_some()
    }),
    ("rfc3339", |data| {
        text(data).and_then(units::rfc3339).is_some()
    }),
    ("key", |data| text(data).and_then(units::key).is_some()),
    ("stores", |data| {
        let mut unsettled = decode::Unsettled::default();
        decode::stores(data, &mut unsettled, Timestamp::EPOCH).is_ok()
    }),
    ("store", |data| decode::store(data).is_ok()),
    ("members", |data| decode::members(data).is_ok()),
    ("leader", |data| decode::leader(data).is_ok()),
    ("health", |data| decode::health(data).is_ok()),
    ("cluster id", |data| decode::cluster_id(data).is_ok()),
    ("cluster status", |data| {
        decode::cluster_status(data).is_ok()
    }),
    ("version", |data| decode::version(data).is_ok()),
    ("hot spots", |data| decode::hot_spots(data).is_ok()),
    ("hot stores", |data| decode::hot_stores(data).is_ok()),
    ("schedulers", |data| decode::schedulers(data).is_ok()),
    ("paused", |data| decode::paused(data).is_ok()),
    ("evicting", |data| decode::evicting(data).is_ok()),
    ("operators", |data| decode::operators(data).is_ok()),
    ("progress", |data| decode::progress(data).is_ok()),
    ("schedule config", |data| {
        decode::schedule_config(data).is_ok()
    }),
    ("replication config", |data| {
        decode::replication_config(data).is_ok()
    }),
    ("placement rules", |data| {
        decode::placement_rules(data).is_ok()
    }),
    ("region", |data| decode::one(data).is_ok()),
    ("count", |data| decode::count(data).is_ok()),
    ("holes", |data| decode::holes(data).is_ok()),
    ("regions", |data| regions([data]).is_ok()),
    ("end at a glance", |data| {
        decode::end_at_a_glance(data).is_some()
    }),
    ("samples", |data| samples(data).is_ok()),
    ("regions by the byte", |data| {
        regions(data.chunks(1)).is_ok()
    }),
];

/// A list of regions that arrives in these pieces.
///
/// # Errors
/// When it is none.
pub fn regions<P: AsRef<[u8]>>(
    pieces: impl IntoIterator<Item = P>,
) -> Result<Listing<Region>, Fault> {
    let mut list = decode::RegionList::new(usize::MAX);
    for piece in pieces {
        if list.take(piece.as_ref())? == ControlFlow::Break(()) {
            break;
        }
    }
    list.finish().map(|read| read.listing)
}

/// A size as PD writes it.
pub fn bytes(text: &str) -> Option<u64> {
    units::bytes(text)
}

/// A duration as Go writes it.
pub fn duration(text: &str) -> Option<std::time::Duration> {
    units::duration(text)
}

/// A key in hexadecimal.
pub fn key(text: &str) -> Option<Vec<u8>> {
    units::key(text)
}

/// The stores in a body of `/stores`.
///
/// # Errors
/// When it is none.
pub fn stores(body: &[u8]) -> Result<Listing<operator_core::Store>, Fault> {
    decode::stores(body, &mut decode::Unsettled::default(), Timestamp::EPOCH)
}

fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// The samples in the body of an answer of Prometheus.
///
/// # Errors
/// When it is none.
pub fn samples(body: &[u8]) -> Result<crate::Samples, Fault> {
    prom::decode(body)
}
