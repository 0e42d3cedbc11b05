//! `operator store ID`.

use operator_core::{Entity, Error, Fault, StoreId, StoreState, Subject};
use operator_tikv::{MoveProgress, PdClient};
use serde::Serialize;

use super::Row;
use super::row::{by_name, state_tone};
use crate::args::Store;
use crate::config::Config;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::report::reading::{self, Measure};
use crate::report::{Payload, Reads, Seen};
use crate::target::{Pace, Target};
use crate::text::{Line, Page};
use crate::units;

/// One store.
#[derive(Debug, Serialize)]
struct One {
    store: Option<Row>,
    #[serde(serialize_with = "by_name")]
    strain: Vec<Measure>,
    /// Whether leaders are kept off it.
    evicting: Option<bool>,
    removal: Option<Removal>,
}

/// How far its removal has come.
#[derive(Debug, Serialize)]
struct Removal {
    done_ratio: f64,
    mib_per_second: f64,
    left_seconds: Option<f64>,
}

pub(crate) async fn run(args: Store, config: Config, context: &Context) -> Outcome {
    let target = Target::resolve(&args.whom, config, Pace::Midway).await?;
    let (subject, mut reads) = (target.subject()?, Reads::default());
    let pd = subject.pd();
    let listing = match pd.store(args.id).await {
        Err(error) if error.is_not_found() => return Err(unknown(pd, args.id, &error).await),
        listing => reads.keep("store", listing),
    };
    let mut one = One {
        store: None,
        strain: Vec::new(),
        evicting: None,
        removal: None,
    };
    if let Some(listing) = listing {
        reads.misses(&listing.gaps);
        let metrics = subject.store_metrics(&listing.items).await;
        let metrics = reads.keep("store metrics", metrics);
        let metrics = metrics.iter().flat_map(|metrics| &metrics.items);
        let metrics: Vec<Measure> = metrics.flat_map(reading::of_metrics).collect();
        let strains = match subject.prometheus() {
            Some(prometheus) => prometheus.store_strains(&listing.items).await,
            None => Err(Error::new(
                "measure strain",
                Fault::NotConfigured { what: "Prometheus" },
            )),
        };
        let strains = reads.keep("strain", strains);
        let strains = strains.iter().flat_map(|strains| &strains.items);
        one.strain = strains.flat_map(reading::of_strain).collect();
        let store = listing.items.into_iter().next();
        let is_leaving = store
            .as_ref()
            .is_some_and(|store| store.state == Some(StoreState::Offline));
        one.store = store.map(|store| Row::of(&store, metrics, target.clock.now()));
        let measures = one.store.iter().flat_map(|row| &row.metrics);
        let gaps: Vec<_> = measures
            .chain(&one.strain)
            .filter_map(Measure::gap)
            .collect();
        reads.misses_readings(gaps);
        let schedulers = reads.keep("schedulers", pd.schedulers().await);
        one.evicting = schedulers.map(|schedulers| schedulers.evicting.contains(&args.id));
        if is_leaving {
            let progress = reads
                .keep("progress", pd.progress_of(args.id).await)
                .flatten();
            one.removal = progress.map(|progress| Removal::of(&progress));
        }
    }
    let seen = Seen::new("store", target.clock.now(), &target.shown, one, reads);
    context.say(&seen)?;
    Ok(seen.exit())
}

impl Removal {
    fn of(progress: &MoveProgress) -> Self {
        Self {
            done_ratio: progress.done_ratio,
            mib_per_second: progress.mib_per_second,
            left_seconds: progress.left.map(|left| left.as_secs_f64()),
        }
    }
}

/// There is no such store: says which there are.
async fn unknown(pd: &PdClient, id: StoreId, error: &Error) -> Failure {
    let failure = Failure::unseen(error);
    match pd.stores().await {
        Ok(stores) => {
            let ids = stores.items.iter().map(|store| store.id.to_string());
            let ids: Vec<String> = ids.take(MOST_IDS).collect();
            failure.hint(format!("a store that there is: {}", ids.join(", ")))
        }
        Err(_) => failure.hint(format!(
            "operator stores, for {} is none",
            Entity::Store(id)
        )),
    }
}

const MOST_IDS: usize = 30;

impl Payload for One {
    fn page(&self, context: &Context) -> Page {
        let mut page = Page::default();
        let Some(row) = &self.store else { return page };
        let unknown = || "?".to_owned();
        let state = row.state.clone().unwrap_or_else(unknown);
        let head = Line::default()
            .strong(format!("store/{}", row.id))
            .plain(" ");
        page.line(
            head.tone(state_tone(&state), &state)
                .plain(format!(" at {}", row.address)),
        );
        let text = |value: &Option<String>| value.clone().unwrap_or_else(unknown);
        page.fact("version", text(&row.version));
        page.fact("status address", text(&row.status_address));
        if !row.labels.is_empty() {
            let labels: Vec<String> = row
                .labels
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            page.fact("labels", labels.join(", "));
        }
        let ago = |age: Option<f64>| {
            age.map_or_else(unknown, |age| format!("{} ago", units::seconds(age)))
        };
        page.fact("heartbeat", ago(row.heartbeat_age_seconds));
        page.fact("started", ago(row.uptime_seconds));
        let count = |count: Option<u64>| count.map_or_else(unknown, |count| count.to_string());
        let (leaders, regions) = (count(row.leader_count), count(row.region_count));
        page.fact("regions", format!("{regions}, of which it leads {leaders}"));
        let size = |bytes: Option<u64>| bytes.map_or_else(unknown, units::bytes);
        let used = row.used_ratio().map_or_else(unknown, units::percent);
        let (available, capacity) = (size(row.available_bytes), size(row.capacity_bytes));
        page.fact(
            "disk",
            format!("{used} used, {available} of {capacity} available"),
        );
        page.fact("slow score", count(row.slow_score));
        if row.busy == Some(true) {
            page.fact("busy", "it says that it is");
        }
        if self.evicting == Some(true) {
            page.fact("leaders", "are kept off it by an evict-leader scheduler");
        }
        if let Some(removal) = &self.removal {
            let left = removal
                .left_seconds
                .map(|left| format!(", {} left", units::seconds(left)));
            let done = units::percent(removal.done_ratio);
            let speed = units::amount(removal.mib_per_second);
            let left = left.unwrap_or_default();
            page.fact("removal", format!("{done} done at {speed} MiB/s{left}"));
        }
        measures(&mut page, "measured", &row.metrics, context);
        measures(&mut page, "strain", &self.strain, context);
        page
    }
}

/// Measurements under a heading; of what nobody configured, nothing.
fn measures(page: &mut Page, heading: &str, measures: &[Measure], _: &Context) {
    let shown: Vec<&Measure> = measures
        .iter()
        .filter(|measure| measure.gap().is_none() && measure.text() != "not configured")
        .collect();
    if shown.is_empty() {
        return;
    }
    page.heading(heading);
    for measure in shown {
        page.fact(&measure.name.replace('_', " "), measure.text());
    }
}
