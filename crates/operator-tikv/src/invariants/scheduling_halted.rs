//! `scheduling_halted`: PD repairs and balances nothing, or not everything.

use std::time::Duration;

use operator_core::{
    Broken, Entity, Evidence, Gap, Invariant, Kind, Measured, Quantity, Rule, Severity, Snapshot,
    Verdicts, Why,
};

use super::Settings;
use super::common::settled;
use super::page::Page;
use super::registry::Documented;
use crate::facts::{ScheduleConfig, Schedulers};

/// PD was told to leave the cluster as it is, and nobody told it to go on.
#[derive(Debug)]
pub(super) struct SchedulingHalted {
    rule: Rule,
}

impl Documented for SchedulingHalted {
    const PAGE: &'static Page = &Page {
        code: "scheduling_halted",
        kind: Kind::Cluster,
        summary: "PD repairs or balances nothing",
        broken_when: "warning: all scheduling is halted; or the limit for leaders, regions or replicas is 0; or the leader, \
                      region or hot-region balance scheduler is paused or missing",
        entity: "the cluster",
        input: "PD /config/schedule and /schedulers",
        meaning: "With replica-schedule-limit 0, or all halted, a store that dies is not repaired: the next one to die \
                  takes regions with it. Without the balance schedulers data and leaders stay where they are, and \
                  stores fill up unevenly",
        evidence: "each thing that stands still; until when, where a pause ends by itself",
        origin: "nobody sets these for long: tools that restore or import do for a while, and leave them behind when they die",
        false_alarms: "BR and Lightning pause schedulers and set limits to 0 for as long as they run: declare the \
                       maintenance. A cluster that is balanced by somebody else lacks schedulers on purpose",
        what_to_do: &[
            "Is a restore or an import running? Then wait for its end, and declare the maintenance.",
            "Set the limits back (defaults: leader 4, region 2048, replica 64), halt-scheduling to false.",
            "Resume what is paused (pd-ctl scheduler resume NAME), add what is missing (pd-ctl scheduler add NAME).",
            "Then watch: what was not moved for long is moved at once, and that costs.",
        ],
        grace: Duration::from_secs(600),
        settle: Rule::ONE_TICK,
        knobs: &[],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        Self {
            rule: Self::PAGE.rule(settings),
        }
    }
}

impl Invariant for SchedulingHalted {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        let config = snapshot.part::<ScheduleConfig>();
        let schedulers = snapshot.part::<Schedulers>();
        let by_schedulers = schedulers.as_ref().map(|them| standing(them));
        let by_config = config.as_ref().map(|config| halted(config));
        // The configuration is read seldom. Where schedulers alone speak it is about now.
        let schedulers_speak = matches!(&by_schedulers, Ok(found) if !found.is_empty());
        if let (Ok(config), false) = (&config, schedulers_speak) {
            verdicts.as_of(config.sampled_at);
        }
        verdicts.judge(Entity::Cluster, || {
            let found = [&by_schedulers, &by_config].into_iter().flatten();
            let evidence: Vec<Quantity> = found.flatten().cloned().collect();
            if !evidence.is_empty() {
                return Ok(Some(Broken::new(Severity::Warning, Evidence::of(evidence))));
            }
            by_schedulers.map_err(Gap::clone)?;
            by_config.map_err(Gap::clone)?;
            says_its_limits(&config.as_ref().map_err(Gap::clone)?.value)?;
            settled(snapshot)?;
            Ok(None)
        });
        Ok(())
    }
}

