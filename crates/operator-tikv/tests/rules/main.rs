//! The rules on a simulated cluster that lives: each one is raised by its fault, for the right entity and in
//! time, is silent where nothing is wrong, and is blind where it cannot see.

mod controls;
mod incidents;
#[path = "../common/lab.rs"]
mod lab;
mod requests;
mod table;
mod watch;
#[path = "../common/watched.rs"]
mod watched;

use std::collections::BTreeSet;
use std::time::Duration;

use operator_core::{Change, Kind};
use operator_tikv::invariants;
use table::{Row, TABLE};
use watch::blind;
use watched::{TICK, Watched};

/// Long enough for rates, for what PD's leader must have counted, and for its hot spots.
const WARM_UP: Duration = Duration::from_secs(200);

/// Everything that can be said against one row.
async fn faults_of(row: &Row) -> Vec<String> {
    let mut faults = Vec::new();
    let mut complain =
        |what: String| faults.push(format!("{} ({:?}): {what}", row.code, row.faults));
    if let Err(what) = is_raised(row).await {
        complain(what);
    }
    if let Err(what) = is_silent(row).await {
        complain(what);
    }
    if let Err(what) = is_blind(row).await {
        complain(what);
    }
    faults
}

async fn warm(row: &Row) -> Watched {
    let mut watched = watch::shaped((row.shape)()).await;
    watched.lab.advance(WARM_UP);
    for _ in 0..3 {
        watched.look().await;
    }
    watched
}

async fn is_raised(row: &Row) -> Result<(), String> {
    let mut watched = warm(row).await;
    watched.lab.inject(row.faults);
    let mut told = Vec::new();
    let mut after = Duration::ZERO;
    while after < row.window() {
        after += TICK;
        for change in watched.look().await {
            let (word, entity) = (change.word(), change.entity().to_string());
            if change.rule().code != row.code {
                continue;
            }
            let said = format!(
                "{word} {} {entity} after {} s",
                change.severity(),
                after.as_secs()
            );
            let raises = matches!(change, Change::Raised(_) | Change::Moved { .. });
            if raises && !row.is_about(&entity) {
                return Err(format!("expected {}, not: {said}", row.entity));
            }
            let early = after + TICK < Duration::from_secs(row.grace);
            if raises
                && early
                && change
                    .violation()
                    .is_some_and(|v| v.severity == row.severity)
            {
                return Err(format!("within its grace: {said}"));
            }
            if raises && change.severity() == row.severity {
                let evidence = change.violation().map(|violation| &violation.evidence);
                return match evidence.is_some_and(|evidence| !evidence.quantities.is_empty()) {
                    true => Ok(()),
                    false => Err(format!("without evidence: {said}")),
                };
            }
            told.push(said);
        }
    }
    let pending: Vec<String> = watched
        .monitor
        .engine()
        .pending()
        .filter(|pending| pending.rule.code == row.code)
        .map(|pending| {
            format!(
                "{} of {} left",
                pending.entity,
                pending.grace_left.as_secs()
            )
        })
        .collect();
    let blind: Vec<String> = blind(&watched, row.code);
    Err(format!(
        "not raised as {} within {} s; told {told:?}, pending {pending:?}, blind {blind:?}",
        row.severity,
        row.window().as_secs()
    ))
}

async fn is_silent(row: &Row) -> Result<(), String> {
    let mut watched = warm(row).await;
    watched.lab.inject(row.control);
    let mut after = Duration::ZERO;
    while after < row.window() {
        after += TICK;
        for change in watched.look().await {
            // What is worth knowing may be told; what is worse may not.
            let violation = change.violation().filter(|violation| {
                violation.code() == row.code && violation.severity >= row.severity
            });
            if let (Some(violation), Change::Raised(_) | Change::Moved { .. }) =
                (violation, &change)
            {
                return Err(format!("in its control {:?}: {violation}", row.control));
            }
        }
    }
    Ok(())
}

async fn is_blind(row: &Row) -> Result<(), String> {
    if row.blinding.is_empty() {
        return Ok(());
    }
    let mut watched = warm(row).await;
    let before = blind(&watched, row.code);
    if !before.is_empty() {
        return Err(format!("blind though all is there: {before:?}"));
    }
    watched.lab.inject(row.blinding);
    // What is read seldom stands for a while.
    for _ in 0..40 {
        watched.look().await;
        if !blind(&watched, row.code).is_empty() {
            return Ok(());
        }
    }
    Err(format!("sees although {:?}", row.blinding))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_rule_is_raised_by_its_fault_silent_in_its_control_and_blind_without_its_input() {
    let only = std::env::var("OPERATOR_RULE").ok();
    let chosen = |row: &&Row| only.as_deref().is_none_or(|code| row.code == code);
    let rows = TABLE.iter().filter(chosen);
    let judged: Vec<_> = rows
        .map(|row| tokio::spawn(async move { faults_of(row).await }))
        .collect();
    let mut faults = Vec::new();
    for judged in judged {
        let found = judged.await.expect("a row is judged to its end");
        found.iter().for_each(|fault| eprintln!("{fault}"));
        faults.extend(found);
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_rule_has_a_row() {
    let rows: BTreeSet<&str> = TABLE.iter().map(|row| row.code).collect();
    let rules: BTreeSet<&str> = invariants::pages().map(|page| page.code).collect();
    assert_eq!(rules, rows);
}

/// Sight rules are the blind case; every other rule has one.
#[test]
fn every_rule_about_the_cluster_has_a_blind_case() {
    for page in invariants::pages() {
        let rows = TABLE.iter().filter(|row| row.code == page.code);
        for row in rows {
            assert_eq!(
                row.blinding.is_empty(),
                page.kind == Kind::Sight,
                "{}",
                page.code
            );
        }
    }
}
