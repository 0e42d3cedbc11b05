//! What the observer promises: one snapshot, in time, whatever a subject does.

#[path = "support/quiet.rs"]
#[macro_use]
mod quiet;

use std::time::Duration;

use async_trait::async_trait;
use operator_core::{
    Answer, Clock, ClusterMetrics, Due, Error, Fault, Gap, Listing, ManualClock, Observer, Part,
    Reading, Result, Script, ScriptedSubject, Snapshot, Store, StoreId, StoreMetrics, Subject,
    Timestamp, Why,
};

const DEADLINE: Duration = Duration::from_secs(8);

#[derive(Debug, Clone, PartialEq)]
struct Words(Vec<&'static str>);

fn subject() -> (ScriptedSubject, Script<Words>) {
    let words = Script::new(Words(vec!["one"]));
    let subject = ScriptedSubject::new("scripted").with_part("words", words.clone(), |part| part);
    let stores = [1, 2].map(|id| Store::new(StoreId(id), "a:1")).to_vec();
    let gap = Gap::new("metrics", Why::Unsaid);
    let metrics = [1, 2]
        .map(|id| StoreMetrics::blind(StoreId(id), &gap))
        .to_vec();
    subject.stores.set(Answer::Value(Listing::whole(stores)));
    subject.metrics.set(Answer::Value(Listing::whole(metrics)));
    (subject, words)
}

fn broken() -> Fault {
    Fault::Transport {
        reason: "connection refused".into(),
    }
}

fn gaps(snapshot: &Snapshot) -> Vec<String> {
    let without_time = |gap: &Gap| {
        gap.to_string()
            .split(" (since")
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    snapshot.gaps().map(without_time).collect()
}

#[tokio::test(start_paused = true)]
async fn everything_that_answers_is_in_the_snapshot() {
    let (subject, _) = subject();
    let snapshot = Observer::new(Clock::system(), DEADLINE)
        .observe(&subject)
        .await;
    assert_eq!(gaps(&snapshot), [""; 0]);
    assert_eq!(snapshot.stores().unwrap().items.len(), 2);
    assert!(snapshot.metrics_of(StoreId(2)).is_ok() && snapshot.cluster().is_ok());
    let words = snapshot.part::<Words>().unwrap();
    assert_eq!(
        (&words.value.0[..], words.source.as_str()),
        (&["one"][..], "scripted words")
    );
    assert_eq!(words.sampled_at, snapshot.at());
}

/// Each way of going wrong, put to each part in turn: the others are as they were.
#[tokio::test(start_paused = true)]
async fn what_fails_hangs_or_panics_costs_only_its_own_part() {
    fn spoil<T: Clone>(script: &Script<T>, way: usize) {
        script.set(match way {
            0 => Answer::Fails(broken()),
            1 => Answer::Hangs,
            _ => Answer::Panics("no such index"),
        });
    }
    let says = [
        "connection refused",
        "no answer within 8 s",
        "it panicked: no such index",
    ];
    for (way, says) in says.into_iter().enumerate() {
        for victim in 0..4 {
            let (subject, words) = subject();
            let mut observer = Observer::new(Clock::system(), DEADLINE);
            // Stores are known from before, so that metrics can do without them.
            observer.observe(&subject).await;
            match victim {
                0 => spoil(&subject.stores, way),
                1 => spoil(&subject.metrics, way),
                2 => spoil(&subject.cluster, way),
                _ => spoil(&words, way),
            }
            let snapshot = observer.observe(&subject).await;
            let seen = [
                snapshot.stores().is_ok(),
                snapshot.metrics().is_ok(),
                snapshot.cluster().is_ok(),
                snapshot.part::<Words>().is_ok(),
            ];
            let expected: Vec<bool> = (0..4).map(|part| part != victim).collect();
            assert_eq!(seen[..], expected, "{says}, victim {victim}");
            let gaps = gaps(&snapshot);
            assert_eq!(gaps.len(), 1, "{gaps:?}");
            let what = ["stores", "store metrics", "cluster metrics", "words"][victim];
            assert!(
                gaps[0].starts_with(what) && gaps[0].ends_with(says),
                "{gaps:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_subject_whose_every_read_hangs_yields_a_snapshot_at_the_deadline() {
    let (subject, words) = subject();
    let clock = Clock::system();
    let mut observer = Observer::new(clock.clone(), DEADLINE);
    subject.stores.set(Answer::Hangs);
    subject.metrics.set(Answer::Hangs);
    subject.cluster.set(Answer::Hangs);
    words.set(Answer::Hangs);
    let begin = clock.now();
    let snapshot = observer.observe(&subject).await;
    assert_eq!(clock.now().since(begin), DEADLINE);
    assert_eq!(
        gaps(&snapshot),
        [
            "stores not seen: no answer within 8 s",
            "store metrics not seen: it needs stores, which were not seen",
            "cluster metrics not seen: no answer within 8 s",
            "words not seen: no answer within 8 s",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn reads_run_at_the_same_time() {
    #[derive(Debug)]
    struct Slow;

    const READ: Duration = Duration::from_secs(3);

    #[async_trait]
    impl Subject for Slow {
        quiet!("slow");
        async fn stores(&self) -> Result<Listing<Store>> {
            Ok(Listing::whole(Vec::new()))
        }
        async fn store_metrics(&self, _: &[Store]) -> Result<Listing<StoreMetrics>> {
            tokio::time::sleep(READ).await;
            Ok(Listing::whole(Vec::new()))
        }
        async fn cluster_metrics(&self) -> Result<ClusterMetrics> {
            tokio::time::sleep(READ).await;
            Err(Error::new("read cluster metrics", broken()).at("slow"))
        }
        fn parts(&self) -> Vec<Part<'_>> {
            let part = Part::new("words", |_due| async {
                tokio::time::sleep(READ).await;
                Ok(Words(Vec::new()))
            });
            vec![part]
        }
    }

    let clock = Clock::system();
    let begin = clock.now();
    Observer::new(clock.clone(), DEADLINE).observe(&Slow).await;
    assert_eq!(clock.now().since(begin), READ);
}

#[tokio::test(start_paused = true)]
async fn a_part_is_given_up_after_its_own_deadline() {
    let words: Script<Words> = Script::new(Words(Vec::new()));
    words.set(Answer::Hangs);
    let subject = ScriptedSubject::new("scripted")
        .with_part("words", words, |part| part.within(Duration::from_secs(2)));
    let clock = Clock::system();
    let begin = clock.now();
    let snapshot = Observer::new(clock.clone(), DEADLINE)
        .observe(&subject)
        .await;
    assert_eq!(clock.now().since(begin), Duration::from_secs(2));
    assert_eq!(gaps(&snapshot), ["words not seen: no answer within 2 s"]);
}

#[tokio::test]
async fn a_part_that_is_not_due_keeps_its_value_with_its_age() {
    let words = Script::new(Words(vec!["one"]));
    let subject = ScriptedSubject::new("scripted").with_part("words", words.clone(), |part| {
        part.every(Duration::from_secs(60))
    });
    let hand = ManualClock::new(Timestamp::EPOCH);
    let mut observer = Observer::new(hand.clone().into(), DEADLINE);
    observer.observe(&subject).await;
    words.set(Answer::Value(Words(vec!["two"])));
    for (seconds, expected, age) in [
        (30, "one", 30),
        (59, "one", 59),
        (60, "two", 0),
        (119, "two", 59),
    ] {
        hand.set(Timestamp::from_unix_seconds(seconds));
        let snapshot = observer.observe(&subject).await;
        let words = snapshot.part::<Words>().unwrap();
        assert_eq!(words.value.0, [expected], "at {seconds}");
        assert_eq!(
            snapshot.at().since(words.sampled_at),
            Duration::from_secs(age)
        );
    }
    assert_eq!(words.asked(), 2);
}

#[tokio::test]
async fn a_part_that_failed_is_due_again_at_the_next_look_and_says_since_when() {
    let words = Script::new(Words(vec!["one"]));
    let subject = ScriptedSubject::new("scripted").with_part("words", words.clone(), |part| {
        part.every(Duration::from_secs(60))
    });
    let hand = ManualClock::new(Timestamp::EPOCH);
    let mut observer = Observer::new(hand.clone().into(), DEADLINE);
    observer.observe(&subject).await;
    words.set(Answer::Fails(broken()));
    for seconds in [60, 70, 80] {
        hand.set(Timestamp::from_unix_seconds(seconds));
        let snapshot = observer.observe(&subject).await;
        let gap = snapshot.part::<Words>().unwrap_err();
        assert_eq!(gap.standing_since(), Some(Timestamp::from_unix_seconds(60)));
    }
    assert_eq!(words.asked(), 4);
    words.set(Answer::Value(Words(vec!["two"])));
    hand.set(Timestamp::from_unix_seconds(90));
    let snapshot = observer.observe(&subject).await;
    assert_eq!(snapshot.part::<Words>().unwrap().value.0, ["two"]);
    assert_eq!(snapshot.gaps().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_part_is_given_up_at_the_observers_deadline_if_its_own_is_longer() {
    let words: Script<Words> = Script::new(Words(Vec::new()));
    words.set(Answer::Hangs);
    let subject = ScriptedSubject::new("scripted")
        .with_part("words", words, |part| part.within(Duration::from_secs(60)));
    let clock = Clock::system();
    let begin = clock.now();
    Observer::new(clock.clone(), DEADLINE)
        .observe(&subject)
        .await;
    assert_eq!(clock.now().since(begin), DEADLINE);
}

#[tokio::test]
async fn a_gap_that_was_closed_in_between_stands_since_it_opened_again() {
    let (subject, words) = subject();
    let hand = ManualClock::new(Timestamp::EPOCH);
    let mut observer = Observer::new(hand.clone().into(), DEADLINE);
    for (seconds, fails) in [(0, true), (10, false), (20, true), (30, true)] {
        hand.set(Timestamp::from_unix_seconds(seconds));
        words.set(if fails {
            Answer::Fails(broken())
        } else {
            Answer::Value(Words(Vec::new()))
        });
        subject.cluster.set(if fails {
            Answer::Fails(broken())
        } else {
            idle()
        });
        let snapshot = observer.observe(&subject).await;
        let since: Vec<_> = snapshot.gaps().map(Gap::standing_since).collect();
        let expected = match seconds {
            0 => vec![Some(Timestamp::EPOCH); 2],
            10 => vec![],
            _ => vec![Some(Timestamp::from_unix_seconds(20)); 2],
        };
        assert_eq!(since, expected, "at {seconds}");
    }
}

fn idle() -> Answer<ClusterMetrics> {
    Answer::Value(ClusterMetrics {
        store_count: Reading::Idle,
        region_count: Reading::Idle,
        leaders_per_store: Reading::Idle,
        queries_per_second: Reading::Idle,
        write_p99_seconds: Reading::Idle,
        read_p99_seconds: Reading::Idle,
    })
}

#[tokio::test]
async fn a_part_is_read_anew_when_the_clock_was_set_back() {
    let words = Script::new(Words(vec!["one"]));
    let subject = ScriptedSubject::new("scripted").with_part("words", words.clone(), |part| {
        part.every(Duration::from_secs(60))
            .from_source("the dictionary")
    });
    let hand = ManualClock::new(Timestamp::from_unix_seconds(1000));
    let mut observer = Observer::new(hand.clone().into(), DEADLINE);
    observer.observe(&subject).await;
    hand.set(Timestamp::from_unix_seconds(500));
    let snapshot = observer.observe(&subject).await;
    assert_eq!(words.asked(), 2);
    let words = snapshot.part::<Words>().unwrap();
    assert_eq!(
        (words.sampled_at, words.source.as_str()),
        (snapshot.at(), "the dictionary")
    );
}

/// Stores that answer late, and metrics that take their time.
#[tokio::test(start_paused = true)]
async fn metrics_wait_for_the_first_list_of_stores_and_not_for_a_later_one() {
    #[derive(Debug)]
    struct Late(std::sync::Mutex<u64>);

    #[async_trait]
    impl Subject for Late {
        quiet!("late");
        async fn stores(&self) -> Result<Listing<Store>> {
            let seconds = *self.0.lock().unwrap();
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Ok(Listing::whole(vec![Store::new(StoreId(1), "a:1")]))
        }
        async fn store_metrics(&self, stores: &[Store]) -> Result<Listing<StoreMetrics>> {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let gap = Gap::new("metrics", Why::Unsaid);
            let blind = |store: &Store| StoreMetrics::blind(store.id, &gap);
            Ok(Listing::whole(stores.iter().map(blind).collect()))
        }
        async fn cluster_metrics(&self) -> Result<ClusterMetrics> {
            Err(Error::new("read cluster metrics", broken()).at("late"))
        }
        fn parts(&self) -> Vec<Part<'_>> {
            Vec::new()
        }
    }

    let subject = Late(5.into());
    let mut observer = Observer::new(Clock::system(), DEADLINE);
    let first = observer.observe(&subject).await;
    assert!(first.stores().is_ok() && first.metrics_of(StoreId(1)).is_ok());
    // Too late to measure after it, were it waited for.
    *subject.0.lock().unwrap() = 7;
    let second = observer.observe(&subject).await;
    assert!(second.stores().is_ok() && second.metrics_of(StoreId(1)).is_ok());
}

/// What a subject must remember between looks, it builds on its own last value.
#[tokio::test]
async fn a_part_is_given_the_value_it_returned_last_however_many_reads_failed_since() {
    #[derive(Debug)]
    struct Counts(std::sync::Mutex<bool>);

    #[derive(Debug, PartialEq)]
    struct Count(u64);

    #[async_trait]
    impl Subject for Counts {
        quiet!("counts");
        async fn stores(&self) -> Result<Listing<Store>> {
            Ok(Listing::whole(Vec::new()))
        }
        async fn store_metrics(&self, _: &[Store]) -> Result<Listing<StoreMetrics>> {
            Ok(Listing::whole(Vec::new()))
        }
        async fn cluster_metrics(&self) -> Result<ClusterMetrics> {
            Ok(ClusterMetrics {
                store_count: Reading::Idle,
                region_count: Reading::Idle,
                leaders_per_store: Reading::Idle,
                queries_per_second: Reading::Idle,
                write_p99_seconds: Reading::Idle,
                read_p99_seconds: Reading::Idle,
            })
        }
        fn parts(&self) -> Vec<Part<'_>> {
            let part = Part::new("count", move |due: Due<Count>| async move {
                match *self.0.lock().unwrap() {
                    true => Err(Error::new("count", broken()).at("counts")),
                    false => Ok(Count(due.last.map_or(0, |last| last.value.0) + 1)),
                }
            });
            vec![part]
        }
    }

    let subject = Counts(false.into());
    let mut observer = Observer::new(Clock::system(), DEADLINE);
    for (fails, expected) in [
        (false, Some(1)),
        (false, Some(2)),
        (true, None),
        (true, None),
        (false, Some(3)),
    ] {
        *subject.0.lock().unwrap() = fails;
        let snapshot = observer.observe(&subject).await;
        let count = snapshot.part::<Count>().ok().map(|count| count.value.0);
        assert_eq!(count, expected);
    }
}

#[tokio::test]
async fn of_two_parts_of_one_type_neither_is_believed() {
    let subject = ScriptedSubject::new("scripted")
        .with_part("words", Script::new(Words(vec!["one"])), |part| part)
        .with_part("more words", Script::new(Words(vec!["two"])), |part| part);
    let snapshot = Observer::new(Clock::system(), DEADLINE)
        .observe(&subject)
        .await;
    let gap = snapshot.part::<Words>().unwrap_err().to_string();
    assert!(
        gap.contains("not seen: expected one part of its type, found several"),
        "{gap}"
    );
}

/// A control plane that hangs must not take the measurements with it.
#[tokio::test(start_paused = true)]
async fn metrics_go_ahead_with_the_stores_known_last_after_half_the_deadline() {
    let (subject, _) = subject();
    let clock = Clock::system();
    let mut observer = Observer::new(clock.clone(), DEADLINE);
    observer.observe(&subject).await;
    subject.stores.set(Answer::Hangs);
    let begin = clock.now();
    let snapshot = observer.observe(&subject).await;
    assert_eq!(clock.now().since(begin), DEADLINE);
    assert_eq!(snapshot.metrics().unwrap().items.len(), 2);
    assert_eq!(gaps(&snapshot), ["stores not seen: no answer within 8 s"]);
}

#[tokio::test]
async fn a_list_of_parts_that_panics_is_a_gap_of_every_part_there_was() {
    #[derive(Debug)]
    struct Panics(std::sync::atomic::AtomicBool);

    #[async_trait]
    impl Subject for Panics {
        quiet!("panics");
        async fn stores(&self) -> Result<Listing<Store>> {
            Ok(Listing::whole(Vec::new()))
        }
        async fn store_metrics(&self, _: &[Store]) -> Result<Listing<StoreMetrics>> {
            Ok(Listing::whole(Vec::new()))
        }
        async fn cluster_metrics(&self) -> Result<ClusterMetrics> {
            Err(Error::new("read cluster metrics", broken()).at("panics"))
        }
        fn parts(&self) -> Vec<Part<'_>> {
            if self.0.swap(true, std::sync::atomic::Ordering::Relaxed) {
                panic!("no such part");
            }
            vec![Part::new("words", |_due| async { Ok(Words(Vec::new())) })]
        }
    }

    let subject = Panics(false.into());
    let mut observer = Observer::new(Clock::system(), DEADLINE);
    assert!(observer.observe(&subject).await.part::<Words>().is_ok());
    let gap = observer
        .observe(&subject)
        .await
        .part::<Words>()
        .unwrap_err()
        .to_string();
    assert!(
        gap.starts_with("words not seen: it panicked: no such part"),
        "{gap}"
    );
}
