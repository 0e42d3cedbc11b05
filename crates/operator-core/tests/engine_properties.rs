//! What the engine promises of every history: random looks at random times, against the definitions of
//! grace and settle written down a second time.

mod support;

use std::time::Duration;

use operator_core::{Change, Ending, Engine, Entity, Severity, Snapshot, State};
use proptest::prelude::*;
use proptest::sample::subsequence;
use proptest::test_runner::Config;
use support::{Look, See, at, engine, rule, store};

/// A look, and how long after the one before it.
type History = Vec<(u64, Look)>;

fn see() -> impl Strategy<Value = See> {
    prop_oneof![
        6 => Just(See::Broken(Severity::Warning)),
        2 => Just(See::Broken(Severity::Critical)),
        1 => (0u64..100).prop_map(See::BrokenFor),
        6 => Just(See::Holds),
        2 => Just(See::Unseen),
        1 => Just(See::Gone),
    ]
}

/// A look at three stores, some of which it may not name; now and then it sees nothing at all.
fn look() -> impl Strategy<Value = Look> {
    let entities = subsequence((1..=3).map(store).collect::<Vec<_>>(), 1..=3).prop_shuffle();
    let named = entities.prop_flat_map(|entities| {
        let sees = prop::collection::vec(see(), entities.len());
        sees.prop_map(move |sees| Look::Named(entities.iter().cloned().zip(sees).collect()))
    });
    prop_oneof![1 => Just(Look::Blind), 9 => named]
}

fn history() -> impl Strategy<Value = History> {
    prop::collection::vec((0u64..40, look()), 1..24)
}

/// What a change is about, without its evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    at: u64,
    entity: Entity,
    what: &'static str,
    severity: Severity,
}

fn told(at: u64, change: &Change) -> Told {
    Told {
        at,
        entity: change.entity().clone(),
        what: change.word(),
        severity: change.severity(),
    }
}

/// Judges a history from a moment on; tells the changes and the moment it ends at.
fn run(engine: &mut Engine, begin: u64, history: &[(u64, Look)]) -> (Vec<Told>, u64) {
    let (mut now, mut changes) = (begin, Vec::new());
    for (gap, look) in history {
        now += gap;
        let snapshot = Snapshot::unseen(at(now)).with_part("look", Ok(look.clone()));
        changes.extend(
            engine
                .judge(&snapshot)
                .iter()
                .map(|change| told(now, change)),
        );
    }
    (changes, now)
}

fn about_violations(changes: Vec<Told>) -> Vec<Told> {
    let blindness = ["blinded", "sighted"];
    changes
        .into_iter()
        .filter(|told| !blindness.contains(&told.what))
        .collect()
}

/// What a history shows of one entity: when, and what if anything.
fn seen(entity: &Entity, history: &[(u64, Look)]) -> Vec<(u64, Option<See>)> {
    let mut now = 0;
    let of = |look: &Look| match look {
        Look::Blind => None,
        Look::Named(named) | Look::NamedAndOthers(named, _) => named
            .iter()
            .find(|(other, _)| other == entity)
            .map(|(_, see)| *see),
    };
    let known = |see: &See| *see != See::Unseen;
    history
        .iter()
        .map(|(gap, look)| {
            now += gap;
            (now, of(look).filter(known))
        })
        .collect()
}

fn is_broken(see: Option<See>) -> bool {
    matches!(see, Some(See::Broken(_) | See::BrokenFor(_)))
}

fn severity(see: See) -> Severity {
    match see {
        See::Broken(severity) => severity,
        _ => Severity::Warning,
    }
}

/// The time between neighbouring looks in `looks` that both are as `is` says.
fn alike(looks: &[(u64, Option<See>)], is: impl Fn(Option<See>) -> bool) -> u64 {
    let pairs = looks.windows(2);
    pairs
        .filter(|pair| is(pair[0].1) && is(pair[1].1))
        .map(|pair| pair[1].0 - pair[0].0)
        .sum()
}

