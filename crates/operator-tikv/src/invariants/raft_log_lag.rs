//! `raft_log_lag`: followers fall behind.

use std::time::Duration;

use operator_core::{
    Broken, Evidence, Gap, Invariant, Kind, Quantity, Rule, Scope, Severity, Snapshot, Verdicts,
};

use super::Settings;
use super::common::{idle, judge_measured_stores};
use super::page::{Knob, Page};
use super::registry::Documented;
use super::tiers::percent;

/// Followers of the regions that a store leads are far behind it.
#[derive(Debug)]
pub(super) struct RaftLogLag {
    rule: Rule,
    most: f64,
}

const SHARE: Knob = Knob::ratio(
    "share",
    0.01,
    "the share of samples with more than 1024 entries above which it is a warning",
);

impl Documented for RaftLogLag {
    const PAGE: &'static Page = &Page {
        code: "raft_log_lag",
        kind: Kind::Cluster,
        summary: "followers fall behind their leaders",
        broken_when: "warning: in more than 1 % of samples a follower is more than 1024 log entries behind",
        entity: "the store that leads; those that are behind are others",
        input: "Prometheus: `tikv_raftstore_log_lag`",
        meaning: "Replicas that are behind cannot take over at once: when a leader is lost, its regions are away for \
                  longer, and a follower that is too far behind needs a whole snapshot",
        evidence: "the share of samples that are beyond 1024 entries",
        origin: "1024 is the bound of the histogram below that of TiKV's own rule (P99 above 5000), so that the share is exact",
        false_alarms: "It is told by the leader's store: the slow one is whoever its followers live on. A store that \
                       was down catches up for a while, as do new replicas. Without anything to replicate it holds",
        what_to_do: &[
            "Several leaders complain: look for the one store they share, which is down, slow or just back.",
            "One leader complains: look at the network from its machine, and at its own CPU.",
            "Heavy writes everywhere: followers apply too slowly; look at write_pressure.",
        ],
        grace: Duration::from_secs(60),
        settle: Duration::from_secs(60),
        knobs: &[SHARE],
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
            most: settings.of(page.code, &SHARE),
        }
    }
}

impl Invariant for RaftLogLag {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        judge_measured_stores(snapshot, verdicts, |store, metrics| {
            let Some(share) = metrics.raft_log_lag_ratio.measured()? else {
                return idle(snapshot, store.id);
            };
            Ok((share.value > self.most).then(|| {
                let shown = share.map(|share| percent(*share));
                let lag = Quantity::measured("samples beyond 1024 entries", &shown, "%");
                let evidence = Evidence::of([lag.against(percent(self.most))]);
                Broken::new(Severity::Warning, evidence)
            }))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::super::told::{self, Told, WARNING, check};
    use super::*;
    use operator_core::Reading;

    fn rule() -> RaftLogLag {
        RaftLogLag::new(&Settings::default())
    }

    #[test]
    fn followers_lag_above_one_percent() {
        for (share, expected) in [
            (0.0, Told::Holds),
            (0.01, Told::Holds),
            (0.011, WARNING),
            (1.0, WARNING),
        ] {
            let snapshot =
                scene::measured(|metrics| metrics.raft_log_lag_ratio = scene::seen(share));
            check(&rule(), &snapshot, expected);
        }
    }

    #[test]
    fn a_store_that_leads_nothing_holds() {
        let idle = scene::measured(|metrics| metrics.raft_log_lag_ratio = Reading::Idle);
        check(&rule(), &idle, Told::Holds);
    }

    #[test]
    fn the_evidence_is_the_share() {
        let snapshot = scene::measured(|metrics| metrics.raft_log_lag_ratio = scene::seen(0.25));
        assert_eq!(
            told::evidence(&rule(), &snapshot, &scene::entity(1)),
            "samples beyond 1024 entries 25 % (threshold 1 %)"
        );
    }

    #[test]
    fn what_was_not_measured_is_unseen() {
        check(&rule(), &scene::measured(|_| {}), Told::Unseen);
        check(&rule(), &scene::of_stores([scene::up(1)]), Told::Unseen);
    }
}
