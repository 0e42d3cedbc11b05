//! `pd_no_leader`: PD's members answer, and none leads them.

use std::time::Duration;

use operator_core::{
    Broken, Entity, Evidence, Gap, Invariant, Kind, Quantity, Rule, Scope, Severity, Snapshot,
    Verdicts,
};

use super::Settings;
use super::page::Page;
use super::registry::Documented;
use crate::facts::PdLeadership;

/// PD's members answer and have no leader: nobody gives out timestamps, and nobody schedules.
#[derive(Debug)]
pub(super) struct PdNoLeader {
    rule: Rule,
}

impl Documented for PdNoLeader {
    const PAGE: &'static Page = &Page {
        code: "pd_no_leader",
        kind: Kind::Cluster,
        summary: "PD's members answer, and none leads them",
        broken_when: "critical: members answer and none names a leader, or none gets through to the one that is \
                      named (`/leader` is null, 503 `no leader`, 500 `redirect failed` or ErrLeaderNil)",
        entity: "the cluster",
        input: "PD /leader and /stores, of whichever member answers",
        meaning: "No leader, no timestamps: transactions cannot begin or commit, and clients fail within \
                  seconds. Stores serve on what they know; nothing is scheduled or repaired",
        evidence: "what the members said",
        origin: "A leader that was killed is replaced within 10 to 12 s, one that froze within 13 s: its lease \
                 is 5 s, and an election follows. 15 s of grace outlast both",
        false_alarms: "An election that is repeated because members' clocks or disks stall. A proxy in front of \
                       PD that answers 503 by itself. Not while members are starting, nor in a cluster that has \
                       not been bootstrapped; nor where no member answers at all: pd_unreachable says that",
        what_to_do: &[
            "Is a majority of the members up? See pd_member_unhealthy. If not, start them: nothing else helps.",
            "A majority is up: `pd-ctl member leader show`, and look for `campaign` in their logs. Slow disks make \
             leaders give up: look at etcd's fsync times.",
            "The named leader hangs: stop its process. The others elect a new one within seconds.",
            "The majority is lost for good: recover PD by `pd-recover` from what is left.",
        ],
        grace: Duration::from_secs(15),
        settle: Rule::ONE_TICK,
        knobs: &[],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        let rule = Self::PAGE.rule(settings);
        Self {
            rule: rule.symptom_of("pd_member_unhealthy", Scope::Any),
        }
    }
}

impl Invariant for PdNoLeader {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        let part = snapshot.part::<PdLeadership>()?;
        verdicts.judge(Entity::Cluster, || {
            let PdLeadership { leader, told, .. } = &part.value;
            Ok(leader.is_none().then(|| {
                let told = told.as_deref().unwrap_or("nobody");
                let said = Quantity::new("leader", told, "", part.source.clone(), part.sampled_at);
                Broken::new(Severity::Critical, Evidence::of([said]))
            }))
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{led, now};
    use super::super::told::told;
    use super::*;
    use operator_core::Why;

    fn check(snapshot: &Snapshot, expected: &str) {
        assert_eq!(told::<PdNoLeader>(snapshot, "cluster"), expected);
    }

    #[test]
    fn members_without_a_leader_are_told_from_members_that_do_not_answer() {
        let nothing = || Snapshot::unseen(now());
        check(&led(nothing(), None), "holds");
        let leaderless = PdLeadership {
            leader: None,
            told: Some("status 503: no leader".into()),
            changed_at: None,
        };
        let leaderless = nothing().with_part("PD leader", Ok(leaderless));
        check(&leaderless, "critical: leader status 503: no leader");
        let gap = Gap::new("PD leader", Why::Unsaid);
        let silent = nothing().with_part::<PdLeadership>("PD leader", Err(gap));
        check(
            &silent,
            "blind: PD leader not seen: the answer does not say",
        );
    }
}
