//! What PD's bodies say, as values. Each file has the wire shapes of its own and hands out none of them;
//! nothing here does I/O, and nothing a server can send makes it panic.

mod config;
mod hot;
mod members;
mod region;
mod regions;
mod schedule;
mod stores;

use std::collections::BTreeMap;

use operator_core::{Entity, Fault, Gap, Listing, StoreId, Why};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

pub(crate) use config::{placement_rules, replication_config, schedule_config};
pub(crate) use hot::{hot_spots, hot_stores};
pub(crate) use members::{cluster_id, cluster_status, health, leader, members, version};
pub(crate) use regions::{RegionList, RegionsRead, count, end_at_a_glance, holes, one};
pub(crate) use schedule::{evicting, operators, paused, progress, schedulers};
pub(crate) use stores::{Unsettled, store, stores};

/// How much of what could not be read is shown.
const FOUND_CHARS: usize = 60;
/// With more bad items than this a list is none: what is said of them must have an end.
const MOST_BAD: usize = 1000;

/// A whole body as a value; `expected` says what it should have been.
fn json<'a, T: Deserialize<'a>>(body: &'a [u8], expected: &str) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| Fault::Decode {
        expected: expected.to_owned(),
        found: format!("{} ({error})", beginning(body)),
    })
}

/// A list in which one bad item costs itself: a gap that names it.
fn listing<'a, W: Deserialize<'a>, T>(
    items: &[&'a RawValue],
    kind: &'static str,
    name: fn(&RawValue) -> Option<Entity>,
    mut convert: impl FnMut(W, &mut Vec<Gap>) -> Option<T>,
) -> Result<Listing<T>, Fault> {
    let mut listing = Listing::whole(Vec::new());
    let mut bad = 0;
    for (position, item) in items.iter().enumerate() {
        let mut gaps = Vec::new();
        let problem = match serde_json::from_str(item.get()) {
            Ok(wire) => match convert(wire, &mut gaps) {
                Some(value) => {
                    listing.items.push(value);
                    listing.gaps.extend(gaps);
                    continue;
                }
                None => "it lacks what every item has".to_owned(),
            },
            Err(error) => error.to_string(),
        };
        bad += 1;
        bound(bad, kind)?;
        let found = format!("{} ({problem})", beginning(item.get().as_bytes()));
        let why = Why::Unusable {
            expected: format!("a {kind}").into(),
            found,
        };
        listing.gaps.push(match name(item) {
            Some(entity) => Gap::new(kind, why).about(entity),
            None => Gap::new(format!("{kind} number {} of the list", position + 1), why),
        });
    }
    Ok(listing)
}

fn bound(bad: usize, kind: &str) -> Result<(), Fault> {
    match bad > MOST_BAD {
        true => Err(Fault::Decode {
            expected: format!("a {kind} in each item of the list"),
            found: format!("more than {MOST_BAD} that are none"),
        }),
        false => Ok(()),
    }
}

/// The beginning of a text that could not be read, on one line.
fn beginning(body: &[u8]) -> String {
    if body.is_empty() {
        return "nothing".to_owned();
    }
    // A character takes at most four bytes.
    let head = body.get(..FOUND_CHARS * 4).unwrap_or(body);
    let text = String::from_utf8_lossy(head);
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(FOUND_CHARS) {
        Some((end, _)) => format!("`{}..`", text.get(..end).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}

/// Go writes an empty list or map as `null`.
fn or_empty<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A map whose keys are store ids as text, or `null`.
fn ids<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<BTreeMap<StoreId, T>, D::Error> {
    let map: Option<BTreeMap<u64, T>> = Option::deserialize(deserializer)?;
    let map = map.unwrap_or_default().into_iter();
    Ok(map.map(|(id, value)| (StoreId(id), value)).collect())
}
