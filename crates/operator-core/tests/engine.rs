//! What the engine promises, one claim at a time.

mod support;

use std::time::Duration;

use operator_core::{
    Broken, Change, Ending, Engine, Entity, Evidence, Gap, Invariant, Maintenance, RestoreError,
    Rule, Severity, Snapshot, State, Verdicts, Why,
};
use support::{Look, See, Told, at, engine, judge, rule, store};

/// One letter per look, every 20 s: B broken (warning), C broken (critical), H holds, ? unseen,
/// - not named, X gone, E the rule errs. Expected: the look at which each change happens, and which.
fn check(rule: Rule, looks: &str, expected: &[(usize, &str)]) {
    let mut engine = engine(rule);
    let mut changes = Vec::new();
    for (position, letter) in looks.chars().enumerate() {
        let look = match letter {
            'B' => Look::Named(vec![(store(1), See::Broken(Severity::Warning))]),
            'C' => Look::Named(vec![(store(1), See::Broken(Severity::Critical))]),
            'H' => Look::Named(vec![(store(1), See::Holds)]),
            '?' => Look::Named(vec![(store(1), See::Unseen)]),
            '-' => Look::Named(Vec::new()),
            'X' => Look::Named(vec![(store(1), See::Gone)]),
            'E' => Look::Blind,
            _ => panic!("no such look: {letter}"),
        };
        for line in judge(&mut engine, 20 * position as u64, look) {
            changes.push((position, line));
        }
    }
    let expected: Vec<_> = expected
        .iter()
        .map(|(at, line)| (*at, (*line).to_owned()))
        .collect();
    assert_eq!(changes, expected, "{looks}");
}

const RAISED: &str = "raised store/1 warning";
const RESOLVED: &str = "resolved store/1 warning";
const BLINDED: &str = "blinded cluster info";
const SIGHTED: &str = "sighted cluster info";

#[test]
fn grace_counts_seen_broken_time_alone() {
    check(rule(60, 0), "BB-BB-BB", &[(7, RAISED)]);
    check(rule(60, 0), "BB??BBHB", &[]);
    check(rule(60, 0), "BBBB", &[(3, RAISED)]);
    check(rule(60, 0), "BBHBBB", &[]);
    check(rule(61, 0), "BBBBB", &[(4, RAISED)]);
    check(rule(0, 0), "B", &[(0, RAISED)]);
}

/// The worked example of the design: blind looks at 40 and 60, raised at 120, settling from 140.
#[test]
fn the_worked_example_holds() {
    check(rule(60, 60), "BB??BBBHHHH", &[(6, RAISED), (10, RESOLVED)]);
}

#[test]
fn settle_counts_seen_healthy_time_alone() {
    check(rule(0, 20), "BHH", &[(0, RAISED), (2, RESOLVED)]);
    check(rule(0, 40), "BH-H-HHH", &[(0, RAISED), (7, RESOLVED)]);
    check(rule(0, 0), "BH", &[(0, RAISED), (1, RESOLVED)]);
}

#[test]
fn one_tick_of_settling_is_the_second_look_that_sees_health() {
    let rule = rule(0, 0).settle(Rule::ONE_TICK);
    check(rule, "BHH", &[(0, RAISED), (2, RESOLVED)]);
}

#[test]
fn blindness_neither_raises_nor_resolves() {
    let hour = "-".repeat(180);
    check(rule(60, 60), &format!("BB{hour}"), &[]);
    check(rule(0, 60), &format!("B{hour}"), &[(0, RAISED)]);
    check(rule(0, 60), &format!("BHH{hour}"), &[(0, RAISED)]);
}

#[test]
fn broken_again_while_settling_is_a_flap_and_no_change() {
    let mut engine = engine(rule(0, 60));
    for (seconds, see) in [
        (0, 'B'),
        (20, 'H'),
        (40, 'B'),
        (60, 'H'),
        (80, 'H'),
        (100, 'B'),
    ] {
        let see = match see {
            'B' => See::Broken(Severity::Warning),
            _ => See::Holds,
        };
        let changes = judge(&mut engine, seconds, Look::Named(vec![(store(1), see)]));
        assert_eq!(changes.is_empty(), seconds > 0);
    }
    let open: Vec<_> = engine.open().collect();
    assert_eq!((open[0].flaps, open[0].settling), (2, false));
}

