//! How much a finding weighs, how long it lasted, and which regions it is about.

use operator_tikv::log_parser::{EventKind, Finding, Restart, Stamp};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Somebody was hurt.
    Bad,
    /// Worth a look.
    Warn,
    /// As it should be.
    Note,
}

impl Weight {
    pub(super) fn of(finding: &Finding) -> Self {
        match finding {
            Finding::StoreLost(_) | Finding::Storm(_) | Finding::NoQuorum { .. } => Self::Bad,
            Finding::Told {
                kind: EventKind::Panicked | EventKind::DiskFull,
                ..
            } => Self::Bad,
            Finding::CutOff { .. } | Finding::Flapping(_) | Finding::Told { .. } => Self::Warn,
            Finding::PdGone { told_to_stop, .. } => match told_to_stop {
                true => Self::Warn,
                false => Self::Bad,
            },
            Finding::RollingRestart { restarts } if !restarts.iter().all(Restart::is_good) => {
                Self::Warn
            }
            Finding::Restarted(restart) if !restart.is_good() => Self::Warn,
            _ => Self::Note,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Warn => "warn",
            Self::Note => "note",
        }
    }
}

/// From when until when a finding was so; without an end where the logs do not show one.
pub(super) fn lasts(finding: &Finding) -> (Stamp, Option<Stamp>) {
    let from = finding.at();
    let until = match finding {
        Finding::StoreLost(outage) => outage.until,
        Finding::Storm(storm) => Some(storm.last),
        Finding::Evicted(eviction) => eviction.until,
        Finding::Restarted(restart) => Some(restart.started),
        Finding::RollingRestart { restarts } => {
            restarts.iter().map(|restart| restart.started).max()
        }
        Finding::CutOff { candidates, .. } | Finding::NoQuorum { candidates, .. } => {
            candidates.iter().map(|one| one.last).max()
        }
        Finding::Flapping(flapping) => Some(flapping.last),
        Finding::Births { last, .. } | Finding::Told { last, .. } => Some(*last),
        Finding::PdGone { until, .. } => *until,
        Finding::PdLeads { at, .. } => Some(*at),
        _ => Some(from),
    };
    (from, until)
}

/// Whether a finding concerns one of these regions; what is about stores concerns all.
pub(super) fn is_about(finding: &Finding, regions: &[u64]) -> bool {
    regions.is_empty()
        || match finding {
            Finding::Flapping(flapping) => regions.contains(&flapping.region),
            Finding::CutOff { candidates, .. } | Finding::NoQuorum { candidates, .. } => {
                candidates.iter().any(|one| regions.contains(&one.region))
            }
            Finding::Births { .. } => false,
            _ => true,
        }
}

/// The name of a finding: stable, for programs.
pub(super) fn name(finding: &Finding) -> &'static str {
    match finding {
        Finding::StoreLost(_) => "store_lost",
        Finding::Storm(_) => "election_storm",
        Finding::Evicted(_) => "leaders_evicted",
        Finding::Restarted(_) => "store_restarted",
        Finding::RollingRestart { .. } => "rolling_restart",
        Finding::CutOff { .. } => "store_cut_off",
        Finding::NoQuorum { .. } => "no_quorum",
        Finding::Flapping(_) => "leader_flapping",
        Finding::Births { .. } => "regions_born",
        Finding::Told { .. } => "told",
        Finding::PdLeads { .. } => "pd_leads",
        Finding::PdGone { .. } => "pd_gone",
        _ => "other",
    }
}
