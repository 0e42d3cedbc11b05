//! A finding in words for whoever reads it at night.

use operator_tikv::log_parser::{Finding, Hopeless, Outage, Restart, Stamp, Storm};

use crate::span;
use crate::units::counted;

/// What it was, without the moment at which it began.
pub(super) fn words(finding: &Finding) -> String {
    match finding {
        Finding::StoreLost(outage) => lost(outage),
        Finding::Storm(storm) => elected(storm),
        Finding::Evicted(eviction) => {
            let moved = usize::try_from(eviction.moved).unwrap_or(usize::MAX);
            let (store, moved) = (eviction.store, counted(moved, "leader", "leaders"));
            match eviction.until {
                Some(until) => format!(
                    "PD took {moved} off store {store}, and let it lead again after {}",
                    between(eviction.from, until)
                ),
                None => format!("PD took {moved} off store {store}, and has not let it lead again"),
            }
        }
        Finding::Restarted(restart) => restarted(restart),
        Finding::RollingRestart { restarts } => rolling(restarts),
        Finding::CutOff {
            candidate,
            candidates,
        } => format!(
            "{candidate} is cut off from {}: {} in vain, no leader changed",
            counted(candidates.len(), "region", "regions"),
            campaigns(candidates)
        ),
        Finding::NoQuorum {
            candidate,
            candidates,
        } => format!(
            "{} without a leader: {candidate} began {} in vain",
            counted(candidates.len(), "region", "regions"),
            campaigns(candidates)
        ),
        Finding::Flapping(flapping) => format!(
            "region {} changed its leader {} times within {}",
            flapping.region,
            flapping.elections,
            between(flapping.first, flapping.last)
        ),
        Finding::Births {
            regions,
            first,
            last,
        } => format!(
            "{}{}",
            counted(*regions, "region was born", "regions were born"),
            within(*first, *last)
        ),
        Finding::Told {
            log,
            kind,
            lines,
            first,
            last,
        } => {
            let lines = counted(
                usize::try_from(*lines).unwrap_or(usize::MAX),
                "line",
                "lines",
            );
            format!("{log} wrote {lines} of {kind}{}", within(*first, *last))
        }
        Finding::PdLeads { member, .. } => format!("PD member {member} leads"),
        Finding::PdGone {
            member,
            told_to_stop,
            from,
            until,
        } => {
            let how = match told_to_stop {
                true => "was stopped",
                false => "was killed or crashed",
            };
            format!(
                "PD member {member} {how} after this last event{}",
                back(*from, *until)
            )
        }
        other => {
            // Kinds that are younger than this page say themselves what they are.
            let text = other.to_string();
            text.split_once(' ')
                .map_or_else(String::new, |(_, words)| words.to_owned())
        }
    }
}

fn lost(outage: &Outage) -> String {
    let seen = match outage.witnesses {
        0 => String::new(),
        witnesses => format!(
            " (seen by {})",
            counted(witnesses, "other log", "other logs")
        ),
    };
    let (store, kind) = (outage.store, outage.kind);
    format!(
        "store {store} {kind}{seen}{}",
        back(outage.from, outage.until)
    )
}

fn elected(storm: &Storm) -> String {
    let regions = counted(storm.regions, "region", "regions");
    let within = within(storm.first, storm.last);
    let why = match (&storm.lost, &storm.outage) {
        (Some(lost), Some(outage)) => format!("{lost} was lost ({})", outage.kind),
        (Some(lost), None) => format!("{lost} led them before"),
        (None, _) => "who led before is in no log".to_owned(),
    };
    format!("{regions} elected by timeout{within}: {why}")
}

fn restarted(restart: &Restart) -> String {
    let moved = counted(
        usize::try_from(restart.evicted).unwrap_or(usize::MAX),
        "leader",
        "leaders",
    );
    let how = match restart.timeouts {
        0 => "none timed out".to_owned(),
        timeouts => format!("{timeouts} timed out"),
    };
    let away = between(restart.stopped, restart.started);
    format!(
        "store {} restarted in {away}: {moved} handed over before, {how}",
        restart.store
    )
}

fn rolling(restarts: &[Restart]) -> String {
    let timeouts: u64 = restarts.iter().map(|restart| restart.timeouts).sum();
    let how = match timeouts {
        0 => "good, every leader was handed over".to_owned(),
        1 => "bad, 1 region had to time out".to_owned(),
        timeouts => format!("bad, {timeouts} regions had to time out"),
    };
    let stores: Vec<String> = restarts
        .iter()
        .map(|restart| {
            let away = between(restart.stopped, restart.started);
            format!("{} (away {away})", restart.store)
        })
        .collect();
    format!("rolling restart of stores {}: {how}", stores.join(", "))
}

fn campaigns(candidates: &[Hopeless]) -> String {
    let tries: u64 = candidates.iter().map(|one| u64::from(one.tries)).sum();
    counted(
        usize::try_from(tries).unwrap_or(usize::MAX),
        "campaign",
        "campaigns",
    )
}

fn back(from: Stamp, until: Option<Stamp>) -> String {
    match until {
        Some(until) => format!(", back after {}", between(from, until)),
        None => ", not back before the logs end".to_owned(),
    }
}

/// In how much time, where it was more than a moment.
fn within(first: Stamp, last: Stamp) -> String {
    match last.utc_ms - first.utc_ms {
        ..100 => String::new(),
        _ => format!(" within {}", between(first, last)),
    }
}

pub(super) fn between(from: Stamp, until: Stamp) -> String {
    ms(u64::try_from(until.utc_ms - from.utc_ms).unwrap_or(0))
}

/// Milliseconds as people say them.
pub(super) fn ms(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..100_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => span::lasts(std::time::Duration::from_millis(ms)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_said_with_as_many_places_as_matter() {
        for (count, expected) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_049, "1.0 s"),
            (99_999, "99.9 s"),
            (200_100, "3 min 20 s"),
        ] {
            assert_eq!(ms(count), expected);
        }
    }
}
