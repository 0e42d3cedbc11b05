//! Whether Prometheus can be seen at all: what the rules about sight share.

use operator_core::{Gap, Snapshot, Why};

use crate::facts::PrometheusClock;

/// Whether Prometheus gives answers that stores could be judged by.
///
/// It may know what time it is and not get through the queries that matter; then it is as good as away.
///
/// # Errors
/// The gap that stands between, or the one that says that none is configured.
pub(super) fn prometheus_answers(snapshot: &Snapshot) -> Result<(), Gap> {
    let clock = snapshot.part::<PrometheusClock>().map(|_| ());
    if let Err(gap) = &clock
        && *gap.why() == Why::NotConfigured
    {
        return clock;
    }
    match of_stores(snapshot) {
        Some(answered) => answered,
        None => clock,
    }
}

/// Whether Prometheus had an answer about stores; nothing where it was not asked about any.
fn of_stores(snapshot: &Snapshot) -> Option<Result<(), Gap>> {
    let metrics = match snapshot.metrics() {
        Ok(metrics) => metrics,
        Err(gap) if matches!(gap.why(), Why::Needs { .. }) => return None,
        Err(gap) => return Some(Err(gap)),
    };
    let mut silence = None;
    for item in &metrics.items {
        match item.up.gap() {
            // Of such a store nobody was asked.
            Some(gap) if *gap.why() == Why::NotConfigured => {}
            Some(gap) if is_silence(gap.why()) => silence = silence.or(Some(gap.clone())),
            _ => return Some(Ok(())),
        }
    }
    match silence {
        Some(gap) => Some(Err(gap)),
        None => (!metrics.gaps.is_empty()).then_some(Ok(())),
    }
}

/// Whether a gap says that there was no answer, and not that the answer says too little.
pub(super) fn is_silence(why: &Why) -> bool {
    matches!(
        why,
        Why::NotConfigured
            | Why::NotOffered
            | Why::NotAsked
            | Why::Needs { .. }
            | Why::TimedOut { .. }
            | Why::Failed(_)
            | Why::Panicked { .. }
    )
}
