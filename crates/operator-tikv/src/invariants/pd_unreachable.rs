//! `pd_unreachable`: PD cannot be seen.

use std::time::Duration;

use operator_core::{
    Broken, Entity, Evidence, Gap, Invariant, Kind, Quantity, Rule, Severity, Snapshot, Verdicts,
};

use super::Settings;
use super::page::Page;
use super::registry::Documented;
use crate::facts::PdLeadership;

/// No endpoint of PD gives a usable answer: neither who leads, nor which stores there are.
///
/// Members that answer and have no leader are reachable; that is another rule's business.
#[derive(Debug)]
pub(super) struct PdUnreachable {
    rule: Rule,
}

impl Documented for PdUnreachable {
    const PAGE: &'static Page = &Page {
        code: "pd_unreachable",
        kind: Kind::Sight,
        summary: "no endpoint of PD gives a usable answer",
        broken_when: "warning: neither who leads PD nor which stores there are could be read from any endpoint",
        entity: "the cluster",
        input: "PD /leader (any member answers it by itself) and /stores",
        meaning: "We are blind, which is all that this says: the cluster may be well. Whatever is open stays open, \
                  nothing new about stores is found, and nothing is resolved. If clients do not reach PD either, \
                  they live on what they remember for a while and then fail, for every transaction needs a \
                  timestamp from PD",
        evidence: "what each endpoint answered, or why it did not",
        origin: "The original design: what cannot be observed is worth a ticket. No grace: each look has already \
                 asked every endpoint",
        false_alarms: "A network that only cuts us off. A certificate or a proxy that changed. PD that takes longer \
                       than the deadline of a look. All members starting at once: they answer that they have not \
                       started, which is no usable answer",
        what_to_do: &[
            "Ask an endpoint from this machine: `curl http://PD:2379/pd/api/v1/leader`. Does it connect?",
            "It connects from a client's machine, but not from here: it is the network, a proxy or the certificate.",
            "It does not from anywhere: look at the PD processes and their machines. A majority must be up.",
            "All processes run: the end of PD's log says what they wait for; a full or slow disk under etcd is common.",
        ],
        grace: Duration::ZERO,
        settle: Rule::ONE_TICK,
        knobs: &[],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        let rule = Self::PAGE.rule(settings);
        Self { rule }
    }
}

impl Invariant for PdUnreachable {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        let leader = snapshot.part::<PdLeadership>().map(|_| ());
        let stores = snapshot.stores().map(|_| ());
        match (leader, stores) {
            (Err(leader), Err(stores)) => {
                let gap = |gap: &Gap| {
                    let (name, why) = (gap.what().to_owned(), gap.why().to_string());
                    Quantity::new(name, why, "", "PD", snapshot.at())
                };
                let evidence = Evidence::of([gap(&leader), gap(&stores)]);
                verdicts.broken(Entity::Cluster, Broken::new(Severity::Warning, evidence));
            }
            _ => verdicts.holds(Entity::Cluster),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{of_stores, up};
    use super::super::told::told;
    use super::*;
    use operator_core::Why;

    fn leadership(read: bool, snapshot: Snapshot) -> Snapshot {
        let leadership = PdLeadership {
            leader: None,
            told: Some("no leader is named".into()),
            changed_at: None,
        };
        let after = Duration::from_secs(8);
        let gap = Gap::new("PD leader", Why::TimedOut { after });
        snapshot.with_part("PD leader", read.then_some(leadership).ok_or(gap))
    }

    fn check(leader: bool, stores: bool, expected: &str) {
        let why = Why::Unsaid;
        let snapshot = of_stores([up(1)]);
        let snapshot = match stores {
            true => snapshot,
            false => snapshot.with_stores(Err(Gap::new("stores", why))),
        };
        let snapshot = leadership(leader, snapshot);
        assert_eq!(told::<PdUnreachable>(&snapshot, "cluster"), expected);
    }

    #[test]
    fn pd_is_reachable_while_anything_can_be_read() {
        check(true, true, "holds");
        check(false, true, "holds");
        // Members that answer and have no leader are there.
        check(true, false, "holds");
        check(
            false,
            false,
            "warning: PD leader no answer within 8 s, stores the answer does not say",
        );
    }
}