fn limits(config: &ScheduleConfig) -> [(&'static str, Option<u64>); 3] {
    [
        ("leader-schedule-limit", config.leader_schedule_limit),
        ("region-schedule-limit", config.region_schedule_limit),
        ("replica-schedule-limit", config.replica_schedule_limit),
    ]
}

/// What the configuration keeps from happening.
fn halted(config: &Measured<ScheduleConfig>) -> Vec<Quantity> {
    let halted = config.value.halted == Some(true);
    let halted = halted
        .then(|| Quantity::measured("halt-scheduling", &config.map(|_| "true".to_owned()), ""));
    let zero = limits(&config.value)
        .into_iter()
        .filter(|(_, limit)| *limit == Some(0))
        .map(|(name, _)| Quantity::measured(name, &config.map(|_| 0_u64), ""));
    halted.into_iter().chain(zero).collect()
}

/// Every version has these; one that is not there was not understood.
fn says_its_limits(config: &ScheduleConfig) -> Result<(), Gap> {
    let unsaid = limits(config)
        .into_iter()
        .find(|(_, limit)| limit.is_none());
    unsaid.map_or(Ok(()), |(name, _)| Err(Gap::new(name, Why::Unsaid)))
}

/// The balance schedulers that do not run.
fn standing(schedulers: &Measured<Schedulers>) -> Vec<Quantity> {
    let them = &schedulers.value;
    let quantity = |name: &str, what: String| {
        Quantity::measured(name.to_owned(), &schedulers.map(|_| what), "")
    };
    let missing = them.missing().map(|name| quantity(name, "missing".into()));
    let balances = |name: &str| Schedulers::BALANCING.contains(&name);
    let paused = them.paused.iter().filter(|paused| balances(&paused.name));
    let paused = paused.map(|paused| {
        let until = paused.until.map(|until| format!(" until {until}"));
        quantity(&paused.name, format!("paused{}", until.unwrap_or_default()))
    });
    missing.chain(paused).collect()
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::super::told::{self, Told, WARNING};
    use super::*;
    use crate::facts::PausedScheduler;
    use operator_core::Timestamp;

    fn rule() -> SchedulingHalted {
        SchedulingHalted::new(&Settings::default())
    }

    fn config() -> ScheduleConfig {
        ScheduleConfig {
            leader_schedule_limit: Some(4),
            region_schedule_limit: Some(2048),
            replica_schedule_limit: Some(64),
            ..ScheduleConfig::default()
        }
    }

    fn all() -> Schedulers {
        Schedulers {
            present: Schedulers::BALANCING.map(str::to_owned).to_vec(),
            ..Schedulers::default()
        }
    }

    fn with(config: ScheduleConfig, schedulers: Schedulers) -> Snapshot {
        scene::of_stores([scene::up(1)])
            .with_part("schedule configuration", Ok(config))
            .with_part("schedulers", Ok(schedulers))
    }

    #[track_caller]
    fn check(snapshot: &Snapshot, expected: Told) {
        told::check_cluster(&rule(), snapshot, expected);
    }

    #[track_caller]
    fn says(config: ScheduleConfig, schedulers: Schedulers, expected: &str) {
        let snapshot = with(config, schedulers);
        let evidence = told::evidence(&rule(), &snapshot, &Entity::Cluster);
        assert_eq!(evidence, expected);
    }

    #[test]
    fn what_pd_was_told_to_leave_alone() {
        check(&with(config(), all()), Told::Holds);
        let halted = ScheduleConfig {
            halted: Some(true),
            ..config()
        };
        says(halted, all(), "halt-scheduling true");
        let zero = ScheduleConfig {
            leader_schedule_limit: Some(0),
            replica_schedule_limit: Some(0),
            ..config()
        };
        says(
            zero,
            all(),
            "leader-schedule-limit 0, replica-schedule-limit 0",
        );
        let merge = ScheduleConfig {
            halted: Some(false),
            merge_schedule_limit: Some(0),
            ..config()
        };
        check(&with(merge, all()), Told::Holds);
    }

    #[test]
    fn a_balance_scheduler_must_be_there_and_run() {
        let mut without = all();
        without.present.remove(0);
        says(config(), without, "balance-hot-region-scheduler missing");
        let paused = |name: &str, until| Schedulers {
            paused: vec![PausedScheduler {
                name: name.into(),
                since: None,
                until,
            }],
            ..all()
        };
        let until = Some(Timestamp::from_unix_seconds(1_700_000_600));
        says(
            config(),
            paused("balance-leader-scheduler", until),
            "balance-leader-scheduler paused until 2023-11-14T22:23:20Z",
        );
        check(
            &with(config(), paused("evict-slow-store-scheduler", None)),
            Told::Holds,
        );
    }

    #[test]
    fn one_source_is_enough_to_raise_and_not_to_call_it_well() {
        let only_schedulers = |schedulers| {
            scene::of_stores([scene::up(1)])
                .with_part("schedulers", Ok::<Schedulers, _>(schedulers))
        };
        check(&only_schedulers(all()), Told::Unseen);
        check(&only_schedulers(Schedulers::default()), WARNING);
        let only_config = |config| {
            scene::of_stores([scene::up(1)]).with_part("config", Ok::<ScheduleConfig, _>(config))
        };
        check(&only_config(config()), Told::Unseen);
        let halted = ScheduleConfig {
            halted: Some(true),
            ..config()
        };
        check(&only_config(halted), WARNING);
        check(&with(ScheduleConfig::default(), all()), Told::Unseen);
        check(&scene::unsettled(with(config(), all())), Told::Unseen);
        check(
            &scene::unsettled(with(config(), Schedulers::default())),
            WARNING,
        );
    }
}
