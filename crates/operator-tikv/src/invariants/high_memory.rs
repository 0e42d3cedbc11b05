//! `high_memory`: a store uses nearly all the memory it may use.

use std::time::Duration;

use operator_core::{
    Broken, Gap, Invariant, Kind, Measured, Reading, Rule, Snapshot, Store, StoreMetrics, Verdicts,
    Why,
};

use super::Settings;
use super::common::judge_measured_stores;
use super::page::{Knob, Page};
use super::quota::Use;
use super::registry::Documented;
use super::tiers::Tiers;

/// A store is near the size at which it is killed.
#[derive(Debug)]
pub(super) struct HighMemory {
    rule: Rule,
    share: Tiers,
}

const WARNING: Knob = Knob::ratio("warning", 0.8, "the share above which it is a warning");
const CRITICAL: Knob = Knob::ratio("critical", 0.9, "the share above which it is critical");
/// The first version that says how much memory it may use.
const SAYS_ITS_QUOTA: u32 = 8;

impl Documented for HighMemory {
    const PAGE: &'static Page = &Page {
        code: "high_memory",
        kind: Kind::Cluster,
        summary: "a store is near the size at which it is killed",
        broken_when: "its resident memory, of what it may use: above 80 % a warning, above 90 % critical",
        entity: "the store",
        input: "Prometheus: `process_resident_memory_bytes` over `tikv_server_memory_quota_bytes`",
        meaning: "The kernel kills what grows over the limit, without a word in the store's log. Near its own limit \
                  (memory-usage-limit, 75 % of the quota by default) a store first refuses raft appends, which \
                  shows as slow writes",
        evidence: "the share; the bytes used and those that it may use",
        origin: "TiKV's own rule cries at 80 %. 70 % would cry at healthy stores: a block cache of 45 % fills up and stays",
        false_alarms: "A store that has the machine to itself lives for months at 80 % when its block cache was set \
                       by hand. The quota is that of the cgroup or the machine: neighbours are not seen. Stores \
                       before 8.0 do not say their quota, and are not judged",
        what_to_do: &[
            "Growing or flat? Growing over hours: take a heap profile before it is killed.",
            "Look for large reads: coprocessor requests and scans that return much hold it in memory.",
            "Lower storage.block-cache.capacity online; it gives memory back within minutes.",
            "If it must be restarted, drain its leaders first.",
        ],
        grace: Duration::from_secs(300),
        settle: Duration::from_secs(60),
        knobs: &[WARNING, CRITICAL],
        ordered: &[("warning", "critical")],
    };

    fn new(settings: &Settings) -> Self {
        let page = Self::PAGE;
        Self {
            rule: page.rule(settings),
            share: Tiers::new(settings, page, [&WARNING, &CRITICAL]),
        }
    }
}

impl Invariant for HighMemory {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        judge_measured_stores(snapshot, verdicts, |store, metrics| {
            self.judge(store, snapshot, metrics)
        })
    }
}

impl HighMemory {
    fn judge(
        &self,
        store: &Store,
        snapshot: &Snapshot,
        metrics: &StoreMetrics,
    ) -> Result<Option<Broken>, Gap> {
        let bytes = |reading: &Reading<u64>| -> Result<Option<Measured<f64>>, Gap> {
            let measured = reading.measured()?;
            Ok(measured.map(|bytes| bytes.map(|bytes| *bytes as f64)))
        };
        let used = bytes(&metrics.memory_used_bytes)?;
        let quota = bytes(&metrics.memory_quota_bytes);
        let quota = quota.map_err(|gap| not_said(store, gap))?;
        let memory = Use {
            used: used.as_ref(),
            quota: quota.as_ref(),
            names: ["memory used", "that is", "of"],
            unit: "bytes",
        };
        memory.judge(snapshot, metrics.store, self.share)
    }
}

/// What a version does not export is not blindness: there is nothing that could be seen again.
fn not_said(store: &Store, gap: Gap) -> Gap {
    let version = store.version.as_deref().unwrap_or_default();
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    match (gap.why(), major) {
        (Why::Unsaid, Some(major)) if SAYS_ITS_QUOTA > major => {
            let what = "memory quota, which is said from version 8.0 on,";
            Gap::new(what, Why::NotConfigured).about(store.entity())
        }
        _ => gap,
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::super::told::{self, CRITICAL, Told, WARNING, check};
    use super::*;
    use operator_core::{Listing, Verdict};

    fn rule() -> HighMemory {
        HighMemory::new(&Settings::default())
    }

    fn using(bytes: u64) -> Snapshot {
        scene::measured(|metrics| {
            metrics.memory_used_bytes = scene::seen(bytes);
            metrics.memory_quota_bytes = scene::seen(1000);
        })
    }

    #[test]
    fn memory_is_scarce_above_its_shares() {
        for (bytes, expected) in [
            (450, Told::Holds),
            (800, Told::Holds),
            (801, WARNING),
            (900, WARNING),
            (901, CRITICAL),
        ] {
            check(&rule(), &using(bytes), expected);
        }
    }

    #[test]
    fn the_evidence_is_the_share_and_what_it_is_of() {
        assert_eq!(
            told::evidence(&rule(), &using(950), &scene::entity(1)),
            "memory used 95 % (threshold 90 %), that is 950 bytes, of 1000 bytes"
        );
    }

    /// Versions before 8.0 do not say their quota: that is listed, and no blindness.
    #[test]
    fn an_old_version_cannot_be_judged_and_that_is_no_blindness() {
        let why = |version: &str| {
            let metrics = scene::metrics(1, |metrics| metrics.memory_used_bytes = scene::seen(1));
            let store = Store {
                version: Some(version.into()),
                ..scene::up(1)
            };
            let snapshot =
                scene::of_stores([store]).with_metrics(Ok(Listing::whole(vec![metrics])));
            match told::verdict(&rule(), &snapshot, &scene::entity(1)) {
                Some(Verdict::Unseen(gap)) => gap.why().clone(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(why("7.5.7"), Why::NotConfigured);
        assert_eq!(why("8.1.2"), Why::Unsaid);
        assert_eq!(why("nightly"), Why::Unsaid);
    }

    #[test]
    fn what_was_not_measured_is_unseen() {
        check(&rule(), &scene::measured(|_| {}), Told::Unseen);
        check(&rule(), &scene::of_stores([scene::up(1)]), Told::Unseen);
    }
}
