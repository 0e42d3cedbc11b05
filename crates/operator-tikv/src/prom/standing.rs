//! Which stores are up, by which instance of theirs. A store that is not up has nothing to read.

use std::collections::{BTreeMap, BTreeSet};

use operator_core::{Error, Gap, Listing, Source, Store, Timestamp, Why};

use super::instances::{self, InstanceTemplate};
use super::own::{Own, moment};
use super::queries::{Query, Scope};
use super::samples::{Samples, Series};
use super::{PromAnswer, PromData, vanished};

/// What was answered in one look.
pub(super) struct Given<'a> {
    /// The moment that all answers are about, by the server's clock.
    pub(super) at: Timestamp,
    pub(super) up: PromAnswer,
    pub(super) rest: BTreeMap<Query, Result<PromAnswer, Error>>,
    /// What needed no asking: none of the requests that it is about were made.
    pub(super) at_rest: BTreeSet<Query>,
    /// The texts of the queries, shared by all that came of them.
    pub(super) sources: BTreeMap<Query, Source>,
    pub(super) scope: &'a Scope,
    pub(super) origin: &'a str,
    pub(super) template: Option<&'a InstanceTemplate>,
}

/// What is known of a store beside its readings.
pub(super) enum Standing<'a> {
    Up(Own<'a>),
    Down { since: Timestamp },
}

/// The rows of an answer by instance, or why there are none that could be believed.
pub(super) type Tables<'a> = BTreeMap<Query, Result<Rows<'a>, Why>>;
pub(super) type Rows<'a> = BTreeMap<&'a str, Vec<Series<'a>>>;

/// Finds each store's instance and whether it is up, and lets `of` read the rest.
pub(super) fn listing<T>(
    stores: &[Store],
    given: &Given<'_>,
    mut of: impl FnMut(&Store, Standing<'_>) -> T,
) -> Listing<T> {
    let measured: Vec<&Store> = stores
        .iter()
        .filter(|store| instances::is_measured(store))
        .collect();
    let ups = vector(&given.up).map(|samples| rows(samples));
    let ups = ups.unwrap_or_default();
    let names: BTreeSet<&str> = ups
        .keys()
        .copied()
        .filter(|name| !name.is_empty())
        .collect();
    let tables: Tables<'_> = given
        .rest
        .iter()
        .map(|(query, answer)| (*query, table(answer)))
        .collect();
    let mut assigned = instances::assign(&measured, &names, given.template);
    let mut vanished = vanished::among(&measured, &assigned, &names, &tables, given);
    let mut listing = Listing::whole(Vec::new());
    for store in measured {
        let instance = assigned
            .remove(&store.id)
            .unwrap_or_else(|| Err(Gap::new("metrics", Why::Unsaid).about(store.entity())));
        let standing = instance
            .map_err(|gap| vanished.remove(&store.id).unwrap_or(gap))
            .map_err(|gap| given.perhaps_left_out(store, gap))
            .and_then(|instance| standing(store, instance, &ups, &tables, given));
        match standing {
            Ok(standing) => listing.items.push(of(store, standing)),
            Err(gap) => listing.gaps.push(gap.at(given.origin)),
        }
    }
    listing
}

/// Whether a store is up, by an answer that is young enough.
fn standing<'a>(
    store: &'a Store,
    instance: &'a str,
    ups: &Rows<'a>,
    tables: &'a Tables<'a>,
    given: &'a Given<'a>,
) -> Result<Standing<'a>, Gap> {
    let gap = |why| Gap::new("metrics", why).about(store.entity());
    let own = Own {
        store,
        instance,
        at: given.at,
        tables,
        given,
    };
    let unusable = |expected: &'static str, found: String| {
        let expected = expected.into();
        gap(Why::Unusable { expected, found })
    };
    let rows = ups.get(instance).map(Vec::as_slice).unwrap_or_default();
    let up = match rows {
        [row] => row.last().and_then(|point| point.value.finite()),
        several => {
            let jobs: Vec<&str> = several.iter().map(|row| row.label("job")).collect();
            let found = format!(
                "{} of {instance}, of jobs {}",
                several.len(),
                jobs.join(", ")
            );
            return Err(unusable("one series `up`", found));
        }
    };
    let sampled = own.row("metrics", Query::UpAt, &[])?;
    let at = moment(sampled);
    let (age, limit) = (given.at.since(at), given.scope.window());
    if age > limit {
        return Err(gap(Why::Stale { age, limit }).since(at));
    }
    match up {
        Some(1.0) => Ok(Standing::Up(Own { at, ..own })),
        Some(0.0) => Ok(Standing::Down { since: at }),
        other => Err(unusable("`up` of 0 or 1", format!("{other:?}"))),
    }
}

/// Why a store that is not up has no readings.
pub(super) fn gone(store: &Store, given: &Given<'_>) -> Gap {
    let because = "it is not up, and what lingers is from before".into();
    Gap::new("metrics", Why::Distrusted { because })
        .about(store.entity())
        .at(given.origin)
}

impl Given<'_> {
    /// The text of a query, as the source of what comes of it.
    pub(super) fn source(&self, query: Query) -> Source {
        let known = self.sources.get(&query).cloned();
        known.unwrap_or_else(|| self.scope.promql(query).into())
    }

    /// What is not in an answer that is not whole may exist all the same.
    fn perhaps_left_out(&self, store: &Store, gap: Gap) -> Gap {
        match self.up.missing.first() {
            Some(missing) => Gap::new("metrics", partial(missing)).about(store.entity()),
            None => gap,
        }
    }
}

fn partial(missing: &str) -> Why {
    let because = format!("the answer is not whole: {missing}").into();
    Why::Distrusted { because }
}

fn vector(answer: &PromAnswer) -> Option<&Samples> {
    match &answer.data {
        PromData::Vector(samples) => Some(samples),
        _ => None,
    }
}

fn rows(samples: &Samples) -> Rows<'_> {
    let mut rows = Rows::new();
    for series in samples.iter() {
        rows.entry(series.label("instance"))
            .or_default()
            .push(series);
    }
    rows
}

fn table(answer: &Result<PromAnswer, Error>) -> Result<Rows<'_>, Why> {
    let answer = answer.as_ref().map_err(|error| Why::from(error.clone()))?;
    believed(answer).map(rows)
}

/// Sums over what is left of a family would be too low: nothing of an answer that is not whole is believed.
pub(super) fn believed(answer: &PromAnswer) -> Result<&Samples, Why> {
    if let Some(missing) = answer.missing.first() {
        return Err(partial(missing));
    }
    vector(answer).ok_or_else(|| Why::Unusable {
        expected: "a vector".into(),
        found: "something else".into(),
    })
}
