//! `down_peers`: regions have a replica that does not answer.

use std::time::Duration;

use operator_core::{Gap, Invariant, Kind, Rule, Scope, Severity, Snapshot, Verdicts};

use super::Settings;
use super::ailing::Count;
use super::page::{Knob, Page};
use super::registry::Documented;

/// Leaders have not heard from a replica for ten minutes.
#[derive(Debug)]
pub(super) struct DownPeers {
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
    name: "regions with a down peer",
    of: |ailments| &ailments.down_peer,
};

impl Documented for DownPeers {
    const PAGE: &'static Page = &Page {
        code: "down_peers",
        kind: Kind::Cluster,
        summary: "regions have a replica that does not answer",
        broken_when: "warning: any region has a peer that its leader has not heard from for ten minutes",
        entity: "the cluster",
        input: "`pd_regions_status` of PD's leader in Prometheus, else PD /regions/check/down-peer, counted up to 1000",
        meaning: "Those regions live on the replicas that are left; PD makes new ones once it has given the store up \
                  (max-store-down-time, 30 min by default)",
        evidence: "how many regions, or at least how many",
        origin: "PD's own rule: any, for a minute",
        false_alarms: "Ten minutes late, as leaders wait so long before they tell: store_down speaks long before. \
                       Where a quorum is lost there is no leader to tell, and nothing shows here",
        what_to_do: &[
            "If store_down or store_disconnected is open, that is the cause: bring the store back.",
            "If all stores are up, single peers hang: find their store by PD /regions/check/down-peer, and read its log.",
            "A peer that stays down on a healthy store can be removed by hand; PD makes another.",
        ],
        grace: Duration::from_secs(60),
        settle: Rule::ONE_TICK,
        knobs: &[REGIONS],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        let page = Self::PAGE;
        let rule = page
            .rule(settings)
            .symptom_of("store_down", Scope::Any)
            .symptom_of("store_disconnected", Scope::Any);
        Self {
            rule,
            most: settings.of(page.code, &REGIONS),
        }
    }
}

impl Invariant for DownPeers {
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
        let rule = DownPeers::new(&Settings::default());
        check_count(&rule, |ailments| &mut ailments.down_peer);
    }

    #[test]
    fn how_many_are_tolerated_can_be_set() {
        let mut settings = Settings::default();
        settings
            .set("down_peers", "regions", "5")
            .expect("a number");
        let rule = DownPeers::new(&settings);
        let with = |count| counted(|ailments| ailments.down_peer = many(count));
        check_cluster(&rule, &with(5), Told::Holds);
        check_cluster(&rule, &with(6), WARNING);
    }
}
