//! `pending_peers_stuck`: replicas do not catch up.

use std::time::Duration;

use operator_core::{Gap, Invariant, Kind, Rule, Scope, Severity, Snapshot, Verdicts};

use super::Settings;
use super::ailing::Count;
use super::page::{Knob, Page};
use super::registry::Documented;

/// Replicas that are behind stay behind.
#[derive(Debug)]
pub(super) struct PendingPeersStuck {
    rule: Rule,
    most: f64,
}

const REGIONS: Knob = Knob::number(
    "regions",
    0.0,
    (0.0, 1e9),
    "the regions above which it is a warning",
);

const COUNT: Count = Count {
    name: "regions with a pending peer",
    of: |ailments| &ailments.pending_peer,
};

impl Documented for PendingPeersStuck {
    const PAGE: &'static Page = &Page {
        code: "pending_peers_stuck",
        kind: Kind::Cluster,
        summary: "replicas do not catch up",
        broken_when: "warning: regions have a pending peer, and go on having some for ten minutes",
        entity: "the cluster",
        input: "`pd_regions_status` of PD's leader in Prometheus, else PD /regions/check/pending-peer, counted up to 1000",
        meaning: "A pending peer waits for a snapshot or for log entries, and cannot take over. PD moves nothing away \
                  from regions that have one, so balance and repair stand still too",
        evidence: "how many regions, or at least how many",
        origin: "PD's own rule cries above 100; while data moves a few come and go, and for ten minutes none should stay",
        false_alarms: "It counts regions, not the same regions: while much data moves (a new store, a removal, an \
                       import) there may always be some. A store that is down makes its peers pending at once",
        what_to_do: &[
            "If store_down or slow_store is open, that is the cause.",
            "Is data moving on purpose? Then compare the count with that of some minutes ago: it should not grow.",
            "Which store are the peers on? PD /regions/check/pending-peer tells. Look there for disk, CPU and snapshots that fail.",
        ],
        grace: Duration::from_secs(600),
        settle: Rule::ONE_TICK,
        knobs: &[REGIONS],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        let page = Self::PAGE;
        let rule = page
            .rule(settings)
            .symptom_of("store_down", Scope::Any)
            .symptom_of("slow_store", Scope::Any);
        Self {
            rule,
            most: settings.of(page.code, &REGIONS),
        }
    }
}

impl Invariant for PendingPeersStuck {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        let most = self.most;
        COUNT.judge(snapshot, verdicts, |regions| {
            (regions > most).then_some((Severity::Warning, most))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::ailing::tests::{check_count, counted, many};
    use super::super::told::{Told, WARNING, check_cluster};
    use super::*;

    #[test]
    fn any_such_region_is_a_warning() {
        let rule = PendingPeersStuck::new(&Settings::default());
        check_count(&rule, |ailments| &mut ailments.pending_peer);
    }

    #[test]
    fn how_many_are_tolerated_can_be_set() {
        let mut settings = Settings::default();
        settings
            .set("pending_peers_stuck", "regions", "5")
            .expect("a number");
        let rule = PendingPeersStuck::new(&settings);
        let with = |count| counted(|ailments| ailments.pending_peer = many(count));
        check_cluster(&rule, &with(5), Told::Holds);
        check_cluster(&rule, &with(6), WARNING);
    }
}
