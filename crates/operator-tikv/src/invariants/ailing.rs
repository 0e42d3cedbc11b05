//! How many regions ail: what the three rules on counts of regions share.

use operator_core::{
    Broken, Entity, Evidence, Gap, Quantity, Reading, Severity, Snapshot, Verdicts, Why,
};

use super::common::settled;
use crate::facts::{Ailments, HowMany};

/// One count of regions.
pub(super) struct Count {
    pub(super) name: &'static str,
    pub(super) of: fn(&Ailments) -> &Reading<HowMany>,
}

impl Count {
    /// Judges the count: more than so many are a warning, and there may be more than is critical.
    ///
    /// After a change of PD's leader counts are too low: such a count is believed when it says broken, and
    /// not when it says well.
    pub(super) fn judge(
        &self,
        snapshot: &Snapshot,
        verdicts: &mut Verdicts,
        worse: impl Fn(f64) -> Option<(Severity, f64)>,
    ) -> Result<(), Gap> {
        let ailments = &snapshot.part::<Ailments>()?.value;
        if let Ok(Some(many)) = (self.of)(ailments).measured() {
            verdicts.as_of(many.sampled_at);
        }
        verdicts.judge(Entity::Cluster, || {
            let Some(many) = (self.of)(ailments).measured()? else {
                return Ok(None);
            };
            let HowMany { counted, exactly } = many.value;
            let Some((severity, threshold)) = worse(counted as f64) else {
                settled(snapshot)?;
                // There are more than were counted, and nobody knows how many.
                let because = "only a part was counted".into();
                let gap = || Gap::new(self.name, Why::Distrusted { because });
                return if exactly { Ok(None) } else { Err(gap()) };
            };
            let name = match exactly {
                true => self.name.to_owned(),
                false => format!("at least, {}", self.name),
            };
            let count = Quantity::measured(name, &many.map(|_| counted), "").against(threshold);
            Ok(Some(Broken::new(severity, Evidence::of([count]))))
        });
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::scene;
    use super::super::told::{self, Told, WARNING, check_cluster};
    use super::*;
    use operator_core::{Invariant, Measured};

    /// A cluster of which PD counted so.
    pub(in super::super) fn counted(change: impl FnOnce(&mut Ailments)) -> Snapshot {
        let none = || Reading::Blind(scene::unsaid());
        let mut ailments = Ailments {
            missing_peer: none(),
            down_peer: none(),
            pending_peer: none(),
        };
        change(&mut ailments);
        scene::of_stores([scene::up(1)]).with_part("ailments", Ok(ailments))
    }

    pub(in super::super) fn many(counted: u64) -> Reading<HowMany> {
        scene::seen(HowMany {
            counted,
            exactly: true,
        })
    }

    /// What every rule on a count does.
    #[track_caller]
    pub(in super::super) fn check_count(
        rule: &impl Invariant,
        of: fn(&mut Ailments) -> &mut Reading<HowMany>,
    ) {
        let with = |count: u64| counted(|ailments| *of(ailments) = many(count));
        check_cluster(rule, &with(0), Told::Holds);
        check_cluster(rule, &with(1), WARNING);
        check_cluster(rule, &counted(|_| {}), Told::Unseen);
        check_cluster(rule, &scene::of_stores([scene::up(1)]), Told::Unseen);
        check_cluster(rule, &scene::unsettled(with(0)), Told::Unseen);
        check_cluster(rule, &scene::unsettled(with(1)), WARNING);
        let capped = counted(|ailments| {
            *of(ailments) = scene::seen(HowMany {
                counted: 1000,
                exactly: false,
            });
        });
        let evidence = told::evidence(rule, &capped, &Entity::Cluster);
        assert!(evidence.starts_with("at least, regions with"), "{evidence}");
    }

    /// One count that is looked at twice is not seen twice.
    #[test]
    fn time_counts_from_count_to_count() {
        let rule = Count {
            name: "regions",
            of: |ailments| &ailments.down_peer,
        };
        let sampled = scene::ago(10);
        let snapshot = counted(|ailments| {
            let one = HowMany {
                counted: 1,
                exactly: true,
            };
            ailments.down_peer = Reading::Seen(Measured::new(one, sampled, "a query"));
        });
        let mut verdicts = Verdicts::default();
        let worse = |_| Some((Severity::Warning, 0.0));
        rule.judge(&snapshot, &mut verdicts, worse).expect("seen");
        let printed = format!("{verdicts:?}");
        assert!(printed.contains("as_of: Some("), "{printed}");
    }
}
