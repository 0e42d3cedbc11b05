//! Where nothing is wrong, nothing is said that would wake anybody: not while load swings, not while stores are
//! restarted on purpose, come and go, nor while PD or Prometheus changes hands.

use std::time::Duration;

use operator_core::{Change, Entity, Kind, Maintenance, Severity};
use operator_sim::{Scenario, scenarios};

use crate::watch;
use crate::watched::TICK;

const HOUR: Duration = Duration::from_secs(3600);

/// The scenarios in which nothing is wrong: the second half of the list.
fn controls() -> Vec<&'static Scenario> {
    let first = scenarios()
        .iter()
        .position(|scenario| scenario.name == "healthy");
    scenarios()
        .iter()
        .skip(first.expect("the first control"))
        .collect()
}

/// What is told about the cluster, above info, in a time in which nothing is wrong with it.
async fn told_in(scenario: &str, seed: u64, span: Duration) -> Vec<String> {
    let mut watched = watch::scenario(scenario, seed).await;
    if scenario == "rolling-restart" {
        watched.look().await;
        let until = watched.lab.clock.now() + span + HOUR;
        let why = "stores are restarted one by one".to_owned();
        let entity = Entity::Cluster;
        watched
            .monitor
            .engine_mut()
            .expect(Maintenance { entity, until, why });
    }
    let mut told = Vec::new();
    let mut after = Duration::ZERO;
    while after < span {
        after += TICK;
        for change in watched.look().await {
            let violation = change.violation().filter(|_| {
                matches!(change, Change::Raised(_) | Change::Moved { .. })
                    && change.kind() == Kind::Cluster
                    && change.severity() > Severity::Info
                    && is_wrong(scenario, change.rule().code)
            });
            told.extend(violation.map(|violation| {
                let at = after.as_secs();
                format!(
                    "{scenario}, seed {seed}, {at} s: {violation} ({})",
                    violation.evidence
                )
            }));
        }
    }
    told
}

/// Where every store is slow alike, clients do wait, and that may be told: but no single store is to blame.
fn is_wrong(scenario: &str, code: &str) -> bool {
    scenario != "all-slow" || code == "slow_store"
}

async fn nothing_is_told(runs: Vec<(&'static str, u64, Duration)>) {
    let runs: Vec<_> = runs
        .into_iter()
        .map(|(scenario, seed, span)| tokio::spawn(told_in(scenario, seed, span)))
        .collect();
    let mut told = Vec::new();
    for run in runs {
        told.extend(run.await.expect("a run comes to its end"));
    }
    assert!(told.is_empty(), "\n{}", told.join("\n"));
}

/// `OPERATOR_SEEDS=N` has every control run for an hour with each of N seeds; without it, 20 seeds draw theirs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_hour_in_which_nothing_is_wrong_is_quiet() {
    let controls = controls();
    let more = std::env::var("OPERATOR_SEEDS").ok();
    let runs = match more.map(|seeds| seeds.parse::<u64>().expect("a number of seeds")) {
        Some(seeds) => controls
            .iter()
            .flat_map(|control| (1..=seeds).map(|seed| (control.name, seed, HOUR)))
            .collect(),
        None => (1..=20u64)
            .zip(controls.iter().cycle())
            .map(|(seed, control)| (control.name, seed, HOUR))
            .collect(),
    };
    nothing_is_told(runs).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_in_which_load_swings_tenfold_is_quiet() {
    nothing_is_told(vec![("busy-day", 1, 24 * HOUR)]).await;
}
