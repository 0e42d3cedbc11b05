//! What clients ask of one store, and what the store counts meanwhile.
//!
//! Counters are quantities that only grow while the process lives; they are integrated when somebody looks (a scrape)
//! or when a rate is about to change, never per request.

use std::collections::BTreeMap;

use crate::num::{self, Millis};
use crate::prng;

/// Finite bounds of the gRPC histogram: 50 µs times powers of two.
pub(crate) const GRPC_BOUNDS: usize = 22;
/// Finite bounds of the storage histograms: 10 µs times powers of two.
pub(crate) const ASYNC_BOUNDS: usize = 32;
/// Finite bounds of the raft log lag, in entries.
pub(crate) const LAG_BOUNDS: [f64; 12] = [
    2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 5120.0, 10240.0,
];

/// Bytes that a key and its value take.
pub(crate) const BYTES_PER_KEY: f64 = 256.0;

pub(crate) fn grpc_bound(place: usize) -> f64 {
    power_bound(0.000_05, place)
}

pub(crate) fn async_bound(place: usize) -> f64 {
    power_bound(0.000_01, place)
}

fn power_bound(first: f64, place: usize) -> f64 {
    first * f64::from(1_u32.checked_shl(num::row(place)).unwrap_or(u32::MAX))
}

/// A histogram whose last bucket is the one without a bound. Counts are not cumulative here.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Histogram<const N: usize> {
    pub(crate) counts: [f64; N],
    pub(crate) sum: f64,
}

impl<const N: usize> Default for Histogram<N> {
    fn default() -> Self {
        Self {
            counts: [0.0; N],
            sum: 0.0,
        }
    }
}

impl<const N: usize> Histogram<N> {
    fn add(&mut self, requests: f64, spread: &Spread<N>) {
        for (count, part) in self.counts.iter_mut().zip(spread.parts) {
            *count += requests * part;
        }
        self.sum += requests * spread.mean;
    }

    /// Adds `requests` of one value, given the finite bounds.
    fn add_value(&mut self, requests: f64, value: f64, bounds: &[f64]) {
        let place = bounds
            .iter()
            .position(|bound| value <= *bound)
            .unwrap_or(bounds.len());
        if let Some(count) = self.counts.get_mut(place) {
            *count += requests;
        }
        self.sum += requests * value;
    }
}

/// How latencies spread over buckets: log-normal about a median. Kept between looks, because it seldom changes.
#[derive(Debug, Clone)]
pub(crate) struct Spread<const N: usize> {
    median: f64,
    mean: f64,
    parts: [f64; N],
}

const SIGMA: f64 = 0.7;

impl<const N: usize> Spread<N> {
    fn new(median: f64, bound: fn(usize) -> f64) -> Self {
        let mut parts = [0.0; N];
        let mut below = 0.0;
        for (place, part) in parts.iter_mut().enumerate() {
            let up_to = if place + 1 == N {
                1.0
            } else {
                normal((bound(place) / median).ln() / SIGMA)
            };
            *part = (up_to - below).max(0.0);
            below = up_to;
        }
        Self {
            median,
            mean: median * (SIGMA * SIGMA / 2.0).exp(),
            parts,
        }
    }

    fn at(cache: &mut Option<Self>, median: f64, bound: fn(usize) -> f64) -> &Self {
        if cache.as_ref().is_none_or(|kept| kept.median != median) {
            *cache = None;
        }
        cache.get_or_insert_with(|| Self::new(median, bound))
    }
}

/// The normal distribution, to seven digits (the classical approximation by a rational function).
fn normal(x: f64) -> f64 {
    let z = x.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let poly = t
        * (0.254_829_592
            + t * (-0.284_496_736
                + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    let half = 0.5 * (1.0 - poly * (-z * z).exp());
    if x < 0.0 { 0.5 - half } else { 0.5 + half }
}

/// What a store is asked for and how it fares, per second, between two looks.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rates {
    pub(crate) writes: f64,
    pub(crate) reads: f64,
    /// Requests for regions that nobody leads: refused at once.
    pub(crate) not_leader: f64,
    /// The part that is refused as "server is busy".
    pub(crate) busy: f64,
    pub(crate) disk_slow: f64,
    /// How many times longer writes take for what is slow outside of the disk.
    pub(crate) network_slow: f64,
    /// The part of the time in which writes stand still.
    pub(crate) stalled: f64,
    pub(crate) read_slow: f64,
    pub(crate) leaders: f64,
    /// Entries that the slowest peer of some of its regions lags behind, and the part of regions concerned.
    pub(crate) lag: Option<(f64, f64)>,
    pub(crate) cpu_cores: f64,
    pub(crate) critical: f64,
    /// Stores that it cannot reach, by id.
    pub(crate) unreachable: Vec<u64>,
    /// The part of writes that flow control discards.
    pub(crate) discard: f64,
}

/// What one process counted since it began.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counters {
    pub(crate) at: Millis,
    pub(crate) values: Counted,
    write_spread: Option<Spread<{ GRPC_BOUNDS + 1 }>>,
    read_spread: Option<Spread<{ GRPC_BOUNDS + 1 }>>,
    apply_spread: Option<Spread<{ ASYNC_BOUNDS + 1 }>>,
    snapshot_spread: Option<Spread<{ ASYNC_BOUNDS + 1 }>>,
}

