//! What a list proves of whom it does not hold, and what it does not.

mod support;

use operator_core::{
    Broken, Cursor, Engine, Entity, Evidence, Gap, Invariant, Listing, Rule, Severity, Snapshot,
    Store, StoreId, StoreState, Verdict, Verdicts, Why,
};
use support::{at, line, store};

/// A rule that concerns only stores that are up: they must not be busy.
#[derive(Debug)]
struct Busy(Rule);

impl Invariant for Busy {
    fn rule(&self) -> &Rule {
        &self.0
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        let stores = snapshot.stores()?;
        for store in stores
            .items
            .iter()
            .filter(|store| store.state == Some(StoreState::Up))
        {
            verdicts.judge(store.entity(), || {
                let busy = stores.known(&store.entity(), "busy", store.busy)?;
                Ok(busy.then(|| Broken::new(Severity::Warning, Evidence::default())))
            });
        }
        verdicts.close_stores(stores)
    }
}

fn listed(id: u64, state: StoreState, busy: bool) -> Store {
    Store {
        state: Some(state),
        busy: Some(busy),
        ..Store::new(StoreId(id), "a:1")
    }
}

/// Judges a list after one in which stores 1 and 2 were both busy; tells the changes.
#[track_caller]
fn after_both_were_busy(list: Listing<Store>) -> Vec<String> {
    let mut engine = Engine::new(vec![Box::new(Busy(support::rule(0, 600)))]).expect("one rule");
    let both = [1, 2].map(|id| listed(id, StoreState::Up, true)).to_vec();
    let first = Snapshot::unseen(at(0)).with_stores(Ok(Listing::whole(both)));
    assert_eq!(engine.judge(&first).len(), 2);
    let changes = engine.judge(&Snapshot::unseen(at(20)).with_stores(Ok(list)));
    changes.iter().map(line).collect()
}

fn only_the_first() -> Listing<Store> {
    Listing::whole(vec![listed(1, StoreState::Up, true)])
}

const GONE: &str = "resolved store/2 warning";

#[test]
fn who_is_no_longer_on_a_whole_list_is_gone() {
    assert_eq!(after_both_were_busy(only_the_first()), [GONE]);
}

#[test]
fn who_is_listed_and_not_judged_is_as_before() {
    let mut list = only_the_first();
    list.items.push(listed(2, StoreState::Disconnected, false));
    assert_eq!(after_both_were_busy(list), [""; 0]);
}

#[test]
fn whom_a_gap_names_is_unseen_and_the_rest_is_gone() {
    let gap = |id| Gap::new("store", Why::Unsaid).about(store(id));
    let mut list = only_the_first();
    list.gaps.push(gap(2));
    assert_eq!(after_both_were_busy(list), [""; 0]);
    let mut list = only_the_first();
    list.gaps.push(gap(3));
    assert_eq!(after_both_were_busy(list), [GONE]);
}

#[test]
fn nobody_is_gone_while_a_gap_may_be_about_anyone_or_there_is_more_to_fetch() {
    let mut list = only_the_first();
    list.gaps.push(Gap::new("a store", Why::Unsaid));
    assert_eq!(after_both_were_busy(list), [""; 0]);
    let list = Listing {
        next: Some(Cursor::new("more")),
        ..only_the_first()
    };
    assert_eq!(after_both_were_busy(list), [""; 0]);
}

#[test]
fn an_empty_list_is_one_that_was_not_seen() {
    assert_eq!(after_both_were_busy(Listing::whole(Vec::new())), [""; 0]);
    let snapshot = Snapshot::unseen(at(0)).with_stores(Ok(Listing::whole(Vec::new())));
    let mut verdicts = Verdicts::default();
    let gap = Busy(support::rule(0, 0))
        .check(&snapshot, &mut verdicts)
        .expect_err("nothing was seen");
    assert_eq!(
        gap.to_string(),
        "stores not seen: expected at least one store, found none"
    );
}

#[test]
fn verdicts_tell_a_test_what_is_so_of_anyone() {
    let mut list = only_the_first();
    list.items.push(listed(2, StoreState::Disconnected, false));
    list.gaps
        .push(Gap::new("store", Why::Unsaid).about(store(3)));
    let snapshot = Snapshot::unseen(at(0)).with_stores(Ok(list));
    let mut verdicts = Verdicts::default();
    Busy(support::rule(0, 0))
        .check(&snapshot, &mut verdicts)
        .expect("stores were seen");
    assert!(matches!(verdicts.of(&store(1)), Some(Verdict::Broken(_))));
    assert_eq!(verdicts.of(&store(2)), None);
    assert!(matches!(verdicts.of(&store(3)), Some(Verdict::Unseen(_))));
    assert_eq!(verdicts.of(&store(4)), Some(Verdict::Gone));
}

#[test]
fn a_list_of_any_kind_is_judged_alike() {
    let group = |name: &str| Entity::named("group", name.to_owned());
    let list = Listing {
        items: vec![("billing", 7), ("search", 0)],
        gaps: vec![Gap::new("lag", Why::Unsaid).about(group("mail"))].into(),
        next: None,
    };
    let mut verdicts = Verdicts::default();
    verdicts.judge_list(
        &list,
        |(name, _)| group(name),
        |(_, lag)| Ok((*lag > 5).then(|| Broken::new(Severity::Info, Evidence::default()))),
    );
    assert!(matches!(
        verdicts.of(&group("billing")),
        Some(Verdict::Broken(_))
    ));
    assert_eq!(verdicts.of(&group("search")), Some(Verdict::Holds));
    assert!(matches!(
        verdicts.of(&group("mail")),
        Some(Verdict::Unseen(_))
    ));
    assert_eq!(verdicts.of(&group("gone")), Some(Verdict::Gone));
}

#[test]
fn what_is_missing_is_explained_by_the_gap_that_speaks_of_it() {
    let gap = |what: &'static str| {
        Gap::new(
            what,
            Why::Distrusted {
                because: what.into(),
            },
        )
        .about(store(1))
    };
    let list = Listing {
        gaps: vec![gap("state"), gap("busy")].into(),
        ..only_the_first()
    };
    let why = |what: &'static str| {
        list.known(&store(1), what, None::<bool>)
            .expect_err("it is missing")
    };
    assert_eq!((why("busy").what(), why("state").what()), ("busy", "state"));
    assert_eq!(why("capacity").what(), "state");
    let other = list
        .known(&store(2), "busy", None::<bool>)
        .expect_err("it is missing");
    assert_eq!(other.why(), &Why::Unsaid);
    let snapshot = Snapshot::unseen(at(0)).with_stores(Ok(list));
    assert_eq!(
        snapshot.gaps().filter(|gap| gap.entity().is_some()).count(),
        2
    );
}
