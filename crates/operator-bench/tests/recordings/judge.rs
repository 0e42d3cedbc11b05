//! Holds what was said against what should have been.

use serde_json::Value;

use crate::incident::Incident;
use crate::played::{Change, Played};
use crate::table::{AWAITED, After, Found, Meanwhile, Row, Window};

/// Looks are so far apart, in seconds.
const TICK: u32 = 10;
/// What is told of a moment is stamped with the next whole second at the latest.
const ROUNDING: f64 = 1.0;

/// Everything that is wrong, in sentences.
pub(crate) fn judge(row: &Row, incident: &Incident, offset: u32) -> Vec<String> {
    let case = Case { row, incident };
    let whole = incident.play(offset, None);
    let mut wrong = case.whole(&whole);
    for meanwhile in row.meanwhile {
        let until = case.moment(&meanwhile.after) + f64::from(meanwhile.seconds);
        let part = incident.play(offset, Some(until));
        wrong.extend(case.meanwhile(meanwhile, &part));
    }
    let folder = incident.folder.file_name().unwrap_or_default();
    let of = format!("{} at offset {offset}", folder.to_string_lossy());
    let said: Vec<String> = whole
        .changes
        .iter()
        .map(|change| case.told(change))
        .collect();
    let said = if said.is_empty() {
        "nothing".to_owned()
    } else {
        said.join("\n      ")
    };
    if !wrong.is_empty() {
        wrong.push(format!("said was:\n      {said}"));
    }
    wrong
        .iter()
        .map(|sentence| format!("  {of}: {sentence}"))
        .collect()
}

struct Case<'a> {
    row: &'a Row,
    incident: &'a Incident,
}

fn is_judged(code: &str) -> bool {
    !AWAITED.contains(&code)
}

