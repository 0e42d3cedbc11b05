//! `under_replicated_regions`: regions want replicas.

use std::time::Duration;

use operator_core::{Gap, Invariant, Kind, Rule, Snapshot, Verdicts};

use super::Settings;
use super::ailing::Count;
use super::page::{Knob, Page};
use super::registry::Documented;
use super::tiers::Tiers;

/// Regions have fewer replicas than they should.
#[derive(Debug)]
pub(super) struct UnderReplicatedRegions {
    rule: Rule,
    regions: Tiers,
}

const MOST: (f64, f64) = (0.0, 1e9);
const WARNING: Knob = Knob::number(
    "warning",
    0.0,
    MOST,
    "the regions above which it is a warning",
);
const CRITICAL: Knob = Knob::number(
    "critical",
    100.0,
    MOST,
    "the regions above which it is critical",
);

const COUNT: Count = Count {
    name: "regions with a missing peer",
    of: |ailments| &ailments.missing_peer,
};

impl Documented for UnderReplicatedRegions {
    const PAGE: &'static Page = &Page {
        code: "under_replicated_regions",
        kind: Kind::Cluster,
        summary: "regions have fewer replicas than they should",
        broken_when: "any region wants a peer: a warning; more than 100 do: critical",
        entity: "the cluster",
        input: "`pd_regions_status` of PD's leader in Prometheus, else PD /regions/check/miss-peer, counted up to 1000",
        meaning: "A region with two of three replicas stands one more failure away from standing still, and one with \
                  one of three has no second copy at all",
        evidence: "how many regions, or at least how many",
        origin: "PD's own rule cries above 100 regions, had its name of the metric been right",
        false_alarms: "PD counts a dead store's peers as missing only once it has given the store up, after \
                       max-store-down-time: until then down_peers speaks. A change of placement rules makes regions \
                       want peers until they are made; so does a new cluster",
        what_to_do: &[
            "Is PD making replicas? `operator stores` shows counts that grow; if they do, wait.",
            "If not: see scheduling_halted, then whether replica-schedule-limit and store limits leave room.",
            "Is there a store to put them on? Labels, placement rules and low_disk_space decide that.",
        ],
        grace: Duration::from_secs(600),
        settle: Rule::ONE_TICK,
        knobs: &[WARNING, CRITICAL],
        ordered: &[("warning", "critical")],
    };

    fn new(settings: &Settings) -> Self {
        let page = Self::PAGE;
        Self {
            rule: page.rule(settings),
            regions: Tiers::new(settings, page, [&WARNING, &CRITICAL]),
        }
    }
}

impl Invariant for UnderReplicatedRegions {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        COUNT.judge(snapshot, verdicts, |regions| self.regions.above(regions))
    }
}

#[cfg(test)]
mod tests {
    use super::super::ailing::tests::{check_count, counted, many};
    use super::super::told::{self, CRITICAL, WARNING, check_cluster};
    use super::*;
    use operator_core::Entity;

    fn rule() -> UnderReplicatedRegions {
        UnderReplicatedRegions::new(&Settings::default())
    }

    #[test]
    fn any_missing_peer_is_a_warning() {
        check_count(&rule(), |ailments| &mut ailments.missing_peer);
    }

    #[test]
    fn above_a_hundred_regions_it_is_critical() {
        let with = |count| counted(|ailments| ailments.missing_peer = many(count));
        check_cluster(&rule(), &with(100), WARNING);
        check_cluster(&rule(), &with(101), CRITICAL);
        assert_eq!(
            told::evidence(&rule(), &with(101), &Entity::Cluster),
            "regions with a missing peer 101 (threshold 100)"
        );
    }
}
