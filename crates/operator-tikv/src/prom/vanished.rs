//! Targets that were measured and are no more, as when a pod is gone: a witness that a store is gone too.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use operator_core::{Gap, Store, StoreId, Timestamp, Why};

use super::instances;
use super::own::moment;
use super::queries::Query;
use super::standing::{Given, Rows, Tables};

/// For so long a target is remembered that is no more.
const REMEMBERED: Duration = Duration::from_secs(600);

/// The stores whose targets are no more, with the gap that says when each was last seen.
///
/// An instance that is no store's own may be one of them by another name, so while there is one, none is said to
/// have vanished; nor where all of them would have, which says something of the server and nothing of stores.
pub(super) fn among(
    stores: &[&Store],
    assigned: &BTreeMap<StoreId, Result<&str, Gap>>,
    present: &BTreeSet<&str>,
    tables: &Tables<'_>,
    given: &Given<'_>,
) -> BTreeMap<StoreId, Gap> {
    let claimed: BTreeSet<&str> = assigned
        .values()
        .filter_map(|own| own.as_ref().ok().copied())
        .collect();
    let missing: Vec<&Store> = stores
        .iter()
        .copied()
        .filter(|store| assigned.get(&store.id).is_none_or(Result::is_err))
        .collect();
    let Some(Ok(times)) = tables.get(&Query::UpAt) else {
        return BTreeMap::new();
    };
    if missing.is_empty() || present.is_empty() || claimed != *present {
        return BTreeMap::new();
    }
    let before: BTreeSet<&str> = times
        .keys()
        .copied()
        .filter(|instance| !instance.is_empty() && !present.contains(instance))
        .collect();
    instances::assign(&missing, &before, given.template)
        .into_iter()
        .filter_map(|(store, instance)| {
            let at = last_seen(times, instance.ok()?)?;
            // What ended is marked one scrape later. What is younger has just begun, between two queries.
            let age = given.at.since(at);
            let ended = age >= given.scope.scrape_every() && age <= REMEMBERED;
            let gap = Gap::new("metrics", Why::Vanished).since(at);
            ended.then(|| (store, gap.about(operator_core::Entity::Store(store))))
        })
        .collect()
}

fn last_seen(times: &Rows<'_>, instance: &str) -> Option<Timestamp> {
    match times.get(instance)?.as_slice() {
        [row] => row.last()?.value.finite().map(moment),
        _ => None,
    }
}