/// The definitions, the slow way: at each look, everything is worked out from the whole history.
fn by_definition(entity: &Entity, history: &[(u64, Look)], grace: u64, settle: u64) -> Vec<Told> {
    let looks = seen(entity, history);
    let mut told = Vec::new();
    // Where the case began, and where it last began to settle; how bad it is while it is open.
    let (mut began, mut settling, mut open) = (0, None, None);
    for (index, (now, see)) in looks.iter().copied().enumerate() {
        let Some(see) = see else { continue };
        let mut tell = |what, severity| {
            told.push(Told {
                at: now,
                entity: entity.clone(),
                what,
                severity,
            });
        };
        match (see, open) {
            (See::Unseen, _) => {}
            (See::Gone, None) | (See::Holds, None) => began = index + 1,
            (See::Gone, Some(severity)) => {
                tell("resolved", severity);
                (began, settling, open) = (index + 1, None, None);
            }
            (See::Holds, Some(severity)) => {
                let from = *settling.get_or_insert(index);
                if alike(&looks[from..=index], |see| see == Some(See::Holds)) >= settle {
                    tell("resolved", severity);
                    (began, settling, open) = (index + 1, None, None);
                }
            }
            (_, None) => {
                // What a source proves at some look stands for all the time up to it.
                let reached = (began..=index)
                    .filter(|at| is_broken(looks[*at].1))
                    .map(|proof| {
                        let proved = match looks[proof].1 {
                            Some(See::BrokenFor(seconds)) => seconds,
                            _ => 0,
                        };
                        let before = alike(&looks[began..=proof], is_broken);
                        before.max(proved) + alike(&looks[proof..=index], is_broken)
                    });
                if reached.max().unwrap_or(0) >= grace {
                    tell("raised", severity(see));
                    open = Some(severity(see));
                }
            }
            (_, Some(before)) => {
                settling = None;
                if severity(see) != before {
                    tell("moved", severity(see));
                }
                open = Some(severity(see));
            }
        }
    }
    told
}

/// Every look later by `by`: a blind look before and one after the time that is put in.
fn with_blind_time(history: &[(u64, Look)], position: usize, by: u64) -> History {
    let mut with = history.to_vec();
    with.splice(position..position, [(0, Look::Blind), (by, Look::Blind)]);
    with
}

