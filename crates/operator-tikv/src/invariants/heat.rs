//! One region that keeps a store busy: what the rules on hot writes and on hot reads share.

use std::collections::BTreeMap;
use std::time::Duration;

use operator_core::{
    Broken, Entity, Evidence, Gap, KeyRange, Measured, Quantity, RegionId, Severity, Snapshot,
    StoreId, Verdicts, Why,
};

use super::Settings;
use super::high_cpu::HighCpu;
use super::high_latency::HighLatency;
use super::page::{Knob, Page};
use super::registry::Documented;
use super::table_key::{Place, place};
use super::tiers::{median, percent, rounded};
use crate::facts::{HotPeer, HotPeers, HotSpots, HotStore, PdLeadership};

pub(super) const SHARE: Knob = Knob::ratio(
    "share",
    0.5,
    "the share of all that its store does which a region must exceed",
);
pub(super) const TIMES: Knob = Knob::number(
    "times",
    4.0,
    (1.0, 1000.0),
    "how many times the median of the other hot regions it must exceed",
);

/// PD lists a region after about three minutes of heat, and a new leader begins anew.
const LISTED_WITHIN: Duration = Duration::from_secs(240);
/// So many hot leaders on one store are many.
const MANY: usize = 4;

/// When a region is too hot.
#[derive(Debug)]
pub(super) struct Heat {
    share: f64,
    times: f64,
    cpu: HighCpu,
    latency: HighLatency,
}

/// One direction of traffic, as PD sees it.
pub(super) struct Traffic<'a> {
    /// What a region does: `writes` or `reads`.
    pub(super) word: &'static str,
    pub(super) spots: &'a HotSpots,
    /// When and where that was read.
    pub(super) read: Measured<()>,
    pub(super) ranges: &'a BTreeMap<RegionId, KeyRange>,
}

/// What traffic is counted in.
type Rate = (fn(&HotStore) -> f64, &'static str);
const RATES: [Rate; 2] = [
    (|rates| rates.bytes_per_second, "bytes/s"),
    (|rates| rates.queries_per_second, "requests/s"),
];

impl Heat {
    pub(super) fn new(settings: &Settings, page: &Page) -> Self {
        Self {
            share: settings.of(page.code, &SHARE),
            times: settings.of(page.code, &TIMES),
            cpu: HighCpu::new(settings),
            latency: HighLatency::new(settings),
        }
    }

    /// Names the regions that are too hot. All others are well, if PD can be believed when it lists none.
    pub(super) fn judge(
        &self,
        snapshot: &Snapshot,
        verdicts: &mut Verdicts,
        traffic: &Traffic<'_>,
    ) -> Result<(), Gap> {
        let spots = traffic.spots;
        let mut found = false;
        for (store, hot) in &spots.by_leader {
            for peer in &hot.peers {
                if let Some(heat) = self.of(peer, hot, spots) {
                    let broken = self.broken(snapshot, *store, peer, heat, traffic);
                    verdicts.broken(Entity::Region(peer.region), broken);
                    found = true;
                }
            }
        }
        match (listed_all(snapshot, spots), found) {
            (Ok(()), _) => verdicts.others_hold(),
            (Err(_), true) => {}
            (Err(gap), false) => return Err(gap),
        }
        Ok(())
    }

    /// How hot a region is, where it is too hot: in bytes, else in requests.
    fn of(&self, peer: &HotPeer, hot: &HotPeers, spots: &HotSpots) -> Option<Burning> {
        RATES.into_iter().find_map(|(rate, unit)| {
            let (own, whole) = (rate(&peer.rates()), rate(&hot.store));
            if whole <= 0.0 || own <= whole * self.share {
                return None;
            }
            let all = spots.by_leader.values().flat_map(|hot| &hot.peers);
            let others = all.filter(|other| other.region != peer.region);
            let others = median(others.map(|other| rate(&other.rates())).collect());
            let stands_out = others.is_none_or(|others| own > others * self.times);
            stands_out.then_some(Burning {
                own,
                share: own / whole,
                others,
                unit,
            })
        })
    }

    fn broken(
        &self,
        snapshot: &Snapshot,
        store: StoreId,
        peer: &HotPeer,
        heat: Burning,
        traffic: &Traffic<'_>,
    ) -> Broken {
        let Traffic {
            word,
            spots,
            read,
            ranges,
        } = traffic;
        let range = ranges.get(&peer.region);
        let number = |name: String, value: f64, unit| {
            Quantity::measured(name, &read.map(|()| rounded(value)), unit)
        };
        let share = format!("share of the {word} of store {store}");
        let mut evidence = vec![
            number(share, percent(heat.share), "%").against(percent(self.share)),
            number((*word).to_owned(), heat.own, heat.unit),
        ];
        evidence.extend(
            heat.others
                .map(|others| number("median of the other hot regions".into(), others, heat.unit)),
        );
        let class = class(store, spots, range);
        evidence.push(Quantity::measured("class", &read.map(|()| class), ""));
        let strain = self.strain_of(snapshot, store);
        let severity = match strain {
            None => Severity::Info,
            Some(strain) => {
                let strain = read.map(|()| strain);
                evidence.push(Quantity::measured("its store is under", &strain, ""));
                Severity::Warning
            }
        };
        Broken::new(severity, Evidence::of(evidence))
    }

    /// Which rule the region's store breaks, where it can be told.
    fn strain_of(&self, snapshot: &Snapshot, store: StoreId) -> Option<&'static str> {
        let metrics = snapshot.metrics_of(store).ok()?;
        let broken = |judged: Result<Option<Broken>, Gap>| matches!(judged, Ok(Some(_)));
        if broken(self.latency.judge(snapshot, metrics)) {
            return Some(HighLatency::PAGE.code);
        }
        broken(self.cpu.judge(snapshot, metrics)).then_some(HighCpu::PAGE.code)
    }
}

