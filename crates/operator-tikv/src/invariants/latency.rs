//! How slow a store's answers may be: what the rules on latency share.

use operator_core::{
    Broken, Evidence, Gap, Measured, Quantity, Reading, Severity, Snapshot, StoreMetrics,
};

use super::common::idle;
use super::tiers::rounded;

/// Judges the P99 of a store's requests: worse than so much is a warning, and there may be more than is
/// critical.
pub(super) fn judge_p99(
    snapshot: &Snapshot,
    metrics: &StoreMetrics,
    name: &'static str,
    p99: &Reading<f64>,
    worse: impl Fn(f64) -> Option<(Severity, f64)>,
) -> Result<Option<Broken>, Gap> {
    let Some(p99) = p99.measured()? else {
        return idle(snapshot, metrics.store);
    };
    Ok(worse(p99.value).map(|(severity, threshold)| {
        let traffic = metrics.queries_per_second.measured().ok().flatten();
        let requests = |all: &Measured<f64>| {
            Quantity::measured("all requests", &all.map(|n| rounded(*n)), "1/s")
        };
        let shown = p99.map(|p99| rounded(*p99));
        let p99 = Quantity::measured(name, &shown, "s").against(threshold);
        Broken::new(
            severity,
            Evidence::of([p99].into_iter().chain(traffic.map(requests))),
        )
    }))
}
