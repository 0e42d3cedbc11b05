//! Hot spots: where reads and writes gather. All rates are per second.

use std::collections::BTreeMap;

use operator_core::{Gap, KeyRange, RegionId, StoreId, Timestamp};

/// What is hot in one direction, as PD counts it by leaders and by all peers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HotSpots {
    /// Counted on the stores of leaders. A store without leaders may be missing.
    pub by_leader: BTreeMap<StoreId, HotPeers>,
    /// Counted on the stores of every peer.
    pub by_peer: BTreeMap<StoreId, HotPeers>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// Where writes gather.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HotWrites {
    /// What PD says is hot.
    pub spots: HotSpots,
    /// The keys of the hottest regions, as far as they could be read.
    pub ranges: BTreeMap<RegionId, KeyRange>,
}

/// Where reads gather.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HotReads {
    /// What PD says is hot.
    pub spots: HotSpots,
    /// The keys of the hottest regions, as far as they could be read.
    pub ranges: BTreeMap<RegionId, KeyRange>,
}

/// What is hot on one store.
#[derive(Debug, Clone, PartialEq)]
pub struct HotPeers {
    /// What all of the store does.
    pub store: HotStore,
    /// What its hot peers do of that.
    pub hot: HotStore,
    /// Its hot peers. A region is listed after about three minutes of heat.
    pub peers: Vec<HotPeer>,
}

impl HotPeers {
    /// The share of all that the store does that one of its peers does: of bytes or of requests, whichever
    /// is more. Nothing where the store does nothing.
    ///
    /// ```
    /// use operator_tikv::{HotPeers, HotStore};
    ///
    /// let rates = |bytes, queries| HotStore {
    ///     bytes_per_second: bytes,
    ///     keys_per_second: 0.0,
    ///     queries_per_second: queries,
    /// };
    /// let hot = HotPeers { store: rates(1000.0, 100.0), hot: rates(0.0, 0.0), peers: Vec::new() };
    /// assert_eq!(hot.share_of(&rates(100.0, 60.0)), 0.6);
    /// ```
    pub fn share_of(&self, peer: &HotStore) -> f64 {
        let share = |of: f64, whole: f64| if whole > 0.0 { of / whole } else { 0.0 };
        let bytes = share(peer.bytes_per_second, self.store.bytes_per_second);
        bytes.max(share(
            peer.queries_per_second,
            self.store.queries_per_second,
        ))
    }
}

impl HotPeer {
    /// Its rates.
    pub fn rates(&self) -> HotStore {
        HotStore {
            bytes_per_second: self.bytes_per_second,
            keys_per_second: self.keys_per_second,
            queries_per_second: self.queries_per_second,
        }
    }
}

/// Rates of a store, or of one of its peers.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct HotStore {
    /// Bytes per second.
    pub bytes_per_second: f64,
    /// Keys per second.
    pub keys_per_second: f64,
    /// Requests per second.
    pub queries_per_second: f64,
}

/// One hot peer.
#[derive(Debug, Clone, PartialEq)]
pub struct HotPeer {
    /// Its region.
    pub region: RegionId,
    /// The store it lives on.
    pub store: StoreId,
    /// All stores of the region.
    pub stores: Vec<StoreId>,
    /// Whether it leads.
    pub is_leader: bool,
    /// For how many intervals it has been hot.
    pub degree: i64,
    /// Bytes per second.
    pub bytes_per_second: f64,
    /// Keys per second.
    pub keys_per_second: f64,
    /// Requests per second.
    pub queries_per_second: f64,
    /// When PD last heard of it.
    pub updated_at: Option<Timestamp>,
}

/// What goes in and out of a store. What PD does not say is absent.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StoreFlow {
    /// Bytes written per second.
    pub written_bytes_per_second: Option<f64>,
    /// Bytes read per second.
    pub read_bytes_per_second: Option<f64>,
    /// Keys written per second.
    pub written_keys_per_second: Option<f64>,
    /// Keys read per second.
    pub read_keys_per_second: Option<f64>,
    /// Write requests per second.
    pub write_queries_per_second: Option<f64>,
    /// Read requests per second.
    pub read_queries_per_second: Option<f64>,
}
