//! What accounting promises: held, broken and blind time, each for itself, over a window that moves on.

mod support;

use std::time::Duration;

use operator_core::{Engine, Severity, Slo, Spent};
use support::{Look, See, engine, judge, rule, store};

const HOUR: u64 = 3600;

fn accounting(window: u64) -> Engine {
    engine(rule(0, 0).slo(Slo {
        name: "told",
        target_ratio: 0.9,
        window: Duration::from_secs(window),
    }))
}

fn spent(engine: &Engine) -> [u64; 3] {
    let Spent {
        held,
        broken,
        blind,
    } = engine.objectives().next().expect("an account").spent;
    [held, broken, blind].map(|time| time.as_secs())
}

/// One letter per look, every 10 s: H holds, B broken, ? unseen, - not named.
fn run(engine: &mut Engine, begin: u64, looks: &str) {
    for (position, letter) in looks.chars().enumerate() {
        let see = match letter {
            'H' => Some(See::Holds),
            'B' => Some(See::Broken(Severity::Warning)),
            '?' => Some(See::Unseen),
            _ => None,
        };
        let named = see.map(|see| (store(1), see)).into_iter().collect();
        judge(engine, begin + 10 * position as u64, Look::Named(named));
    }
}

#[test]
fn only_what_two_looks_saw_alike_is_held_or_broken() {
    for (looks, expected) in [
        ("HHHH", [30, 0, 0]),
        ("BBB", [0, 20, 0]),
        ("HHBB", [10, 10, 10]),
        ("HH??HH", [20, 0, 30]),
        ("HH--HH", [20, 0, 30]),
        ("H?H", [0, 0, 20]),
    ] {
        let mut engine = accounting(HOUR);
        run(&mut engine, 0, looks);
        assert_eq!(spent(&engine), expected, "{looks}");
    }
}

#[test]
fn blind_time_stands_beside_the_share_and_never_inside() {
    let mut engine = accounting(HOUR);
    run(&mut engine, 0, "HHHHHHHHHH?????????BB");
    let standing = engine.objectives().next().expect("an account");
    assert_eq!(standing.spent.held_ratio(), Some(0.9));
    assert_eq!((standing.is_met(), standing.slo.name), (Some(true), "told"));
}

#[test]
fn what_was_never_seen_is_neither_met_nor_missed() {
    let mut engine = accounting(HOUR);
    run(&mut engine, 0, "H?");
    let standing = engine.objectives().next().expect("an account");
    assert_eq!(
        (standing.spent.held_ratio(), standing.is_met()),
        (None, None)
    );
    let mut engine = accounting(HOUR);
    run(&mut engine, 0, "????");
    assert_eq!(engine.objectives().count(), 0);
}

#[test]
fn time_falls_out_of_the_window() {
    let mut engine = accounting(240);
    run(&mut engine, 0, &"B".repeat(25));
    run(&mut engine, 250, &"H".repeat(25));
    let [held, broken, blind] = spent(&engine);
    assert!(
        broken <= 10 && blind <= 10,
        "{broken} s broken, {blind} s blind"
    );
    assert!((230..=250).contains(&held), "{held} s held");
}

/// A gap of a year costs no more than one window's worth of room and time.
#[test]
fn a_long_silence_is_bounded() {
    let mut engine = accounting(240);
    run(&mut engine, 0, "HH");
    run(&mut engine, 365 * 24 * HOUR, "HH");
    let [held, broken, blind] = spent(&engine);
    assert!(
        held <= 260 && broken == 0 && blind == 0,
        "{held} {broken} {blind}"
    );
}

#[test]
fn who_is_gone_or_was_not_seen_for_a_window_has_no_account() {
    let mut engine = accounting(240);
    run(&mut engine, 0, "HH");
    judge(
        &mut engine,
        20,
        Look::NamedAndOthers(vec![(store(2), See::Holds)], See::Gone),
    );
    let left: Vec<_> = engine
        .objectives()
        .map(|standing| standing.entity.clone())
        .collect();
    assert_eq!(left, [store(2)]);
    run(&mut engine, 30, &"-".repeat(60));
    assert_eq!(engine.objectives().count(), 0);
}

#[test]
fn accounts_outlive_a_restart_and_the_time_between_is_blind() {
    let mut before = accounting(HOUR);
    run(&mut before, 0, "HHHB");
    let mut after = accounting(HOUR);
    after.restore(before.export()).expect("one version");
    run(&mut after, 100, "HH");
    assert_eq!(spent(&after), [30, 0, 80]);
    // Healthy before and healthy after proves nothing of the time between.
    let mut before = accounting(HOUR);
    run(&mut before, 0, "HH");
    let mut after = accounting(HOUR);
    after.restore(before.export()).expect("one version");
    run(&mut after, 100, "HH");
    assert_eq!(spent(&after), [20, 0, 90]);
}

#[test]
fn accounts_of_rules_that_are_left_out_for_a_while_are_kept() {
    let mut full = accounting(HOUR);
    run(&mut full, 0, "HHH");
    let mut without = Engine::new(Vec::new()).expect("no rules");
    without.restore(full.export()).expect("one version");
    full.restore(without.export()).expect("one version");
    assert_eq!(spent(&full), [20, 0, 0]);
}

/// A state file is a file: whatever is in it, nobody panics.
#[test]
fn an_account_of_all_the_time_there_is_does_not_panic() {
    let mut engine = accounting(HOUR);
    run(&mut engine, 0, "HHBB");
    let written = serde_json::to_string(&engine.export()).expect("a state is written");
    let spoiled = written.replace("\"secs\":10", "\"secs\":18446744073709551615");
    assert_ne!(spoiled, written);
    engine
        .restore(serde_json::from_str(&spoiled).expect("it reads"))
        .expect("one version");
    run(&mut engine, 100, "HHBBHH");
    let standing = engine.objectives().next().expect("an account");
    assert!(standing.spent.held_ratio().is_some());
}
