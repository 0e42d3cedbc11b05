//! `leaderless_regions`: a store has had regions without a leader.

use std::time::Duration;

use operator_core::{
    Broken, Evidence, Gap, Invariant, Kind, Quantity, Rule, Severity, Snapshot, Verdicts,
};

use super::Settings;
use super::common::judge_strained_stores;
use super::page::Page;
use super::registry::Documented;

/// A store holds peers that have not heard of a leader for long.
#[derive(Debug)]
pub(super) struct LeaderlessRegions {
    rule: Rule,
}

impl Documented for LeaderlessRegions {
    const PAGE: &'static Page = &Page {
        code: "leaderless_regions",
        kind: Kind::Cluster,
        summary: "a store has had regions without a leader",
        broken_when: "warning: its leader-missing flag was raised within ten minutes",
        entity: "the store that holds the peers",
        input: "Prometheus: `tikv_raftstore_leader_missing`",
        meaning: "Regions without a leader can be neither read nor written. The store itself noticed: some of its \
                  peers have not heard of a leader for ten minutes",
        evidence: "the flag, which is no count",
        origin: "the store's own check, raftstore.abnormal-leader-missing-duration, ten minutes by default",
        false_alarms: "Ten minutes late, and it stays for twenty more after it is over. Peers that were removed while their store was \
                       away look leaderless until they ask PD. It is silent where a quorum was lost within the last \
                       ten minutes: regions_without_quorum tells at once",
        what_to_do: &[
            "Are stores down? With two or more, regions_without_quorum names the regions.",
            "All stores up: the peers are cut off, or left over. Look in the store's log for `leader missing`.",
            "Ask PD for a region that clients complain of: `operator region ID` shows whether it has a leader.",
        ],
        grace: Duration::ZERO,
        settle: Duration::from_secs(600),
        knobs: &[],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        Self {
            rule: Self::PAGE.rule(settings),
        }
    }
}

impl Invariant for LeaderlessRegions {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        judge_strained_stores(snapshot, verdicts, |_, strain| {
            let missing = strain.leader_missing.measured()?;
            Ok(missing.filter(|missing| missing.value).map(|missing| {
                let flag = missing.map(|_| "raised within ten minutes".to_owned());
                let flag = Quantity::measured("leader missing", &flag, "");
                Broken::new(Severity::Warning, Evidence::of([flag]))
            }))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::super::told::{Told, WARNING, check};
    use super::*;

    fn rule() -> LeaderlessRegions {
        LeaderlessRegions::new(&Settings::default())
    }

    #[test]
    fn the_flag_tells() {
        for (flag, expected) in [(false, Told::Holds), (true, WARNING)] {
            let snapshot = scene::strained(|strain| strain.leader_missing = scene::seen(flag));
            check(&rule(), &snapshot, expected);
        }
    }

    #[test]
    fn what_was_not_measured_is_unseen() {
        check(&rule(), &scene::strained(|_| {}), Told::Unseen);
        check(&rule(), &scene::of_stores([scene::up(1)]), Told::Unseen);
    }
}