#[test]
fn severity_moves_at_once_and_both_ways() {
    check(
        rule(0, 0),
        "BCCB",
        &[
            (0, RAISED),
            (1, "moved store/1 critical"),
            (3, "moved store/1 warning"),
        ],
    );
}

#[test]
fn severity_that_moves_while_pending_is_raised_as_it_is() {
    check(rule(20, 0), "BC", &[(1, "raised store/1 critical")]);
}

#[test]
fn what_is_gone_is_resolved_at_once_and_what_was_pending_is_dropped() {
    check(rule(0, 600), "BX", &[(0, RAISED), (1, RESOLVED)]);
    check(rule(0, 600), "BHX", &[(0, RAISED), (2, RESOLVED)]);
    check(rule(60, 0), "BBXBB", &[]);
}

#[test]
fn what_is_gone_says_so() {
    let mut engine = engine(rule(0, 600));
    let look =
        |see| Snapshot::unseen(at(0)).with_part("look", Ok(Look::Named(vec![(store(1), see)])));
    engine.judge(&look(See::Broken(Severity::Warning)));
    let changes = engine.judge(&look(See::Gone));
    assert!(matches!(
        changes[..],
        [Change::Resolved {
            ending: Ending::Gone,
            ..
        }]
    ));
}

#[test]
fn a_rule_is_blinded_after_two_looks_and_its_grace_and_says_it_once() {
    check(rule(0, 0), "HEEEEHH", &[(2, BLINDED), (5, SIGHTED)]);
    check(rule(60, 0), "HEEEEEH", &[(4, BLINDED), (6, SIGHTED)]);
    check(rule(0, 0), "HEHEHE", &[]);
    check(rule(0, 0), "EE", &[(1, BLINDED)]);
}

#[test]
fn a_rule_is_blind_when_all_it_names_is_unseen() {
    check(rule(0, 0), "H???H", &[(2, BLINDED), (4, SIGHTED)]);
    let mut engine = engine(rule(0, 0));
    for seconds in [0, 20, 40] {
        let look = Look::Named(vec![(store(1), See::Unseen), (store(2), See::Holds)]);
        assert!(judge(&mut engine, seconds, look).is_empty());
    }
    let blind: Vec<_> = engine.blind().map(|blind| blind.entity.cloned()).collect();
    assert_eq!(blind, [Some(store(1))]);
}

#[test]
fn a_rule_that_names_nothing_is_not_blind() {
    check(rule(0, 0), "---", &[]);
}

#[test]
fn what_is_proved_to_be_broken_since_long_is_raised_at_first_sight() {
    let mut engine = engine(rule(60, 0));
    let look = |seconds| Look::Named(vec![(store(1), See::BrokenFor(seconds))]);
    assert_eq!(judge(&mut engine, 1000, look(59)), [""; 0]);
    assert_eq!(judge(&mut engine, 1000, look(60)), [RAISED]);
    assert_eq!(engine.open().next().map(|open| open.since), Some(at(940)));
}

#[test]
fn what_pends_tells_the_grace_that_is_left() {
    let mut engine = engine(rule(60, 0));
    for seconds in [0, 20] {
        judge(
            &mut engine,
            seconds,
            Look::Named(vec![(store(1), See::Broken(Severity::Warning))]),
        );
    }
    let pending: Vec<_> = engine.pending().collect();
    assert_eq!(pending.len(), 1);
    assert_eq!(pending[0].grace_left, Duration::from_secs(40));
    assert_eq!(pending[0].evidence.to_string(), "seen broken");
}