impl Case<'_> {
    fn whole(&self, played: &Played) -> Vec<String> {
        let summary = &played.summary;
        let mut wrong = Vec::new();
        let judged = self.row.found.iter().filter(|found| is_judged(found.code));
        wrong.extend(judged.filter_map(|found| self.found(found, &played.changes)));
        wrong.extend(
            played
                .changes
                .iter()
                .filter_map(|change| self.uncalled(change)),
        );
        for code in self.row.never {
            let told = played.changes.iter().find(|change| {
                change.code == *code && !matches!(change.change.as_str(), "blinded" | "sighted")
            });
            wrong.extend(told.map(|change| format!("never to be said: {}", self.told(change))));
        }
        for named in self.row.codes() {
            if is_judged(named) && !summary.rules.contains(named) {
                wrong.push(format!("there is no rule {named}"));
            }
        }
        let unasked = summary.not_recorded.iter();
        wrong.extend(unasked.map(|path| format!("was asked, and never recorded: {}", path.path)));
        if summary.prometheus != "played" {
            wrong.push(summary.prometheus.clone());
        }
        wrong.extend(self.logs(played));
        wrong
    }

    /// Whether something was found in its window, and ended in its own.
    fn found(&self, found: &Found, changes: &[Change]) -> Option<String> {
        let entity = self.entity(found.entity);
        let about = |change: &&Change| change.code == found.code && change.entity == entity;
        let fits = |change: &&Change| {
            about(change) && change.change == found.change && change.severity == found.severity
        };
        let (code, word) = (found.code, found.change);
        let due = self.moment(&found.after);
        let late = due + length(&found.window);
        let Some(told) = changes
            .iter()
            .filter(fits)
            .find(|change| change.t >= due - ROUNDING)
        else {
            return Some(format!(
                "{code} of {entity} was not {word} as {}",
                found.severity
            ));
        };
        if told.t > late {
            let (took, may) = (told.t - due, late - due);
            return Some(format!(
                "{code} of {entity} was {word} after {took:.1} s, not {may:.1}"
            ));
        }
        let (after, window) = found.resolved.as_ref()?;
        let due = self.moment(after);
        let ended = changes.iter().filter(about);
        let ended = ended
            .filter(|change| change.change == "resolved")
            .find(|change| change.t > told.t);
        match ended {
            None => Some(format!("{code} of {entity} was not resolved")),
            Some(ended) if ended.t < due => {
                let early = due - ended.t;
                Some(format!(
                    "{code} of {entity} was resolved {early:.1} s too early"
                ))
            }
            Some(ended) if ended.t > due + length(window) => {
                let (took, may) = (ended.t - due, length(window));
                Some(format!(
                    "{code} of {entity} was resolved after {took:.1} s, not {may:.1}"
                ))
            }
            Some(_) => None,
        }
    }

    /// A finding above information that nobody called for, or one about our sight.
    fn uncalled(&self, change: &Change) -> Option<String> {
        let is_finding = matches!(change.change.as_str(), "raised" | "moved");
        let matters = change.severity != "info" || change.kind == "sight";
        let called = self.row.found.iter().any(|found| {
            found.code == change.code
                && self.entity(found.entity) == change.entity
                && found.severity == change.severity
        });
        let allowed = self
            .row
            .may
            .iter()
            .any(|(code, entity)| *code == change.code && self.entity(entity) == change.entity);
        (is_finding && matters && !called && !allowed)
            .then(|| format!("nobody called for: {}", self.told(change)))
    }

    fn meanwhile(&self, expected: &Meanwhile, played: &Played) -> Vec<String> {
        let summary = &played.summary;
        let mut wrong = Vec::new();
        for (code, entity, cause, entities) in expected.open {
            if !is_judged(code) || !is_judged(cause) {
                continue;
            }
            let entity = self.entity(entity);
            let found = summary
                .open
                .iter()
                .find(|open| open.code == *code && open.entity == entity);
            let entities: Vec<String> = entities.iter().map(|entity| self.entity(entity)).collect();
            let fits = found
                .and_then(|open| open.cause.as_ref())
                .is_some_and(|found| found.code == *cause && entities.contains(&found.entity));
            if !fits {
                let after = expected.seconds;
                wrong.push(format!(
                    "{code} of {entity} is not open under {cause} after {after} s: {found:?}"
                ));
            }
        }
        for (code, entity) in expected.pending.iter().filter(|(code, _)| is_judged(code)) {
            let entity = self.entity(entity);
            let found = summary.pending.iter().any(|pending| {
                pending.code == *code
                    && pending.entity == entity
                    && pending.grace_left_seconds > 0.0
            });
            if !found {
                let after = expected.seconds;
                wrong.push(format!("{code} of {entity} is not pending after {after} s"));
            }
        }
        wrong
    }

    fn logs(&self, played: &Played) -> Vec<String> {
        let (summary, expected) = (&played.summary, &self.row.logs);
        let won = |kind: &str| summary.elections.get(kind).copied().unwrap_or(0) > 0;
        let mut wrong = Vec::new();
        if won("timeout") != expected.timeouts || won("transfer") != expected.transfers {
            wrong.push(format!("elections in the logs: {:?}", summary.elections));
        }
        for (words, times) in expected.told {
            // The logs write `store 5` where rules write `store/5`.
            let words = self.incident.named(words).replace("store/", "store ");
            let told = summary
                .timeline
                .iter()
                .filter(|moment| moment.text.contains(&words))
                .count();
            if told < *times {
                wrong.push(format!(
                    "the logs tell of `{words}` {told} times, not {times}"
                ));
            }
        }
        wrong
    }

    fn moment(&self, after: &After) -> f64 {
        let told = match after {
            After::Done(words, nth) => return self.incident.when(words, *nth),
            After::Full(share) => first(self.incident.stores(), |stores| fullest(stores) >= *share),
            After::Listed => first(self.incident.hot_writes(), |hot| hottest(hot).is_some()),
        };
        told.unwrap_or_else(|| panic!("{}: it never happened", self.incident.scenario))
    }

    fn entity(&self, name: &str) -> String {
        if name != "the hot region" {
            return self.incident.named(name);
        }
        let told = self.incident.hot_writes();
        let last = told.iter().rev().find_map(|(_, hot)| hottest(hot));
        format!("region/{}", last.unwrap_or_default())
    }

    fn told(&self, change: &Change) -> String {
        let at = change.t - self.incident.begins();
        let Change {
            change,
            code,
            entity,
            severity,
            ..
        } = change;
        format!("{at:.1} s {change} {severity} {code} {entity}")
    }
}

fn length(window: &Window) -> f64 {
    f64::from(window.delay + TICK + window.grace.next_multiple_of(TICK)) + ROUNDING
}

fn first(told: Vec<(f64, Value)>, is: impl Fn(&Value) -> bool) -> Option<f64> {
    told.into_iter()
        .find(|(_, value)| is(value))
        .map(|(at, _)| at)
}

/// The share of its disk that the fullest store has in use.
fn fullest(stores: &Value) -> f64 {
    let stores = stores["stores"].as_array().into_iter().flatten();
    let full = stores.filter_map(|store| {
        let size = |name: &str| mebibytes(store["status"][name].as_str()?);
        Some(1.0 - size("available")? / size("capacity")?)
    });
    full.fold(0.0, f64::max)
}

/// Sizes as PD writes them for people.
fn mebibytes(text: &str) -> Option<f64> {
    let units = [("GiB", 1024.0), ("MiB", 1.0), ("KiB", 1.0 / 1024.0)];
    let (number, factor) = units
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))?;
    Some(number.parse::<f64>().ok()? * factor)
}

/// The region with the most writes.
fn hottest(hot: &Value) -> Option<u64> {
    let stores = hot["as_leader"].as_object()?.values();
    let spots = stores
        .filter_map(|store| store["statistics"].as_array())
        .flatten();
    let hottest = spots.max_by(|a, b| {
        let flow = |spot: &Value| spot["flow_bytes"].as_f64().unwrap_or(0.0);
        flow(a).total_cmp(&flow(b))
    });
    hottest?["region_id"].as_u64()
}