#[derive(Clone, Copy)]
struct Burning {
    own: f64,
    share: f64,
    others: Option<f64>,
    unit: &'static str,
}

/// What kind of heat it is: that decides what helps.
fn class(store: StoreId, spots: &HotSpots, range: Option<&KeyRange>) -> String {
    let leaders = |hot: &HotPeers| hot.peers.len();
    let here = spots.by_leader.get(&store).map_or(0, leaders);
    let all: usize = spots.by_leader.values().map(leaders).sum();
    let skewed = here >= MANY && here * 2 > all;
    match range.map(place) {
        Some(Place::Tail) => "range tail: the last region of a table, or of all keys".into(),
        _ if skewed => format!("leader skew: {here} of {all} hot leaders are on its store"),
        Some(Place::Whole) => "single region: it holds a whole table".into(),
        Some(Place::Elsewhere) => "single key or bucket".into(),
        None => "not known: its keys could not be read".into(),
    }
}

/// Whether a region that PD does not list is not hot.
fn listed_all(snapshot: &Snapshot, spots: &HotSpots) -> Result<(), Gap> {
    let leadership = &snapshot.part::<PdLeadership>()?.value;
    leadership.settled(snapshot.at())?;
    let changed = leadership
        .changed_at
        .map(|changed| snapshot.at().since(changed));
    if let Some(ago) = changed.filter(|ago| *ago < LISTED_WITHIN) {
        let because = format!(
            "PD's leader changed {} s ago: heat is listed after some minutes",
            ago.as_secs()
        );
        let why = Why::Distrusted {
            because: because.into(),
        };
        return Err(Gap::new("hot regions", why));
    }
    spots.gaps.first().map_or(Ok(()), |gap| Err(gap.clone()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::scene;
    use super::super::told::{INFO, Told, WARNING};
    use super::*;
    use operator_core::{Invariant, Listing};

    pub(in super::super) fn rates(bytes: f64, queries: f64) -> HotStore {
        HotStore {
            bytes_per_second: bytes,
            keys_per_second: 0.0,
            queries_per_second: queries,
        }
    }

    /// A store that does so much, and its hot regions.
    pub(in super::super) fn hot(
        store: u64,
        does: HotStore,
        of: &[(u64, HotStore)],
    ) -> (StoreId, HotPeers) {
        let peer = |(region, rates): &(u64, HotStore)| HotPeer {
            region: RegionId(*region),
            store: StoreId(store),
            stores: vec![StoreId(store)],
            is_leader: true,
            degree: 3,
            bytes_per_second: rates.bytes_per_second,
            keys_per_second: rates.keys_per_second,
            queries_per_second: rates.queries_per_second,
            updated_at: None,
        };
        let hot = HotPeers {
            store: does,
            hot: rates(0.0, 0.0),
            peers: of.iter().map(peer).collect(),
        };
        (StoreId(store), hot)
    }

    pub(in super::super) fn spots(
        stores: impl IntoIterator<Item = (StoreId, HotPeers)>,
    ) -> HotSpots {
        HotSpots {
            by_leader: stores.into_iter().collect(),
            ..HotSpots::default()
        }
    }

    pub(in super::super) type Lay =
        fn(Snapshot, HotSpots, BTreeMap<RegionId, KeyRange>) -> Snapshot;

    /// What both rules do, however their part is laid into the snapshot.
    #[track_caller]
    pub(in super::super) fn check_heat(rule: &impl Invariant, lay: Lay) {
        let fourth = Entity::Region(RegionId(4));
        let base = || scene::of_stores([scene::up(1), scene::up(2)]);
        let told = |snapshot: &Snapshot| Told::of(rule, snapshot, &fourth);
        let with = |spots| lay(base(), spots, BTreeMap::new());

        let b = |bytes| rates(bytes, 0.0);
        for (does, regions, elsewhere, expected) in [
            (b(100.0), vec![(4, b(51.0))], vec![], INFO),
            (b(100.0), vec![(4, b(50.0))], vec![], Told::Holds),
            (b(100.0), vec![(4, b(81.0))], vec![(7, b(20.0))], INFO),
            (
                b(100.0),
                vec![(4, b(80.0))],
                vec![(7, b(20.0))],
                Told::Holds,
            ),
            (b(100.0), vec![], vec![(7, b(20.0))], Told::Holds),
            (b(0.0), vec![(4, b(0.0))], vec![], Told::Holds),
            (rates(100.0, 10.0), vec![(4, rates(5.0, 9.0))], vec![], INFO),
        ] {
            let spots = spots([hot(1, does, &regions), hot(2, b(1000.0), &elsewhere)]);
            assert_eq!(told(&with(spots)), expected, "{regions:?} {elsewhere:?}");
        }

        let burning = || spots([hot(1, b(100.0), &[(4, b(90.0))])]);
        let strained = |change: fn(&mut operator_core::StoreMetrics)| {
            let metrics = vec![scene::metrics(1, change)];
            lay(base(), burning(), BTreeMap::new()).with_metrics(Ok(Listing::whole(metrics)))
        };
        let slow = strained(|metrics| metrics.write_p99_seconds = scene::seen(0.3));
        assert_eq!(told(&slow), WARNING);
        let busy = strained(|metrics| {
            metrics.cpu_used_cores = scene::seen(7.9);
            metrics.cpu_quota_cores = scene::seen(8.0);
        });
        assert_eq!(told(&busy), WARNING);
        assert_eq!(told(&strained(|_| {})), INFO);

        assert_eq!(told(&base()), Told::Unseen);
        let young = |spots| scene::led(with(spots), Some(200));
        assert_eq!(told(&young(spots([]))), Told::Unseen);
        assert_eq!(told(&young(burning())), INFO);
        let mut torn = spots([]);
        torn.gaps.push(scene::unsaid());
        assert_eq!(told(&with(torn)), Told::Unseen);
    }

    #[test]
    fn the_kind_of_heat_is_told_by_keys_and_by_company() {
        let range = |start: &[u8], end: &[u8]| KeyRange {
            start: start.to_vec(),
            end: end.to_vec(),
        };
        let (tail, inner) = (range(b"a", b""), range(b"a", b"b"));
        let b = |bytes| rates(bytes, 0.0);
        let alone = spots([hot(1, b(100.0), &[(4, b(90.0))])]);
        let many: Vec<(u64, HotStore)> = (1..=5).map(|id| (id, b(10.0))).collect();
        let crowd = spots([hot(1, b(100.0), &many), hot(2, b(100.0), &[(9, b(10.0))])]);
        for (spots, range, expected) in [
            (&alone, Some(&tail), "range tail"),
            (&alone, Some(&inner), "single key or bucket"),
            (&alone, None, "not known"),
            (&crowd, Some(&inner), "leader skew: 5 of 6"),
            (&crowd, Some(&tail), "range tail"),
        ] {
            let class = class(StoreId(1), spots, range);
            assert!(class.starts_with(expected), "{class}");
        }
    }
}