/// The counts themselves: what a scrape copies.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Counted {
    pub(crate) write: Histogram<{ GRPC_BOUNDS + 1 }>,
    pub(crate) read: Histogram<{ GRPC_BOUNDS + 1 }>,
    pub(crate) check_leader: f64,
    pub(crate) apply: Histogram<{ ASYNC_BOUNDS + 1 }>,
    pub(crate) snapshot: Histogram<{ ASYNC_BOUNDS + 1 }>,
    pub(crate) log_lag: Histogram<{ LAG_BOUNDS.len() + 1 }>,
    pub(crate) cpu_seconds: f64,
    pub(crate) not_leader: f64,
    pub(crate) busy: f64,
    pub(crate) critical: f64,
    pub(crate) unreachable: BTreeMap<u64, f64>,
    pub(crate) heartbeats: f64,
    pub(crate) stalled_seconds: f64,
    /// Whether flow control has ever acted: its series are absent until then.
    pub(crate) discarded: bool,
}

/// Medians of an untroubled store, in seconds.
pub(super) const WRITE: f64 = 0.004;
const READ: f64 = 0.000_8;
const APPLY: f64 = 0.002;
const SNAPSHOT: f64 = 0.000_1;

impl Counters {
    /// A process that begins at `now`.
    pub(crate) fn born(now: Millis) -> Self {
        Self {
            at: now,
            ..Self::default()
        }
    }

    /// Counts what happened since the last look.
    pub(crate) fn accrue(&mut self, now: Millis, rates: &Rates) {
        let seconds = num::seconds(now.saturating_sub(self.at));
        self.at = self.at.max(now);
        if seconds <= 0.0 {
            return;
        }
        let slow = rates.disk_slow.max(1.0) * rates.network_slow.max(1.0);
        let kept = (1.0 - rates.busy).clamp(0.0, 1.0);
        let writes = rates.writes * seconds;
        let counted = &mut self.values;
        // A write is a prewrite and a commit.
        counted.write.add(
            2.0 * writes * kept,
            Spread::at(&mut self.write_spread, WRITE * slow, grpc_bound),
        );
        // Refusals are fast, and count as requests all the same.
        counted.write.add_value(
            2.0 * writes * (1.0 - kept) + rates.not_leader * seconds,
            0.000_3,
            &[0.000_05, 0.000_1, 0.000_2, 0.000_4],
        );
        counted.read.add(
            rates.reads * seconds,
            Spread::at(
                &mut self.read_spread,
                READ * rates.read_slow.max(1.0),
                grpc_bound,
            ),
        );
        counted.apply.add(
            2.0 * writes * kept,
            Spread::at(&mut self.apply_spread, APPLY * slow, async_bound),
        );
        counted.snapshot.add(
            (rates.reads + rates.writes) * seconds,
            Spread::at(&mut self.snapshot_spread, SNAPSHOT, async_bound),
        );
        let looks = rates.leaders / 3.0 * seconds;
        let (lag, part) = rates.lag.unwrap_or((0.0, 0.0));
        counted
            .log_lag
            .add_value(looks * (1.0 - part), 1.0, &LAG_BOUNDS);
        counted
            .log_lag
            .add_value(looks * part, lag.min(10_241.0), &LAG_BOUNDS);
        counted.check_leader += 0.3 * seconds;
        counted.cpu_seconds += rates.cpu_cores * seconds;
        counted.not_leader += rates.not_leader * seconds;
        counted.busy += 2.0 * writes * (1.0 - kept);
        counted.critical += rates.critical * seconds;
        for store in &rates.unreachable {
            *counted.unreachable.entry(*store).or_default() += 11.0 * seconds;
        }
        counted.stalled_seconds += rates.stalled * seconds;
        counted.discarded |= rates.discard > 0.0;
    }
}

/// The load at a moment over the mean: a day's swing, lowest at the start of the cluster's day.
pub(crate) fn swing(now: Millis, daily: f64) -> f64 {
    if daily <= 1.0 {
        return 1.0;
    }
    let day = num::seconds(now) / 86_400.0 * std::f64::consts::TAU;
    (daily.ln() * (-day.cos()) / 2.0).exp()
}

/// Small unrest of one store's share of the load, steady for a quarter of a minute.
pub(crate) fn unrest(seed: u64, store: u16, now: Millis) -> f64 {
    1.0 + 0.05
        * prng::noise(
            seed,
            u64::from(store) | 0x10ad << 20,
            now / (15 * num::SECOND),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_a_whole_with_its_tail_where_it_belongs() {
        let spread = Spread::<{ GRPC_BOUNDS + 1 }>::new(WRITE, grpc_bound);
        assert!((spread.parts.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        let slow: f64 = (0..GRPC_BOUNDS)
            .filter(|place| grpc_bound(*place) > 0.1024)
            .map(|place| spread.parts[place])
            .sum();
        assert!(
            slow < 0.001,
            "{slow} of the writes of a healthy store are slow"
        );
    }

    #[test]
    fn a_day_swings_as_asked() {
        let lowest = swing(0, 10.0);
        let highest = swing(12 * 60 * num::MINUTE, 10.0);
        assert!((highest / lowest - 10.0).abs() < 1e-9);
        assert!((swing(5, 1.0) - 1.0).abs() < f64::EPSILON);
    }
}
