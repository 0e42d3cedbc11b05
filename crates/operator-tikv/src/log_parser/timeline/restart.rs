//! Stores that were emptied, stopped and started; and whether that went well.

use std::collections::BTreeMap;

use super::super::stamp::Stamp;
use super::election::{Election, ElectionKind};
use super::log::Log;
use super::reign::Reign;

/// Leaders of a stopped store time out within this: twenty seconds of silence, and some.
const TIMEOUTS_MS: i64 = 60_000;

/// Without PD's word, transfers this long before a stop count as its eviction.
const EVICTION_MS: i64 = 120_000;

/// PD takes the leaders off a store, or lets it lead again.
#[derive(Clone, Copy, Debug)]
pub(super) struct PdOrder {
    pub(super) store: u64,
    pub(super) at: Stamp,
    pub(super) begins: bool,
}

/// A store from which PD took the leaders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eviction {
    /// The store.
    pub store: u64,
    /// Since when.
    pub from: Stamp,
    /// Until when; `None` where PD's log does not end it.
    pub until: Option<Stamp>,
    /// Transfers away from the store meanwhile.
    pub moved: u64,
}

/// A store that was told to stop, and started again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restart {
    /// The store.
    pub store: u64,
    /// Its last event before.
    pub stopped: Stamp,
    /// Its first line after.
    pub started: Stamp,
    /// Leaders that were transferred away before.
    pub evicted: u64,
    /// Leaders that it still had when it stopped.
    pub led_at_stop: u64,
    /// Elections by timeout that its stop caused.
    pub timeouts: u64,
}

impl Restart {
    /// Whether nobody had to time out.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.timeouts == 0
    }
}

pub(super) fn evictions(orders: &[PdOrder], elections: &[Election]) -> Vec<Eviction> {
    let mut found: Vec<Eviction> = Vec::new();
    for order in orders {
        let open = found
            .iter_mut()
            .rev()
            .find(|eviction| eviction.store == order.store && eviction.until.is_none());
        match open {
            Some(eviction) if !order.begins => eviction.until = Some(order.at),
            None if order.begins => found.push(Eviction {
                store: order.store,
                from: order.at,
                until: None,
                moved: 0,
            }),
            _ => {}
        }
    }
    for eviction in &mut found {
        eviction.moved = transfers_away(elections, eviction.store, eviction.from, eviction.until);
    }
    found
}

pub(super) fn restarts(
    logs: &[Log],
    elections: &[Election],
    orders: &[PdOrder],
    reigns: &BTreeMap<u64, Vec<Reign>>,
) -> Vec<Restart> {
    let mut found = Vec::new();
    for log in logs {
        let Some(store) = log.store else { continue };
        for end in log.ends.iter().filter(|end| end.told_to_stop.is_some()) {
            let Some(started) = end.restarted else {
                continue;
            };
            let ordered = orders
                .iter()
                .rev()
                .find(|order| order.store == store && order.begins && order.at <= end.last);
            let since = ordered.map_or(end.last.utc_ms - EVICTION_MS, |order| order.at.utc_ms);
            found.push(Restart {
                store,
                stopped: end.last,
                started,
                evicted: transfers_away(elections, store, Stamp::utc(since), Some(end.last)),
                led_at_stop: led_at(reigns, store, end.last),
                timeouts: timeouts_after(elections, store, end.last),
            });
        }
    }
    found.sort_by_key(|restart| restart.stopped);
    found
}

fn transfers_away(elections: &[Election], store: u64, from: Stamp, until: Option<Stamp>) -> u64 {
    let away = elections.iter().filter(|election| {
        let at = election.leader.as_ref().map(|(.., at)| *at);
        election.kind == ElectionKind::Transfer
            && led_before(election, store)
            && at.is_some_and(|at| from <= at && until.is_none_or(|until| at <= until))
    });
    away.count() as u64
}

fn timeouts_after(elections: &[Election], store: u64, stop: Stamp) -> u64 {
    let caused = elections.iter().filter(|election| {
        let at = election.started.unwrap_or(election.first_seen);
        election.kind == ElectionKind::Timeout
            && election.leader.is_some()
            && led_before(election, store)
            && stop <= at
            && at.utc_ms <= stop.utc_ms + TIMEOUTS_MS
    });
    caused.count() as u64
}

fn led_before(election: &Election, store: u64) -> bool {
    election.previous.as_ref().and_then(|peer| peer.store) == Some(store)
}

fn led_at(reigns: &BTreeMap<u64, Vec<Reign>>, store: u64, at: Stamp) -> u64 {
    let led = reigns.values().filter(|reigns| {
        reigns.iter().any(|reign| {
            reign.leader.store == Some(store)
                && reign.from <= at
                && reign.until.is_none_or(|until| until >= at)
        })
    });
    led.count() as u64
}
