//! Every rule there is, in the order in which they are told: sight, life, replication, resources, balance.

use operator_core::Invariant;

use super::page::Page;
use super::{
    Settings, clock_skew, critical_error, down_peers, high_cpu, high_latency, high_memory,
    high_read_latency, hot_read_region, hot_write_region, leader_imbalance, leaderless_regions,
    leftover_evict_leader, low_disk_space, metrics_incomplete, pd_member_unhealthy, pd_no_leader,
    pd_unreachable, pending_peers_stuck, prometheus_unreachable, raft_log_lag,
    regions_without_quorum, scheduling_halted, server_busy, slow_store, store_disconnected,
    store_down, store_never_reported, store_offline_stuck, store_restarted,
    under_replicated_regions, version_mix, write_pressure,
};

/// A rule with its page.
pub(super) trait Documented: Invariant + Sized + 'static {
    /// What a person needs to know of it.
    const PAGE: &'static Page;

    /// The rule, judging by these settings.
    fn new(settings: &Settings) -> Self;
}

/// One line of the registry.
struct Registered {
    page: &'static Page,
    make: fn(&Settings) -> Box<dyn Invariant>,
}

const fn rule<R: Documented>() -> Registered {
    Registered {
        page: R::PAGE,
        make: |settings| Box::new(R::new(settings)),
    }
}

const REGISTRY: &[Registered] = &[
    // Sight.
    rule::<pd_unreachable::PdUnreachable>(),
    rule::<prometheus_unreachable::PrometheusUnreachable>(),
    rule::<metrics_incomplete::MetricsIncomplete>(),
    rule::<clock_skew::ClockSkew>(),
    // Is it alive?
    rule::<store_down::StoreDown>(),
    rule::<store_disconnected::StoreDisconnected>(),
    rule::<store_never_reported::StoreNeverReported>(),
    rule::<store_offline_stuck::StoreOfflineStuck>(),
    rule::<pd_member_unhealthy::PdMemberUnhealthy>(),
    rule::<pd_no_leader::PdNoLeader>(),
    rule::<store_restarted::StoreRestarted>(),
    rule::<version_mix::VersionMix>(),
    rule::<critical_error::CriticalError>(),
    // Replication.
    rule::<under_replicated_regions::UnderReplicatedRegions>(),
    rule::<down_peers::DownPeers>(),
    rule::<pending_peers_stuck::PendingPeersStuck>(),
    rule::<regions_without_quorum::RegionsWithoutQuorum>(),
    rule::<leaderless_regions::LeaderlessRegions>(),
    // Resources and latency.
    rule::<low_disk_space::LowDiskSpace>(),
    rule::<high_latency::HighLatency>(),
    rule::<high_read_latency::HighReadLatency>(),
    rule::<high_cpu::HighCpu>(),
    rule::<high_memory::HighMemory>(),
    rule::<slow_store::SlowStore>(),
    rule::<raft_log_lag::RaftLogLag>(),
    rule::<server_busy::ServerBusy>(),
    rule::<write_pressure::WritePressure>(),
    // Balance and scheduling.
    rule::<leader_imbalance::LeaderImbalance>(),
    rule::<hot_write_region::HotWriteRegion>(),
    rule::<hot_read_region::HotReadRegion>(),
    rule::<leftover_evict_leader::LeftoverEvictLeader>(),
    rule::<scheduling_halted::SchedulingHalted>(),
];

/// The pages of all rules.
pub fn pages() -> impl Iterator<Item = &'static Page> {
    REGISTRY.iter().map(|registered| registered.page)
}

/// Every rule, judging by these settings.
pub fn standard(settings: &Settings) -> Vec<Box<dyn Invariant>> {
    REGISTRY
        .iter()
        .map(|registered| (registered.make)(settings))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_what_its_page_says() {
        let settings = Settings::default();
        for (page, invariant) in pages().zip(standard(&settings)) {
            let rule = invariant.rule();
            assert_eq!(
                (rule.code, rule.summary, rule.kind, rule.grace, rule.settle),
                (page.code, page.summary, page.kind, page.grace, page.settle)
            );
        }
    }

    #[test]
    fn a_grace_that_is_set_is_kept() {
        for page in pages() {
            let mut settings = Settings::default();
            settings.set(page.code, "grace", "77s").expect("a grace");
            settings.set(page.code, "settle", "78s").expect("a settle");
            let judged = standard(&settings);
            let rule = judged.iter().map(|invariant| invariant.rule());
            let rule = rule.into_iter().find(|rule| rule.code == page.code);
            let times = rule.map(|rule| (rule.grace.as_secs(), rule.settle.as_secs()));
            assert_eq!(times, Some((77, 78)), "{}", page.code);
        }
    }

    #[test]
    fn every_page_says_something_everywhere() {
        for page in pages() {
            let texts = [
                page.summary,
                page.broken_when,
                page.entity,
                page.input,
                page.meaning,
                page.evidence,
                page.origin,
                page.false_alarms,
            ];
            assert!(texts.iter().all(|text| text.len() > 4), "{}", page.code);
            assert!(!page.what_to_do.is_empty(), "{}", page.code);
            for (low, high) in page.ordered {
                let has = |name: &str| page.knobs.iter().any(|knob| knob.name == name);
                assert!(has(low) && has(high), "{}: {low}, {high}", page.code);
            }
            for knob in page.settable() {
                let default = knob.show(knob.default);
                assert_eq!(
                    knob.read(&default),
                    Some(knob.default),
                    "{}: {default}",
                    page.code
                );
            }
        }
    }

    /// What is a symptom of a rule that there is not would never be grouped.
    #[test]
    fn causes_are_rules() {
        for invariant in standard(&Settings::default()) {
            for (cause, _) in &invariant.rule().symptom_of {
                assert!(pages().any(|page| page.code == *cause), "{cause}");
            }
        }
    }
}