#[test]
fn a_finding_may_have_a_grace_of_its_own() {
    #[derive(Debug)]
    struct Hasty(Rule);
    impl Invariant for Hasty {
        fn rule(&self) -> &Rule {
            &self.0
        }
        fn check(&self, _: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
            let broken = Broken::new(Severity::Warning, Evidence::default());
            verdicts.broken(store(1), broken.grace(Duration::from_secs(10)));
            Ok(())
        }
    }
    let mut engine = Engine::new(vec![Box::new(Hasty(rule(3600, 0)))]).expect("one rule");
    assert!(engine.judge(&Snapshot::unseen(at(0))).is_empty());
    assert_eq!(engine.judge(&Snapshot::unseen(at(10))).len(), 1);
}

#[test]
fn of_two_verdicts_about_one_entity_the_worse_counts() {
    let (broken, worse) = (
        See::Broken(Severity::Warning),
        See::Broken(Severity::Critical),
    );
    for (one, other, expected) in [
        (See::Holds, broken, Some(RAISED)),
        (See::Unseen, broken, Some(RAISED)),
        (worse, broken, Some("raised store/1 critical")),
        (See::Holds, See::Unseen, None),
    ] {
        for named in [[one, other], [other, one]] {
            let look = Look::Named(named.map(|see| (store(1), see)).to_vec());
            let changes = judge(&mut engine(rule(0, 0)), 0, look);
            assert_eq!(changes.first().map(String::as_str), expected, "{named:?}");
        }
    }
}

#[test]
fn others_are_what_the_rule_says_of_them() {
    let broken = See::Broken(Severity::Warning);
    for (others, resolved_at) in [(See::Holds, 40), (See::Gone, 20)] {
        let mut engine = engine(rule(0, 20));
        judge(
            &mut engine,
            0,
            Look::Named(vec![(store(1), broken), (store(2), broken)]),
        );
        for seconds in [20, 40, 60] {
            let look = Look::NamedAndOthers(vec![(store(2), broken)], others);
            let expected = if seconds == resolved_at {
                vec![RESOLVED]
            } else {
                vec![]
            };
            assert_eq!(
                judge(&mut engine, seconds, look),
                expected,
                "{others:?} at {seconds}"
            );
        }
        let open: Vec<_> = engine.open().map(|open| open.entity.clone()).collect();
        assert_eq!(open, [store(2)]);
    }
}

/// A rule on a part that is read every 30 s, looked at every 10 s: one reading is not seen three times.
#[test]
fn a_reading_that_is_looked_at_twice_counts_once() {
    #[derive(Debug)]
    struct Slow(Rule);
    impl Invariant for Slow {
        fn rule(&self) -> &Rule {
            &self.0
        }
        fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
            let at = snapshot.at().unix_millis() / 1000;
            let read_at = at - at % 30;
            verdicts.as_of(support::at(read_at.unsigned_abs()));
            match read_at {
                60 => verdicts.holds(store(1)),
                _ => verdicts.broken(
                    store(1),
                    Broken::new(Severity::Warning, Evidence::default()),
                ),
            }
            Ok(())
        }
    }
    let mut engine = Engine::new(vec![Box::new(Slow(rule(30, 1)))]).expect("one rule");
    let mut changes = Vec::new();
    for seconds in (0..=120).step_by(10) {
        let snapshot = Snapshot::unseen(at(seconds));
        changes.extend(
            engine
                .judge(&snapshot)
                .iter()
                .map(|change| (seconds, support::line(change))),
        );
    }
    // Raised by the second reading; the one healthy reading at 60 resolves nothing.
    assert_eq!(changes, [(30, RAISED.to_owned())]);
}

fn maintenance(entity: Entity, until: u64) -> Maintenance {
    Maintenance {
        entity,
        until: at(until),
        why: "upgrade".into(),
    }
}

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
fn maintenance_that_is_called_off_ends_at_the_next_look() {
    let mut engine = engine(rule(0, 0));
    let look = Look::Named(vec![(store(1), See::Broken(Severity::Critical))]);
    engine.expect(maintenance(store(1), 1000));
    judge(&mut engine, 0, look.clone());
    assert!(engine.unexpect(&store(1)) && !engine.unexpect(&store(1)));
    assert_eq!(judge(&mut engine, 20, look), ["moved store/1 critical"]);
}

