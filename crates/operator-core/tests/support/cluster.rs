//! A cluster of any size under thirty rules, healthy or not: what judging costs is measured on it.

use std::time::Duration;

use operator_core::{
    Broken, Evidence, Gap, Invariant, Listing, Measured, Quantity, Reading, Rule, Severity, Slo,
    Snapshot, Source, Store, StoreId, StoreMetrics, StoreState, Timestamp, Verdicts, Why,
};

/// A rule that compares one reading of every store with a threshold.
#[derive(Debug)]
struct Below {
    rule: Rule,
    of: fn(&StoreMetrics) -> &Reading<f64>,
    limit: f64,
}

impl Invariant for Below {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        verdicts.judge_stores(snapshot, |store, _| {
            let metrics = snapshot.metrics_of(store.id)?;
            let Some(reading) = (self.of)(metrics).measured()? else {
                return Ok(None);
            };
            Ok((reading.value > self.limit).then(|| {
                let quantity = Quantity::measured("reading", reading, "s").against(self.limit);
                Broken::new(Severity::Warning, Evidence::of([quantity]))
            }))
        })
    }
}

const READINGS: [fn(&StoreMetrics) -> &Reading<f64>; 6] = [
    |metrics| &metrics.write_p95_seconds,
    |metrics| &metrics.write_p99_seconds,
    |metrics| &metrics.read_p95_seconds,
    |metrics| &metrics.read_p99_seconds,
    |metrics| &metrics.cpu_used_cores,
    |metrics| &metrics.raft_log_lag_ratio,
];

/// Thirty rules, three of them with an objective.
pub(crate) fn rules() -> Vec<Box<dyn Invariant>> {
    let rule = |index: usize| -> Box<dyn Invariant> {
        let code: &'static str = format!("rule_{index}").leak();
        let rule = Rule::new(code, "a reading is over its limit")
            .grace(Duration::from_secs(60))
            .settle(Duration::from_secs(60));
        let rule = match index {
            0..3 => rule.slo(Slo {
                name: code,
                target_ratio: 0.999,
                window: Duration::from_secs(86_400),
            }),
            _ => rule,
        };
        Box::new(Below {
            rule,
            of: READINGS[index % READINGS.len()],
            limit: 1.0,
        })
    };
    (0..30).map(rule).collect()
}

/// So many stores, all well; every reading is `reading`.
pub(crate) fn snapshot(at: Timestamp, stores: u64, reading: f64) -> Snapshot {
    let source = Source::from("bench");
    let unsaid = Gap::new("metrics", Why::Unsaid);
    let seen = || Reading::Seen(Measured::new(reading, at, source.clone()));
    let metrics = |id| StoreMetrics {
        write_p95_seconds: seen(),
        write_p99_seconds: seen(),
        read_p95_seconds: seen(),
        read_p99_seconds: seen(),
        cpu_used_cores: seen(),
        raft_log_lag_ratio: seen(),
        ..StoreMetrics::blind(StoreId(id), &unsaid)
    };
    // A negative reading stands for a cluster of which much could not be seen.
    let gaps = (0..stores).filter(|_| reading < 0.0).flat_map(|id| {
        let gap =
            |what| Gap::new(what, Why::Unsaid).about(operator_core::Entity::Store(StoreId(id)));
        ["state", "heartbeat", "capacity", "available"].map(gap)
    });
    let gaps: Vec<Gap> = gaps.collect();
    let store = |id| Store {
        state: Some(StoreState::Up),
        ..Store::new(StoreId(id), format!("10.0.0.1:{id}"))
    };
    Snapshot::unseen(at)
        .with_stores(Ok(Listing {
            items: (0..stores).map(store).collect(),
            gaps: gaps.into(),
            next: None,
        }))
        .with_metrics(Ok(Listing::whole((0..stores).map(metrics).collect())))
}
