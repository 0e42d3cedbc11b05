//! `hot_write_region`: one region keeps a store busy with writes.

use std::time::Duration;

use operator_core::{Gap, Invariant, Kind, Rule, Snapshot, Verdicts};

use super::Settings;
use super::heat::{Heat, SHARE, TIMES, Traffic};
use super::page::Page;
use super::registry::Documented;
use crate::facts::HotWrites;

/// Most of a store's writes go to one region.
#[derive(Debug)]
pub(super) struct HotWriteRegion {
    rule: Rule,
    heat: Heat,
}

impl Documented for HotWriteRegion {
    const PAGE: &'static Page = &Page {
        code: "hot_write_region",
        kind: Kind::Cluster,
        summary: "one region takes most of a store's writes",
        broken_when: "info: a region carries over half of what its leader's store writes, in bytes or in requests, and \
                      over 4 times the median of the other hot regions, if there are any; a warning if that store also \
                      breaks high_cpu or high_latency",
        entity: "the region",
        input: "PD /hotspot/regions/write, and the keys of the hottest regions; Prometheus for the severity",
        meaning: "One region is written by one thread at a time: its writes cannot go faster than one store goes, \
                  however many stores there are, and its neighbours on that store wait with it",
        evidence: "its share, its rate, the median of the others; the class: range tail, leader skew, or a single key",
        origin: "half a store's work is what no scheduler can balance away by moving the region",
        false_alarms: "PD lists a region after about three minutes of heat: later than it hurts. A store with hardly any \
                       load has a hottest region too: info says no more than that. After a change of PD's leader \
                       nothing is known for four minutes",
        what_to_do: &[
            "Range tail: rows are appended at one end. Spread the keys (SHARD_ROW_ID_BITS, AUTO_RANDOM, a hashed prefix) or split ahead.",
            "Leader skew: many hot leaders on one store. See leader_imbalance, and whether the hot-region scheduler runs.",
            "Single key: a counter or a lock. Splitting does not help; the application must write it less often, or in parts.",
            "At once: move the region's leader to the store with the least load, which gives its neighbours room.",
        ],
        grace: Duration::from_secs(60),
        settle: Duration::from_secs(60),
        knobs: &[SHARE, TIMES],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        let page = Self::PAGE;
        Self {
            rule: page.rule(settings),
            heat: Heat::new(settings, page),
        }
    }
}

impl Invariant for HotWriteRegion {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        let part = snapshot.part::<HotWrites>()?;
        let traffic = Traffic {
            word: "writes",
            spots: &part.value.spots,
            read: part.map(|_| ()),
            ranges: &part.value.ranges,
        };
        self.heat.judge(snapshot, verdicts, &traffic)
    }
}

#[cfg(test)]
mod tests {
    use super::super::heat::tests::{check_heat, hot, rates, spots};
    use super::super::scene;
    use super::super::told;
    use super::*;
    use operator_core::{Entity, KeyRange, RegionId};
    use std::collections::BTreeMap;

    fn rule() -> HotWriteRegion {
        HotWriteRegion::new(&Settings::default())
    }

    #[test]
    fn a_region_is_hot_that_does_most_of_its_stores_work_and_stands_out() {
        check_heat(&rule(), |snapshot, spots, ranges| {
            snapshot.with_part("hot", Ok(HotWrites { spots, ranges }))
        });
    }

    #[test]
    fn the_evidence_says_how_hot_and_of_what_kind() {
        let bytes = |bytes| rates(bytes, 0.0);
        let first = hot(1, bytes(1000.0), &[(4, bytes(900.0))]);
        let second = hot(2, bytes(1000.0), &[(7, bytes(100.0))]);
        let range = KeyRange {
            start: b"a".to_vec(),
            end: b"b".to_vec(),
        };
        let part = HotWrites {
            spots: spots([first, second]),
            ranges: BTreeMap::from([(RegionId(4), range)]),
        };
        let snapshot = scene::of_stores([scene::up(1)]).with_part("hot", Ok(part));
        assert_eq!(
            told::evidence(&rule(), &snapshot, &Entity::Region(RegionId(4))),
            "share of the writes of store 1 90 % (threshold 50 %), writes 900 bytes/s, \
             median of the other hot regions 100 bytes/s, class single key or bucket"
        );
    }
}
