//! Schedulers, operators and the progress of stores.

use std::collections::BTreeMap;
use std::time::Duration;

use operator_core::{Epoch, Fault, Gap, Listing, RegionId, StoreId, Timestamp, Why};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{ids, json};
use crate::facts::{MoveKind, MoveProgress, PausedScheduler, PdOperator};
use crate::pd::units;

/// The longest remaining time that is a guess and not PD's way to say that it has none.
const LONGEST_LEFT: Duration = Duration::from_secs(100 * 366 * 24 * 3600);

/// Names of schedulers, in order: PD gives them in another one at each call, and `null` for none.
pub(crate) fn schedulers(body: &[u8]) -> Result<Vec<String>, Fault> {
    let names: Option<Vec<String>> = json(body, "a list of schedulers")?;
    let mut names = names.unwrap_or_default();
    names.sort();
    Ok(names)
}

/// Paused schedulers: with times, or from versions that have none as bare names.
pub(crate) fn paused(body: &[u8]) -> Result<Vec<PausedScheduler>, Fault> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Wire {
        Name(String),
        Times {
            name: String,
            paused_at: Option<String>,
            resume_at: Option<String>,
        },
    }
    let wire: Option<Vec<Wire>> = json(body, "a list of paused schedulers")?;
    let moment = |text: Option<String>| text.as_deref().and_then(units::rfc3339);
    let paused = |wire| match wire {
        Wire::Name(name) => PausedScheduler {
            name,
            since: None,
            until: None,
        },
        Wire::Times {
            name,
            paused_at,
            resume_at,
        } => PausedScheduler {
            name,
            since: moment(paused_at),
            until: moment(resume_at),
        },
    };
    let mut paused: Vec<_> = wire.into_iter().flatten().map(paused).collect();
    paused.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(paused)
}

/// The stores that an evict-leader scheduler holds.
pub(crate) fn evicting(body: &[u8]) -> Result<Vec<StoreId>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Wire {
        #[serde(deserialize_with = "ids")]
        store_id_ranges: BTreeMap<StoreId, IgnoredAny>,
    }
    let wire: Wire = json(body, "an object with `store-id-ranges`")?;
    Ok(wire.store_id_ranges.into_keys().collect())
}

/// How far a store has come.
pub(crate) fn progress(body: &[u8]) -> Result<MoveProgress, Fault> {
    #[derive(Deserialize)]
    struct Wire {
        action: String,
        store_id: Option<u64>,
        progress: f64,
        current_speed: f64,
        /// The largest number there is while there is no guess.
        left_seconds: f64,
    }
    let wire: Wire = json(body, "the progress of a store")?;
    let kind = match wire.action.as_str() {
        "removing" => MoveKind::Removing,
        "preparing" => MoveKind::Preparing,
        other => {
            return Err(Fault::Decode {
                expected: "`removing` or `preparing`".into(),
                found: format!("`{other}`"),
            });
        }
    };
    let left = Duration::try_from_secs_f64(wire.left_seconds).ok();
    Ok(MoveProgress {
        kind,
        store: wire.store_id.filter(|id| *id != 0).map(StoreId),
        done_ratio: wire.progress,
        mib_per_second: wire.current_speed,
        left: left.filter(|left| *left <= LONGEST_LEFT),
    })
}

/// Operators, each of which PD prints as one line; `null` for none.
pub(crate) fn operators(body: &[u8]) -> Result<Listing<PdOperator>, Fault> {
    let lines: Option<Vec<String>> = json(body, "a list of operators")?;
    let mut listing = Listing::whole(Vec::new());
    for line in lines.unwrap_or_default() {
        match operator(&line) {
            Some(operator) => listing.items.push(operator),
            None => {
                let expected = "`description {brief} (kind:.., region:ID(version, conf_ver), ..)`";
                let found = super::beginning(line.as_bytes());
                let expected = expected.into();
                let why = Why::Unusable { expected, found };
                listing.gaps.push(Gap::new("operator", why));
                super::bound(listing.gaps.len(), "operator")?;
            }
        }
    }
    Ok(listing)
}

/// `description {brief} (kind:a,b, region:1(2, 3), createAt:TIME, startAt:TIME, ..) finished (finishAt:TIME, duration:1s)`.
/// The brief may hold anything but ends before ` (kind:`, where the first such is the one.
fn operator(line: &str) -> Option<PdOperator> {
    let (head, rest) = line.split_once(" (kind:")?;
    let (description, brief) = head.split_once(" {")?;
    let (kinds, rest) = rest.split_once(", region:")?;
    let (region, rest) = rest.split_once('(')?;
    let (version, rest) = rest.split_once(", ")?;
    let (conf_ver, rest) = rest.split_once(')')?;
    let epoch = version.parse().ok().zip(conf_ver.parse().ok());
    let field = |name: &str| Some(rest.split_once(name)?.1.split([',', ')']).next()?.trim());
    Some(PdOperator {
        description: description.to_owned(),
        brief: brief.strip_suffix('}')?.to_owned(),
        region: RegionId(region.parse().ok()?),
        epoch: epoch.map(|(version, conf_ver)| Epoch { conf_ver, version }),
        kinds: kinds.split(',').map(str::to_owned).collect(),
        created_at: field("createAt:").and_then(moment),
        started_at: field("startAt:").and_then(moment),
        finished_at: field("finishAt:").and_then(moment),
        took: field("duration:").and_then(units::duration),
    })
}

/// A moment as Go prints it: `2026-06-17 21:35:24.1234 +0800 CST m=+604.1`. The year 1 is none.
fn moment(text: &str) -> Option<Timestamp> {
    let mut words = text.split_whitespace();
    let (day, time, zone) = (words.next()?, words.next()?, words.next()?);
    let (hours, minutes) = zone.split_at_checked(3)?;
    units::rfc3339(&format!("{day}T{time}{hours}:{minutes}"))
}
