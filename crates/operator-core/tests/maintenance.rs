//! What maintenance promises: what is expected pages nobody, and what is left when it ends is as bad as it
//! is.

mod support;

use operator_core::{Entity, Severity};
use support::{Look, See, engine, judge, maintenance, rule, store};

#[test]
fn what_is_raised_inside_maintenance_is_expected_and_becomes_what_it_is_when_it_ends() {
    let broken = || Look::Named(vec![(store(1), See::Broken(Severity::Critical))]);
    for covered in [store(1), Entity::Cluster] {
        let mut engine = engine(rule(0, 0));
        engine.expect(maintenance(covered, 60));
        assert_eq!(judge(&mut engine, 0, broken()), ["raised store/1 info"]);
        let expected = engine.open().next().and_then(|open| open.expected.clone());
        assert_eq!(
            expected.map(|maintenance| maintenance.why),
            Some("upgrade".into())
        );
        assert_eq!(judge(&mut engine, 40, broken()), [""; 0]);
        // It ends by the clock, seen or not.
        assert_eq!(
            judge(&mut engine, 60, Look::Named(Vec::new())),
            ["moved store/1 critical"]
        );
        assert!(engine.expected().is_empty());
    }
}

#[test]
fn maintenance_expects_nothing_of_others_and_nothing_that_was_open_before() {
    let mut engine = engine(rule(0, 0));
    let look = Look::Named(vec![(store(1), See::Broken(Severity::Critical))]);
    judge(&mut engine, 0, look.clone());
    engine.expect(maintenance(store(1), 1000));
    assert_eq!(judge(&mut engine, 20, look), [""; 0]);
    let look = Look::Named(vec![(store(2), See::Broken(Severity::Critical))]);
    assert_eq!(judge(&mut engine, 40, look), ["raised store/2 critical"]);
    let severities: Vec<_> = engine.open().map(|open| open.severity).collect();
    assert_eq!(severities, [Severity::Critical; 2]);
}

/// A store that came back inside its maintenance must page nobody because the maintenance is over.
#[test]
fn maintenance_that_ends_while_a_store_settles_says_nothing_unless_it_breaks_again() {
    for (last, expected) in [
        (See::Holds, vec!["resolved store/1 info"]),
        (
            See::Broken(Severity::Critical),
            vec!["moved store/1 critical"],
        ),
    ] {
        let mut engine = engine(rule(0, 20));
        engine.expect(maintenance(store(1), 100));
        let mut changes = Vec::new();
        for (seconds, see) in [
            (0, See::Broken(Severity::Critical)),
            (90, See::Holds),
            (100, See::Holds),
            (110, last),
        ] {
            changes.extend(judge(
                &mut engine,
                seconds,
                Look::Named(vec![(store(1), see)]),
            ));
        }
        assert_eq!(changes[0], "raised store/1 info");
        assert_eq!(changes[1..], expected);
    }
}

#[test]
fn of_two_maintenances_the_longer_counts_and_a_new_one_replaces_the_old() {
    let look = || Look::Named(vec![(store(1), See::Broken(Severity::Critical))]);
    let mut engine = engine(rule(0, 0));
    engine.expect(maintenance(store(1), 50));
    engine.expect(maintenance(Entity::Cluster, 100));
    judge(&mut engine, 0, look());
    assert_eq!(judge(&mut engine, 60, look()), [""; 0]);
    engine.expect(maintenance(Entity::Cluster, 70));
    assert_eq!(engine.expected().len(), 1);
    assert_eq!(judge(&mut engine, 80, look()), ["moved store/1 critical"]);
}

#[test]
fn maintenance_that_is_called_off_ends_at_the_next_look() {
    let mut engine = engine(rule(0, 0));
    let look = Look::Named(vec![(store(1), See::Broken(Severity::Critical))]);
    engine.expect(maintenance(store(1), 1000));
    judge(&mut engine, 0, look.clone());
    assert!(engine.unexpect(&store(1)) && !engine.unexpect(&store(1)));
    assert_eq!(judge(&mut engine, 20, look), ["moved store/1 critical"]);
}
