//! Checks of a subject's rules.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Check, Outcome, Probe, repeated};
use crate::observer::panic_message;
use crate::{
    Clock, ClusterMetrics, Entity, Gap, Invariant, Kind, Listing, Observer, Rule, Snapshot, Store,
    StoreMetrics, Subject, Verdict, Verdicts, Why,
};

/// Rules have codes of their own in one spelling, say what they mean in a line, and refer only to rules
/// that exist.
///
/// # Errors
/// Where they do not.
pub fn rules_are_well_formed(subject: &dyn Subject) -> Outcome {
    let mut check = Check::new("rules_are_well_formed");
    let invariants = subject.invariants();
    let rules: Vec<&Rule> = invariants
        .iter()
        .map(|invariant| invariant.rule())
        .collect();
    for code in repeated(rules.iter().map(|rule| rule.code)) {
        check.expect(false, || format!("two rules have the code `{code}`"));
    }
    for rule in &rules {
        let code = rule.code;
        let is_snake = code.starts_with(|first: char| first.is_ascii_lowercase())
            && code
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        check.expect(is_snake, || {
            format!("`{code}` is no code: expected lower_snake_case")
        });
        let summary = rule.summary;
        let is_line =
            !summary.trim().is_empty() && !summary.ends_with('.') && !summary.contains('\n');
        check.expect(is_line, || {
            format!("the summary of `{code}` is no line without a full stop")
        });
        for (cause, _) in &rule.symptom_of {
            let exists = *cause != code && rules.iter().any(|other| other.code == *cause);
            check.expect(exists, || {
                format!("`{code}` is a symptom of `{cause}`, which is no other rule")
            });
        }
        if let Some(slo) = rule.slo {
            let is_share = (0.0..=1.0).contains(&slo.target_ratio) && !slo.window.is_zero();
            check.expect(is_share, || format!("`{}` is no objective", slo.name));
        }
    }
    check.end()
}

/// Rules judge what they see. With any single part missing, or empty, or any store unreadable, they do not
/// find health (nor call an entity gone) where they did not before; with nothing seen, or nothing in
/// anything that is seen, they find no health at all. They panic in neither.
/// A rule about sight may find itself broken; that is what it is for.
///
/// # Errors
/// Where they do.
pub async fn rules_tolerate_blindness(subject: &dyn Subject, probe: &Probe<'_>) -> Outcome {
    let mut check = Check::new("rules_tolerate_blindness");
    let seen = Observer::new(Clock::system(), probe.deadline)
        .observe(subject)
        .await;
    for invariant in subject.invariants() {
        let code = invariant.rule().code;
        let Some(found) = judge(&mut check, &*invariant, &seen, "everything there") else {
            continue;
        };
        let entities: Vec<Entity> = found.iter().map(|(entity, _)| entity.clone()).collect();
        for (what, blinded) in blinded(&seen) {
            let Some(answers) = judge(&mut check, &*invariant, &blinded, &what) else {
                continue;
            };
            let stores = seen.stores().into_iter().flat_map(|stores| &stores.items);
            let stores = stores
                .map(Store::entity)
                .filter(|store| !entities.contains(store));
            for entity in entities.iter().cloned().chain(stores) {
                let answer = answers.of(&entity);
                let is_new = answer != found.of(&entity);
                check.expect(!(is_new && answer.as_ref().is_some_and(is_health)), || {
                    format!(
                        "with {what}, `{code}` finds {entity} healthy or gone, and did not before"
                    )
                });
            }
        }
        let is_sight = invariant.rule().kind == Kind::Sight;
        for (what, snapshot) in [
            ("nothing seen", Snapshot::unseen(seen.at())),
            ("nothing in anything", empty_handed(&seen)),
        ] {
            let answers = judge(&mut check, &*invariant, &snapshot, what).unwrap_or_default();
            let healthy = answers.iter().any(|(_, verdict)| is_health(verdict));
            check.expect(is_sight || !healthy, || {
                format!("with {what}, `{code}` finds health")
            });
            // Who is not named is gone by the list of stores, which is there in one of them.
            let buries = snapshot.stores().is_err() && answers.speaks_of_others();
            check.expect(is_sight || !buries, || {
                format!("with {what}, `{code}` says what is so of those it does not name")
            });
        }
    }
    check.end()
}