#[test]
fn forget_drops_what_it_names_and_tells_what_was_open() {
    let mut engine = engine(rule(0, 0));
    let broken = See::Broken(Severity::Warning);
    let look = Look::Named(vec![(store(1), broken), (store(2), broken)]);
    judge(&mut engine, 0, look.clone());
    assert!(engine.forget(Some("other"), None).is_empty());
    let forgotten = engine.forget(Some("told"), Some(&store(1)));
    assert_eq!(
        forgotten
            .iter()
            .map(|open| &open.entity)
            .collect::<Vec<_>>(),
        [&store(1)]
    );
    assert_eq!(judge(&mut engine, 20, look), [RAISED]);
    assert_eq!(engine.forget(None, None).len(), 2);
}

/// Golden: what a log of changes reads like.
#[test]
fn changes_read_as_lines() {
    let mut engine = engine(rule(0, 0));
    let named = |see| Look::Named(vec![(store(1), see)]);
    let mut lines = Vec::new();
    for (seconds, look) in [
        (0, named(See::Broken(Severity::Warning))),
        (10, named(See::Broken(Severity::Critical))),
        (20, named(See::Holds)),
        (30, named(See::Broken(Severity::Warning))),
        (40, named(See::Gone)),
        (50, Look::Blind),
        (60, Look::Blind),
        (70, named(See::Holds)),
    ] {
        let snapshot = Snapshot::unseen(at(seconds)).with_part("look", Ok(look));
        lines.extend(engine.judge(&snapshot).iter().map(ToString::to_string));
    }
    let expected = [
        "raised warning told store/1: it is as told",
        "moved from warning to critical told store/1: it is as told",
        "resolved critical told store/1: it is as told",
        "raised warning told store/1: it is as told",
        "resolved warning told store/1: it is as told (store/1 is gone)",
        "blinded told: the look not seen: the answer does not say",
        "sighted told, blind since 1970-01-01T00:00:50Z",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn two_rules_with_one_code_are_refused() {
    let twice: Vec<Box<dyn Invariant>> =
        vec![Box::new(Told(rule(0, 0))), Box::new(Told(rule(1, 1)))];
    let error = Engine::new(twice).expect_err("the code is taken");
    assert_eq!(error.to_string(), "two rules have the code `told`");
}

#[test]
fn a_rule_that_panics_is_blind_and_takes_no_other_with_it() {
    #[derive(Debug)]
    struct Panics(Rule);
    impl Invariant for Panics {
        fn rule(&self) -> &Rule {
            &self.0
        }
        fn check(&self, _: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
            verdicts.holds(store(1));
            panic!("no such index")
        }
    }
    let rules: Vec<Box<dyn Invariant>> = vec![
        Box::new(Panics(Rule::new("panics", "it panics"))),
        Box::new(Told(rule(0, 0))),
    ];
    let mut engine = Engine::new(rules).expect("two codes");
    let look = Look::Named(vec![(store(1), See::Broken(Severity::Warning))]);
    assert_eq!(judge(&mut engine, 0, look), [RAISED]);
    let gaps: Vec<_> = engine.blind().map(|blind| blind.gap.to_string()).collect();
    assert_eq!(gaps, ["the verdict not seen: it panicked: no such index"]);
}

#[test]
fn what_is_not_configured_is_listed_and_is_no_blindness() {
    #[derive(Debug)]
    struct NeedsMore(Rule);
    impl Invariant for NeedsMore {
        fn rule(&self) -> &Rule {
            &self.0
        }
        fn check(&self, _: &Snapshot, _: &mut Verdicts) -> Result<(), Gap> {
            Err(Gap::new("store metrics", Why::NotConfigured))
        }
    }
    let mut engine = Engine::new(vec![Box::new(NeedsMore(rule(0, 0)))]).expect("one rule");
    for seconds in [0, 20, 40] {
        assert!(engine.judge(&Snapshot::unseen(at(seconds))).is_empty());
    }
    assert_eq!(engine.blind().count(), 1);
}

#[test]
fn what_nobody_configured_neither_explains_nor_ends_blindness() {
    #[derive(Debug)]
    struct Sees(Rule);
    impl Invariant for Sees {
        fn rule(&self) -> &Rule {
            &self.0
        }
        fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
            let not_configured = Gap::new("metrics", Why::NotConfigured);
            if snapshot.at() >= at(60) {
                return Err(not_configured);
            }
            verdicts.unseen(store(1), not_configured);
            verdicts.unseen(store(2), Gap::new("metrics", Why::Unsaid));
            Ok(())
        }
    }
    let mut engine = Engine::new(vec![Box::new(Sees(rule(0, 0)))]).expect("one rule");
    let mut changes = Vec::new();
    for seconds in [0, 20, 40, 60, 80] {
        changes.extend(
            engine
                .judge(&Snapshot::unseen(at(seconds)))
                .iter()
                .map(support::line),
        );
    }
    assert_eq!(changes, [BLINDED]);
}

#[test]
fn a_tombstone_hides_no_blindness() {
    let mut engine = engine(rule(0, 0));
    let look = || Look::Named(vec![(store(1), See::Gone), (store(2), See::Unseen)]);
    assert_eq!(judge(&mut engine, 0, look()), [""; 0]);
    assert_eq!(judge(&mut engine, 20, look()), [BLINDED]);
    // Where everything that is named is gone, there is nothing to be blind to.
    assert_eq!(
        judge(&mut engine, 40, Look::Named(vec![(store(1), See::Gone)])),
        [SIGHTED]
    );
}

#[test]
fn what_is_both_unseen_and_healthy_is_unseen() {
    let mut engine = engine(rule(0, 0));
    judge(
        &mut engine,
        0,
        Look::Named(vec![(store(1), See::Broken(Severity::Warning))]),
    );
    for named in [
        [See::Holds, See::Unseen],
        [See::Unseen, See::Holds],
        [See::Gone, See::Unseen],
    ] {
        let look = Look::Named(named.map(|see| (store(1), see)).to_vec());
        assert_eq!(judge(&mut engine, 20, look), [""; 0]);
    }
}

#[test]
fn of_two_proofs_the_longer_counts_in_either_order() {
    for named in [
        [See::BrokenFor(90), See::BrokenFor(5)],
        [See::BrokenFor(5), See::BrokenFor(90)],
    ] {
        let look = Look::Named(named.map(|see| (store(1), see)).to_vec());
        assert_eq!(judge(&mut engine(rule(60, 0)), 1000, look), [RAISED]);
    }
}

#[test]
fn a_violation_tells_since_when_it_stands_when_it_was_raised_and_when_last_seen() {
    let mut engine = engine(rule(40, 0));
    for (seconds, see) in [
        (1000, See::BrokenFor(30)),
        (1020, See::BrokenFor(10)),
        (1040, See::Broken(Severity::Warning)),
    ] {
        judge(&mut engine, seconds, Look::Named(vec![(store(1), see)]));
    }
    let open = engine.open().next().expect("it is open");
    assert_eq!(
        (open.since, open.raised_at, open.last_seen),
        (at(970), at(1020), at(1040))
    );
    assert_eq!(engine.judged_at(), Some(at(1040)));
}

#[test]
fn time_is_not_counted_twice_when_snapshots_come_out_of_order() {
    let mut engine = engine(rule(140, 0));
    for seconds in [0, 100, 50, 100, 130] {
        let look = Look::Named(vec![(store(1), See::Broken(Severity::Warning))]);
        assert_eq!(judge(&mut engine, seconds, look), [""; 0]);
    }
    let left = engine.pending().next().map(|case| case.grace_left);
    assert_eq!(left, Some(Duration::from_secs(10)));
}

#[test]
fn a_snapshot_from_the_past_adds_no_time() {
    let mut engine = engine(rule(60, 0));
    let look = || Look::Named(vec![(store(1), See::Broken(Severity::Warning))]);
    for seconds in [100, 50, 0] {
        assert!(judge(&mut engine, seconds, look()).is_empty());
    }
    assert_eq!(
        engine.pending().next().map(|case| case.grace_left),
        Some(Duration::from_secs(60))
    );
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
