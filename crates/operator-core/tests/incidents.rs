//! What grouping promises: causes before symptoms, and independent faults apart.

mod support;

use std::sync::Arc;

use operator_core::{Entity, Evidence, Incident, Rule, Scope, Severity, Violation, incidents};
use support::{at, store};

/// The rules of these tests: which is a symptom of which.
fn rule(code: &'static str) -> Arc<Rule> {
    let rule = Rule::new(code, "it is as told");
    Arc::new(match code {
        "down_peers" => rule
            .symptom_of("store_down", Scope::Any)
            .symptom_of("cut_off", Scope::Any),
        "latency" => rule
            .symptom_of("slow_store", Scope::Same)
            .symptom_of("store_down", Scope::Any),
        "lag" => rule.symptom_of("latency", Scope::Same),
        "echo" => rule.symptom_of("echo", Scope::Any),
        "hen" => rule.symptom_of("egg", Scope::Any),
        "egg" => rule.symptom_of("hen", Scope::Any),
        _ => rule,
    })
}

fn open(code: &'static str, entity: Entity, since: u64) -> Violation {
    Violation {
        rule: rule(code),
        entity,
        severity: if code == "store_down" {
            Severity::Critical
        } else {
            Severity::Warning
        },
        since: at(since),
        raised_at: at(since),
        last_seen: at(since),
        evidence: Evidence::default(),
        flaps: 0,
        settling: false,
        expected: None,
    }
}

fn names(violations: &[Violation]) -> Vec<String> {
    violations
        .iter()
        .map(|open| format!("{} {}", open.code(), open.entity))
        .collect()
}

/// Each incident as its causes and its symptoms; the same whatever the order of what is open.
#[track_caller]
fn check(open: &[Violation], expected: &[(&[&str], &[&str])]) {
    let mut orders = vec![open.to_vec(), open.iter().rev().cloned().collect()];
    let mut turned = open.to_vec();
    turned.rotate_left(open.len() / 2);
    orders.push(turned);
    for open in orders {
        let found = incidents(&open);
        let found: Vec<_> = found
            .iter()
            .map(|one| (names(&one.causes), names(&one.symptoms)))
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(causes, symptoms)| {
                let owned = |names: &[&str]| {
                    names
                        .iter()
                        .map(|name| (*name).to_owned())
                        .collect::<Vec<_>>()
                };
                (owned(causes), owned(symptoms))
            })
            .collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn one_killed_store_is_one_incident() {
    check(
        &[
            open("store_down", store(1), 10),
            open("down_peers", Entity::Cluster, 70),
            open("latency", store(2), 30),
            open("lag", store(2), 40),
        ],
        &[(
            &["store_down store/1"],
            &["latency store/2", "lag store/2", "down_peers cluster"],
        )],
    );
}

#[test]
fn independent_faults_stay_apart() {
    check(
        &[open("store_down", store(1), 10), open("disk", store(2), 5)],
        &[(&["store_down store/1"], &[]), (&["disk store/2"], &[])],
    );
    check(
        &[
            open("store_down", store(2), 20),
            open("store_down", store(1), 10),
        ],
        &[
            (&["store_down store/1"], &[]),
            (&["store_down store/2"], &[]),
        ],
    );
}

#[test]
fn a_symptom_stands_under_a_cause_of_its_own_entity_before_any_other() {
    check(
        &[
            open("store_down", store(1), 10),
            open("slow_store", store(2), 50),
            open("latency", store(2), 30),
            open("latency", store(3), 30),
        ],
        &[
            (&["store_down store/1"], &["latency store/3"]),
            (&["slow_store store/2"], &["latency store/2"]),
        ],
    );
}

#[test]
fn of_several_causes_a_symptom_stands_under_the_earliest() {
    check(
        &[
            open("store_down", store(5), 20),
            open("store_down", store(4), 10),
            open("latency", store(2), 30),
        ],
        &[
            (&["store_down store/4"], &["latency store/2"]),
            (&["store_down store/5"], &[]),
        ],
    );
}

#[test]
fn causes_that_share_a_symptom_of_the_cluster_share_an_incident() {
    check(
        &[
            open("store_down", store(1), 10),
            open("cut_off", store(2), 20),
            open("down_peers", Entity::Cluster, 70),
        ],
        &[(
            &["store_down store/1", "cut_off store/2"],
            &["down_peers cluster"],
        )],
    );
}

#[test]
fn a_symptom_that_is_seen_first_moves_under_its_cause_when_that_appears() {
    let peers = open("down_peers", Entity::Cluster, 10);
    check(
        std::slice::from_ref(&peers),
        &[(&["down_peers cluster"], &[])],
    );
    check(
        &[peers, open("store_down", store(1), 60)],
        &[(&["store_down store/1"], &["down_peers cluster"])],
    );
}

#[test]
fn rules_that_are_symptoms_of_each_other_still_have_a_cause() {
    check(
        &[
            open("hen", Entity::Cluster, 20),
            open("egg", Entity::Cluster, 10),
        ],
        &[(&["egg cluster"], &["hen cluster"])],
    );
}

#[test]
fn nothing_is_its_own_cause() {
    check(&[open("echo", store(1), 10)], &[(&["echo store/1"], &[])]);
    check(
        &[open("echo", store(1), 10), open("echo", store(2), 20)],
        &[(&["echo store/1"], &["echo store/2"])],
    );
}

#[test]
fn an_incident_is_as_bad_as_its_worst_and_as_old_as_its_oldest() {
    let found: Vec<Incident> = incidents(&[
        open("store_down", store(1), 60),
        open("down_peers", Entity::Cluster, 10),
    ]);
    assert_eq!(
        (found[0].severity(), found[0].since()),
        (Severity::Critical, at(10))
    );
    let mut worse = open("down_peers", Entity::Cluster, 70);
    worse.severity = Severity::Critical;
    let found = incidents(&[open("cut_off", store(1), 60), worse]);
    assert_eq!(
        (found[0].cause().severity, found[0].severity()),
        (Severity::Warning, Severity::Critical)
    );
    assert!(incidents(&[]).is_empty());
}

/// Everything that is open is in exactly one incident, however much there is of it.
#[test]
fn ten_thousand_findings_are_grouped_and_none_is_lost() {
    let mut all: Vec<Violation> = (0..10_000)
        .map(|id| open("latency", store(id), id))
        .collect();
    all.push(open("store_down", store(3), 5));
    all.push(open("down_peers", Entity::Cluster, 7));
    let found = incidents(&all);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].violations().count(), all.len());
}
