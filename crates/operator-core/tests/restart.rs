//! What a restart promises: nothing is forgotten, nothing is raised twice, and what was written is read.

mod support;

use operator_core::{
    Broken, Engine, Entity, Evidence, Gap, Invariant, RestoreError, Rule, Severity, Snapshot,
    State, Verdicts,
};
use support::{Look, See, at, engine, judge, maintenance, rule, store};

const RAISED: &str = "raised store/1 warning";
const SIGHTED: &str = "sighted cluster info";

#[test]
fn maintenance_outlives_a_restart() {
    let look = || Look::Named(vec![(store(1), See::Broken(Severity::Critical))]);
    let mut before = engine(rule(0, 0));
    before.expect(maintenance(store(1), 100));
    judge(&mut before, 0, look());
    let mut after = engine(rule(0, 0));
    after.restore(before.export()).expect("one version");
    assert_eq!(judge(&mut after, 20, look()), [""; 0]);
    assert_eq!(judge(&mut after, 100, look()), ["moved store/1 critical"]);
}

#[test]
fn a_restart_neither_forgets_nor_raises_twice() {
    let broken = || Look::Named(vec![(store(1), See::Broken(Severity::Warning))]);
    let mut before = engine(rule(60, 0));
    for seconds in [0, 20, 40] {
        judge(&mut before, seconds, broken());
    }
    let written = serde_json::to_string(&before.export()).expect("a state is written");
    let read: State = serde_json::from_str(&written).expect("and read back");
    assert_eq!(read, before.export());

    let mut after = engine(rule(60, 0));
    after.restore(read).expect("one version");
    assert_eq!(after.export(), before.export());
    // The time in between was not seen: 20 s are still missing.
    assert_eq!(judge(&mut after, 1000, broken()), [""; 0]);
    assert_eq!(judge(&mut after, 1020, broken()), [RAISED]);
    assert_eq!(after.open().next().map(|open| open.since), Some(at(0)));

    let mut again = engine(rule(60, 0));
    again.restore(after.export()).expect("one version");
    assert_eq!(judge(&mut again, 2000, broken()), [""; 0]);
    assert_eq!(again.open().count(), 1);
}

#[test]
fn a_state_of_rules_that_are_left_out_for_a_while_is_kept() {
    let mut full = engine(rule(0, 0));
    judge(
        &mut full,
        0,
        Look::Named(vec![(store(1), See::Broken(Severity::Warning))]),
    );
    let mut without = Engine::new(Vec::new()).expect("no rules");
    without.restore(full.export()).expect("one version");
    assert_eq!(without.open().count(), 0);
    full.restore(without.export()).expect("one version");
    assert_eq!(full.open().count(), 1);
    assert!(without.forget(None, None).is_empty());
    full.restore(without.export()).expect("one version");
    assert_eq!(full.open().count(), 0);
}

#[test]
fn blindness_that_was_announced_is_not_announced_again_by_a_detour() {
    let mut full = engine(rule(0, 0));
    for seconds in [0, 20] {
        judge(&mut full, seconds, Look::Blind);
    }
    let mut without = Engine::new(Vec::new()).expect("no rules");
    without.restore(full.export()).expect("one version");
    let mut again = engine(rule(0, 0));
    again.restore(without.export()).expect("one version");
    assert_eq!(judge(&mut again, 40, Look::Blind), [""; 0]);
    assert_eq!(
        judge(&mut again, 60, Look::Named(vec![(store(1), See::Holds)])),
        [SIGHTED]
    );
}

/// Whatever a rule names and measures, what was written is read back.
#[test]
fn every_state_that_can_be_written_can_be_read() {
    #[derive(Debug)]
    struct Odd(Rule);
    impl Invariant for Odd {
        fn rule(&self) -> &Rule {
            &self.0
        }
        fn check(&self, _: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
            for (kind, id) in [("store", "nas-1"), ("backup", ""), ("a/b", "c"), ("", "")] {
                let mut seen = operator_core::Quantity::new("load", 1u64, "", "odd", at(0));
                seen.value = operator_core::Value::Number(f64::NAN);
                let broken = Broken::new(Severity::Warning, Evidence::of([seen]));
                verdicts.broken(Entity::named(kind, id), broken);
            }
            Ok(())
        }
    }
    let new = || Engine::new(vec![Box::new(Odd(rule(0, 0)))]).expect("one rule");
    let mut engine = new();
    assert_eq!(engine.judge(&Snapshot::unseen(at(0))).len(), 4);
    let written = serde_json::to_string(&engine.export()).expect("a state is written");
    let read: State = serde_json::from_str(&written).expect("and read back");
    let mut again = new();
    again.restore(read).expect("one version");
    let entities = |engine: &Engine| {
        engine
            .open()
            .map(|open| open.entity.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(entities(&again), entities(&engine));
}

#[test]
fn a_state_of_another_version_is_refused_and_changes_nothing() {
    let mut written =
        serde_json::to_value(engine(rule(0, 0)).export()).expect("a state is written");
    written["version"] = 7.into();
    let state = serde_json::from_value(written).expect("it still reads");
    let mut engine = engine(rule(0, 0));
    judge(
        &mut engine,
        0,
        Look::Named(vec![(store(1), See::Broken(Severity::Warning))]),
    );
    let error = engine.restore(state).expect_err("another version");
    assert_eq!(error, RestoreError::Version { found: 7 });
    assert_eq!(
        error.to_string(),
        "the state has version 7, expected version 1"
    );
    assert_eq!(engine.open().count(), 1);
}
