//! What the monitor promises: looks on a grid, none piled upon another, and an end when it is told to.

mod support;

use std::time::Duration;

use operator_core::{
    Answer, Beat, Broken, Clock, Evidence, Fault, Gap, Invariant, Listing, Measured, Monitor,
    Observer, Reading, Rule, Script, ScriptedSubject, Severity, Snapshot, Store, StoreId,
    StoreMetrics, Timestamp, Verdicts, Why,
};
use support::{Look, See, Told, line, rule, store};

const TEN: Duration = Duration::from_secs(10);

fn observer(clock: &Clock) -> Observer {
    Observer::new(clock.clone(), Duration::from_secs(8))
}

fn seconds(begin: Timestamp, at: Timestamp) -> u64 {
    at.since(begin).as_secs()
}

#[tokio::test(start_paused = true)]
async fn ticks_are_due_on_a_grid_and_carry_the_time_they_were_due() {
    let subject = ScriptedSubject::new("scripted");
    // Each look takes 8 s, and the next is due on time all the same.
    subject.cluster.set(Answer::Hangs);
    let clock = Clock::system();
    let begin = clock.now();
    let mut monitor = Monitor::new(subject, observer(&clock)).unwrap();
    let mut ticks = Vec::new();
    let until = clock.sleep_until(begin + Duration::from_secs(39));
    let beat = Beat::every(TEN).offset(Duration::from_secs(3));
    monitor
        .run(beat, until, |tick, _| {
            ticks.push((seconds(begin, tick.snapshot.at()), tick.missed));
        })
        .await;
    assert_eq!(ticks, [(3, 0), (13, 0), (23, 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_tick_never_piles_up_another() {
    let subject = ScriptedSubject::new("scripted");
    let (stores, clock) = (subject.stores.clone(), Clock::system());
    stores.set(Answer::Hangs);
    let begin = clock.now();
    let mut monitor = Monitor::new(
        subject,
        Observer::new(clock.clone(), Duration::from_secs(25)),
    )
    .unwrap();
    let mut ticks = Vec::new();
    let until = clock.sleep_until(begin + Duration::from_secs(100));
    monitor
        .run(Beat::every(TEN), until, |tick, _| {
            ticks.push((seconds(begin, tick.snapshot.at()), tick.missed));
            if ticks.len() == 2 {
                stores.set(Answer::Fails(operator_core::Fault::TimedOut { after: TEN }));
            }
        })
        .await;
    // Two looks of 25 s each leave out two ticks each; then all is well again.
    assert_eq!(ticks, [(0, 0), (30, 2), (60, 2), (70, 0), (80, 0), (90, 0)]);
}

#[tokio::test(start_paused = true)]
async fn what_ends_it_ends_it_in_mid_look_and_loses_nothing_that_was_judged() {
    let looks = Script::new(Look::Named(vec![(
        store(1),
        See::Broken(Severity::Warning),
    )]));
    let subject = ScriptedSubject::new("scripted")
        .with_part("look", looks.clone(), |part| part)
        .with_rule(Told(rule(0, 0)));
    let clock = Clock::system();
    let begin = clock.now();
    let mut monitor = Monitor::new(subject, observer(&clock)).unwrap();
    let until = clock.sleep_until(begin + Duration::from_secs(12));
    let mut ticks = 0;
    monitor
        .run(Beat::every(TEN), until, |_, _| {
            ticks += 1;
            looks.set(Answer::Hangs);
        })
        .await;
    assert_eq!((ticks, seconds(begin, clock.now())), (1, 12));
    assert_eq!(monitor.engine().open().count(), 1);
    // It can be taken up again.
    looks.set(Answer::Value(Look::Named(vec![(store(1), See::Holds)])));
    let tick = monitor.tick().await;
    assert_eq!(
        tick.changes.iter().map(line).collect::<Vec<_>>(),
        ["resolved store/1 warning"]
    );
}

/// A rule on metrics: a store that is not up is broken.
#[derive(Debug)]
struct NotUp(Rule);

impl Invariant for NotUp {
    fn rule(&self) -> &Rule {
        &self.0
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        for metrics in &snapshot.metrics()?.items {
            verdicts.judge(metrics.entity(), || {
                let up = metrics.up.measured()?.is_some_and(|up| up.value);
                Ok((!up).then(|| Broken::new(Severity::Critical, Evidence::default())))
            });
        }
        Ok(())
    }
}

fn metrics(up: bool) -> Listing<StoreMetrics> {
    let gap = Gap::new("metrics", Why::NotConfigured);
    let of = |id| StoreMetrics {
        up: Reading::Seen(Measured::new(up, Timestamp::EPOCH, "scripted")),
        ..StoreMetrics::blind(StoreId(id), &gap)
    };
    Listing::whole((1..=3).map(of).collect())
}

/// An hour without metrics leaves every open violation open, and says once that it is blind.
#[tokio::test(start_paused = true)]
async fn an_hour_without_metrics_leaves_what_is_open_open() {
    let subject = ScriptedSubject::new("scripted").with_rule(NotUp(rule(60, 60)));
    let stores = (1..=3).map(|id| Store::new(StoreId(id), "a:1")).collect();
    subject.stores.set(Answer::Value(Listing::whole(stores)));
    let script = subject.metrics.clone();
    let clock = Clock::system();
    let begin = clock.now();
    let mut monitor = Monitor::new(subject, observer(&clock)).unwrap();
    let mut changes = Vec::new();
    let away = Answer::Fails(Fault::TimedOut { after: TEN });
    for (until, answer, open) in [
        (2, Answer::Value(metrics(false)), 3),
        (62, away, 3),
        (64, Answer::Value(metrics(true)), 0),
    ] {
        script.set(answer);
        let end = clock.sleep_until(begin + Duration::from_secs(60 * until));
        monitor
            .run(Beat::every(TEN), end, |tick, _| {
                changes.extend(tick.changes.iter().map(line));
            })
            .await;
        assert_eq!(monitor.engine().open().count(), open, "after {until} min");
    }
    let of = |word: &str| {
        (1..=3)
            .map(|id| format!("{word} store/{id} critical"))
            .collect::<Vec<_>>()
    };
    let mut expected = of("raised");
    expected.extend([
        "blinded cluster info".to_owned(),
        "sighted cluster info".to_owned(),
    ]);
    expected.extend(of("resolved"));
    assert_eq!(changes, expected);
}

/// A simulator drives the clock: the monitor ticks as the clock is moved.
#[tokio::test]
async fn it_ticks_by_a_clock_that_somebody_else_moves() {
    let hand = operator_core::ManualClock::new(Timestamp::EPOCH);
    let clock = Clock::from(hand.clone());
    let mut monitor = Monitor::new(ScriptedSubject::new("scripted"), observer(&clock)).unwrap();
    let mut ticks = Vec::new();
    let end = clock.sleep_until(Timestamp::from_unix_seconds(40));
    monitor
        .run(Beat::every(TEN), end, |tick, _| {
            ticks.push(tick.snapshot.at().unix_millis() / 1000);
            hand.advance(TEN);
        })
        .await;
    assert_eq!(ticks, [0, 10, 20, 30]);
}