fn is_health(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Holds | Verdict::Gone)
}

/// The verdicts of a rule; none where it is blind.
fn judge(
    check: &mut Check,
    invariant: &dyn Invariant,
    snapshot: &Snapshot,
    with: &str,
) -> Option<Verdicts> {
    let mut verdicts = Verdicts::default();
    let code = invariant.rule().code;
    match catch_unwind(AssertUnwindSafe(|| {
        invariant.check(snapshot, &mut verdicts)
    })) {
        Ok(Ok(())) => Some(verdicts),
        Ok(Err(_)) => Some(Verdicts::default()),
        Err(panic) => {
            let message = panic_message(&*panic);
            check.expect(false, || format!("with {with}, `{code}` panics: {message}"));
            None
        }
    }
}

/// The same snapshot with something missing, in every way there is.
fn blinded(seen: &Snapshot) -> Vec<(String, Snapshot)> {
    let mut blinded = vec![
        (
            "stores missing".to_owned(),
            seen.clone().with_stores(Err(gap("stores"))),
        ),
        (
            "store metrics missing".to_owned(),
            seen.clone().with_metrics(Err(gap("store metrics"))),
        ),
        (
            "cluster metrics missing".to_owned(),
            seen.clone().with_cluster(Err(gap("cluster metrics"))),
        ),
    ];
    for name in seen.part_names() {
        blinded.push((format!("`{name}` missing"), seen.clone().without_part(name)));
    }
    if let Ok(stores) = seen.stores() {
        for unreadable in stores.items.iter().take(3) {
            let mut rest = stores.clone();
            rest.items.retain(|store| store.id != unreadable.id);
            rest.gaps.push(gap("store").about(unreadable.entity()));
            let what = format!("{} unreadable", unreadable.entity());
            blinded.push((what, seen.clone().with_stores(Ok(rest))));
        }
        let bare = seen.clone().with_stores(Ok(bare(stores)));
        blinded.push(("stores of which nothing is known".to_owned(), bare));
    }
    if let Ok(metrics) = seen.metrics() {
        let blind = seen.clone().with_metrics(Ok(blind(metrics)));
        blinded.push(("metrics that are all blind".to_owned(), blind));
    }
    if seen.cluster().is_ok() {
        let blind = ClusterMetrics::blind(&gap("cluster metrics"));
        let blind = seen.clone().with_cluster(Ok(blind));
        blinded.push(("cluster metrics that are all blind".to_owned(), blind));
    }
    blinded
}

/// The same stores, and nothing of what any of them says or measures.
fn empty_handed(seen: &Snapshot) -> Snapshot {
    let gap = gap("everything");
    let mut snapshot = seen.clone().with_cluster(Ok(ClusterMetrics::blind(&gap)));
    for name in seen.part_names() {
        snapshot = snapshot.without_part(name);
    }
    if let Ok(stores) = seen.stores() {
        snapshot = snapshot.with_stores(Ok(bare(stores)));
    }
    if let Ok(metrics) = seen.metrics() {
        snapshot = snapshot.with_metrics(Ok(blind(metrics)));
    }
    snapshot
}

fn bare(stores: &Listing<Store>) -> Listing<Store> {
    let bare = |store: &Store| Store::new(store.id, store.address.clone());
    let gaps = stores
        .items
        .iter()
        .map(|store| gap("everything").about(store.entity()));
    Listing {
        items: stores.items.iter().map(bare).collect(),
        gaps: gaps.collect(),
        next: None,
    }
}

fn blind(metrics: &Listing<StoreMetrics>) -> Listing<StoreMetrics> {
    let blind = |one: &StoreMetrics| StoreMetrics::blind(one.store, &gap("metrics"));
    Listing::whole(metrics.items.iter().map(blind).collect())
}

fn gap(what: &'static str) -> Gap {
    Gap::new(what, Why::Unsaid)
}
