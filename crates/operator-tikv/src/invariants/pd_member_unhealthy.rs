//! `pd_member_unhealthy`: a member of PD does not answer the others.

use std::time::Duration;

use operator_core::{
    Broken, Evidence, Gap, Invariant, Kind, Listing, Quantity, Rule, Severity, Snapshot, Timestamp,
    Value, Verdicts, Why,
};

use super::Settings;
use super::page::Page;
use super::registry::Documented;
use crate::facts::PdHealth;

/// A member of PD did not answer the member that was asked. With fewer than a majority left PD stands still.
#[derive(Debug)]
pub(super) struct PdMemberUnhealthy {
    rule: Rule,
}

impl Documented for PdMemberUnhealthy {
    const PAGE: &'static Page = &Page {
        code: "pd_member_unhealthy",
        kind: Kind::Cluster,
        summary: "a member of PD does not answer the others",
        broken_when: "warning: a member is not healthy; critical: fewer than a majority of all members are",
        entity: "the member, as `pd/NAME`",
        input: "PD /health, as the member that answers (the leader where there is one) finds the others",
        meaning: "While a majority is healthy PD goes on, with less to spare: of three members one more may not \
                  fail. Without a majority there is no leader, no timestamps, and so no transactions",
        evidence: "healthy members of all; who is not",
        origin: "PD's own health check: each member is asked for a ping, with 3 s to answer. The grace lets a \
                 member restart",
        false_alarms: "A network between two members only: the one that is asked finds the other unhealthy. A \
                       member that hangs in part still answers a ping, and is not found. Several members that \
                       take all their 3 s can make the check itself time out: then this rule is blind. A member \
                       that was shut down for good and not removed from the list stays unhealthy",
        what_to_do: &[
            "How many are left? With fewer than a majority, bring any of them back first: nothing else helps.",
            "Look at the member's process and machine, and at the end of its log: a full disk, a lost etcd quorum.",
            "It runs: can the others reach its client and peer ports (2379, 2380)?",
            "It is gone for good: `pd-ctl member delete name NAME`, then join a new one.",
        ],
        grace: Duration::from_secs(30),
        settle: Duration::from_secs(30),
        knobs: &[],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        let rule = Self::PAGE.rule(settings);
        Self { rule }
    }
}

impl Invariant for PdMemberUnhealthy {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        let part = snapshot.part::<Listing<PdHealth>>()?;
        let members = &part.value;
        if members.items.is_empty() && members.gaps.is_empty() {
            let expected = "at least one member of PD".into();
            let found = "none".to_owned();
            return Err(Gap::new("PD health", Why::Unusable { expected, found }));
        }
        verdicts.judge_list(members, PdHealth::entity, |member| {
            Ok((!member.healthy).then(|| unhealthy(members, part.sampled_at)))
        });
        Ok(())
    }
}

const SOURCE: &str = "PD /health";

fn unhealthy(members: &Listing<PdHealth>, at: Timestamp) -> Broken {
    let healthy = members.items.iter().filter(|member| member.healthy).count();
    // Who could not be read is a member all the same.
    let unread = members.gaps.iter().filter(|gap| gap.entity().is_some());
    let unread = unread.count();
    let all = members.items.len() + unread;
    let majority = all / 2 + 1;
    let sick: Vec<&str> = members
        .items
        .iter()
        .filter(|member| !member.healthy)
        .map(|member| member.name.as_str())
        .collect();
    let severity = match healthy + unread < majority {
        true => Severity::Critical,
        false => Severity::Warning,
    };
    let quantity = |name, value: Value| Quantity::new(name, value, "", SOURCE, at);
    let evidence = Evidence::of([
        quantity("healthy members", (healthy as u64).into()).against(majority as u64),
        quantity("of all", (all as u64).into()),
        quantity("unhealthy", sick.join(", ").into()),
    ]);
    Broken::new(severity, evidence)
}

#[cfg(test)]
mod tests {
    use super::super::scene::now;
    use super::super::told::told;
    use super::*;

    fn look(members: &[(&str, bool)], unread: &[&str]) -> Snapshot {
        let items = members
            .iter()
            .zip(1..)
            .map(|((name, healthy), id)| PdHealth {
                name: (*name).to_owned(),
                id,
                healthy: *healthy,
            });
        let gap = |name: &&str| {
            Gap::new("member", Why::Unsaid).about(operator_core::Entity::named("pd", *name))
        };
        let members = Listing {
            gaps: unread.iter().map(gap).collect(),
            ..Listing::whole(items.collect())
        };
        Snapshot::unseen(now()).with_part("PD health", Ok(members))
    }

    fn check(snapshot: &Snapshot, entity: &str, expected: &str) {
        assert_eq!(told::<PdMemberUnhealthy>(snapshot, entity), expected);
    }

    #[test]
    fn one_of_three_is_a_warning_and_two_are_critical() {
        let one = look(&[("a", true), ("b", false), ("c", true)], &[]);
        check(&one, "pd/a", "holds");
        check(
            &one,
            "pd/b",
            "warning: healthy members 2 (threshold 2), of all 3, unhealthy b",
        );
        let two = look(&[("a", true), ("b", false), ("c", false)], &[]);
        check(
            &two,
            "pd/c",
            "critical: healthy members 1 (threshold 2), of all 3, unhealthy b, c",
        );
        let even = look(&[("a", true), ("b", false)], &[]);
        check(
            &even,
            "pd/b",
            "critical: healthy members 1 (threshold 2), of all 2, unhealthy b",
        );
    }

    #[test]
    fn who_could_not_be_read_is_neither_well_nor_gone() {
        let snapshot = look(&[("a", true), ("b", false)], &["c"]);
        check(
            &snapshot,
            "pd/b",
            "warning: healthy members 1 (threshold 2), of all 3, unhealthy b",
        );
        check(
            &snapshot,
            "pd/c",
            "unseen: member of pd/c not seen: the answer does not say",
        );
        check(&snapshot, "pd/z", "gone");
    }

    #[test]
    fn without_an_answer_it_is_blind() {
        let blind = "blind: PD health not seen: expected at least one member of PD, found none";
        check(&look(&[], &[]), "pd/a", blind);
        let gap = Gap::new("PD health", Why::Unsaid);
        let missing = Snapshot::unseen(now());
        let missing = missing.with_part::<Listing<PdHealth>>("PD health", Err(gap));
        check(
            &missing,
            "pd/a",
            "blind: PD health not seen: the answer does not say",
        );
    }
}