proptest! {
    #![proptest_config(Config { cases: 10_000, failure_persistence: None, ..Config::default() })]

    /// Raised exactly when seen-broken time reaches the grace, resolved exactly when seen-healthy time
    /// reaches the settle time, moved whenever the severity does.
    #[test]
    fn changes_are_those_of_the_definition(history in history(), grace in 0u64..80, settle in 0u64..60) {
        let (changes, _) = run(&mut engine(rule(grace, settle)), 0, &history);
        let mut expected: Vec<Told> =
            (1..=3).flat_map(|id| by_definition(&store(id), &history, grace, settle)).collect();
        expected.sort_by(|a, b| (a.at, &a.entity).cmp(&(b.at, &b.entity)));
        let mut changes = about_violations(changes);
        changes.sort_by(|a, b| (a.at, &a.entity).cmp(&(b.at, &b.entity)));
        prop_assert_eq!(changes, expected);
    }

    /// Between the last look that saw it broken and its resolution lies seen-healthy time.
    #[test]
    fn nothing_resolves_without_seen_healthy_time(history in history(), settle in 1u64..60) {
        let mut engine = engine(rule(0, settle));
        let mut now = 0;
        for (index, (gap, look)) in history.iter().enumerate() {
            now += gap;
            let snapshot = Snapshot::unseen(at(now)).with_part("look", Ok(look.clone()));
            for change in engine.judge(&snapshot) {
                let Change::Resolved { violation, ending: Ending::Healthy } = change else { continue };
                let looks = seen(&violation.entity, &history[..=index]);
                let last_broken = looks.iter().rposition(|(_, see)| is_broken(*see));
                let after = &looks[last_broken.map_or(0, |position| position + 1)..];
                let healthy = alike(after, |see| see == Some(See::Holds));
                prop_assert!(healthy >= settle, "{healthy} s of {settle} s");
            }
        }
    }

    #[test]
    fn blind_time_changes_nothing(
        history in history(), position: prop::sample::Index, by in 1u64..100_000,
        grace in 0u64..80, settle in 0u64..60,
    ) {
        let position = position.index(history.len() + 1);
        let moment: u64 = history[..position].iter().map(|(gap, _)| gap).sum();
        let changes = |by| {
            let with = with_blind_time(&history, position, by);
            about_violations(run(&mut engine(rule(grace, settle)), 0, &with).0)
        };
        let later: Vec<Told> = changes(by)
            .into_iter()
            .map(|told| match told.at > moment {
                true => Told { at: told.at - by, ..told },
                false => told,
            })
            .collect();
        prop_assert_eq!(later, changes(0));
    }

    /// A restore goes on as after a blind look: with one in both, a restart makes no difference.
    #[test]
    fn a_restart_makes_no_difference(
        history in history(), position: prop::sample::Index, grace in 0u64..80, settle in 0u64..60,
    ) {
        let position = position.index(history.len() + 1);
        let (before, after) = history.split_at(position);
        let mut before = before.to_vec();
        before.push((5, Look::Blind));

        let mut whole = engine(rule(grace, settle));
        let (mut at_once, now) = run(&mut whole, 0, &before);
        let (rest, _) = run(&mut whole, now, after);
        at_once.extend(rest);

        let mut first = engine(rule(grace, settle));
        let (mut in_two, now) = run(&mut first, 0, &before);
        let written = serde_json::to_string(&first.export()).unwrap();
        let read: State = serde_json::from_str(&written).unwrap();
        let mut second = engine(rule(grace, settle));
        second.restore(read).unwrap();
        in_two.extend(run(&mut second, now, after).0);

        prop_assert_eq!(in_two, at_once);
        prop_assert_eq!(second.export(), whole.export());
    }

    #[test]
    fn the_order_of_verdicts_does_not_matter(history in history(), grace in 0u64..80, settle in 0u64..60) {
        let reversed: History = history
            .iter()
            .cloned()
            .map(|(gap, look)| match look {
                Look::Named(named) => (gap, Look::Named(named.into_iter().rev().collect())),
                other => (gap, other),
            })
            .collect();
        let (one, _) = run(&mut engine(rule(grace, settle)), 0, &history);
        let (other, _) = run(&mut engine(rule(grace, settle)), 0, &reversed);
        prop_assert_eq!(one, other);
    }

    /// Not naming an entity, saying that it is unseen, and being blind are the same to its case.
    #[test]
    fn an_unmentioned_entity_freezes(history in history(), grace in 0u64..80, settle in 0u64..60) {
        let without: History = history
            .iter()
            .cloned()
            .map(|(gap, look)| match look {
                Look::Named(mut named) => {
                    named.retain(|(_, see)| *see != See::Unseen);
                    (gap, Look::Named(named))
                }
                _ => (gap, Look::Named(Vec::new())),
            })
            .collect();
        let (one, _) = run(&mut engine(rule(grace, settle)), 0, &history);
        let (other, _) = run(&mut engine(rule(grace, settle)), 0, &without);
        prop_assert_eq!(about_violations(one), about_violations(other));
    }

    /// Accounts hold every second once, whatever was seen.
    #[test]
    fn an_account_holds_every_second_once(history in history()) {
        let window = Duration::from_secs(86_400);
        let slo = operator_core::Slo { name: "told", target_ratio: 0.99, window };
        let mut engine = engine(rule(0, 0).slo(slo));
        let mut opened = [None; 4];
        let mut now = 0;
        for (gap, look) in &history {
            now += gap;
            let snapshot = Snapshot::unseen(at(now)).with_part("look", Ok(look.clone()));
            engine.judge(&snapshot);
            for (id, opened) in opened.iter_mut().enumerate().skip(1) {
                let account = engine.objectives().find(|standing| *standing.entity == store(id as u64));
                let Some(account) = account else {
                    *opened = None;
                    continue;
                };
                let since = *opened.get_or_insert(now);
                let spent = account.spent;
                prop_assert_eq!(spent.held + spent.broken + spent.blind, Duration::from_secs(now - since));
            }
        }
    }
}
