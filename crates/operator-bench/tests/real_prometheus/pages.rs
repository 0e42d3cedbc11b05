//! Recorded pages of real servers, scraped by a real Prometheus. They are read from outside of the project;
//! where the folders are absent, that is said and nothing is judged.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use operator_bench::replay::unpack;
use operator_core::{Clock, Store};

use crate::support::{
    SLOW, Target, by_instance, client, instance, moment, say, scraping, serve, store,
};

const WRITES: [&str; 8] = [
    "kv_prewrite",
    "kv_commit",
    "kv_flush",
    "raw_put",
    "raw_batch_put",
    "raw_delete",
    "raw_batch_delete",
    "raw_compare_and_swap",
];

/// A page, line by line, and which of its families only grow.
struct Page {
    lines: Vec<Line>,
}

enum Line {
    Comment(String),
    Sample {
        series: String,
        value: f64,
        grows: bool,
    },
}

impl Page {
    fn parse(text: &str) -> Self {
        let mut growing = BTreeSet::new();
        let lines = text.lines().map(|line| {
            if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').expect("a name and a type");
                match kind {
                    "counter" => drop(growing.insert(name.to_owned())),
                    "histogram" | "summary" => {
                        growing.extend(
                            ["_bucket", "_count", "_sum"].map(|end| format!("{name}{end}")),
                        );
                    }
                    _ => {}
                }
            }
            if line.starts_with('#') || line.trim().is_empty() {
                return Line::Comment(line.to_owned());
            }
            let (series, value) = line.rsplit_once(' ').expect("a series and a value");
            let name = series.split('{').next().unwrap_or_default();
            Line::Sample {
                series: series.to_owned(),
                value: value.parse().expect("a number"),
                grows: growing.contains(name),
            }
        });
        let lines = lines.collect();
        Self { lines }
    }

    /// The page as it would be had everything that grows grown so many times as much.
    fn grown(&self, times: f64) -> String {
        let mut text = String::new();
        for line in &self.lines {
            match line {
                Line::Comment(line) => writeln!(text, "{line}"),
                Line::Sample {
                    series,
                    value,
                    grows: true,
                } => writeln!(text, "{series} {}", value * times),
                Line::Sample { series, value, .. } => writeln!(text, "{series} {value}"),
            }
            .expect("a string takes all");
        }
        text
    }

    fn samples<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.lines.iter().filter_map(move |line| match line {
            Line::Sample { series, value, .. } => {
                let rest = series.strip_prefix(name)?;
                (rest.is_empty() || rest.starts_with('{')).then_some((rest, *value))
            }
            Line::Comment(_) => None,
        })
    }

    fn one(&self, name: &str, labels: &str) -> Option<f64> {
        let mut found = self.samples(name).filter(|(rest, _)| rest.contains(labels));
        found.next().map(|(_, value)| value)
    }

    /// The buckets of all writes, by bound.
    fn writes(&self) -> BTreeMap<u64, (f64, f64)> {
        let mut buckets = BTreeMap::new();
        for (labels, count) in self.samples("tikv_grpc_msg_duration_seconds_bucket") {
            let is_write = WRITES
                .iter()
                .any(|kind| labels.contains(&format!("type=\"{kind}\"")));
            let bound = labels
                .split("le=\"")
                .nth(1)
                .and_then(|rest| rest.split('"').next());
            let bound: f64 = bound.expect("a bound").parse().expect("a number");
            if is_write {
                // Bounds are not negative: their bits are in their order.
                buckets.entry(bound.to_bits()).or_insert((bound, 0.0)).1 += count;
            }
        }
        buckets
    }

    /// The value that so large a share of the writes is at or below, evenly between two bounds.
    fn write_quantile(&self, ratio: f64) -> Option<f64> {
        let buckets = self.writes();
        let total = buckets.values().last().map(|(_, count)| *count)?;
        let (mut low, mut below) = (0.0, 0.0);
        for (bound, count) in buckets.into_values() {
            if count >= ratio * total && count > 0.0 {
                return Some(low + (bound - low) * (ratio * total - below) / (count - below));
            }
            (low, below) = (bound, count);
        }
        None
    }
}

/// Every recorded page of a store, by a name.
fn recorded() -> Vec<(String, Page)> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let unpacked = std::env::temp_dir().join(format!("operator-pages-{}", std::process::id()));
    let archive = shared.join("recordings/healthy/pages.tar.gz");
    if archive.is_file() {
        unpack(&archive, &unpacked).expect("an archive");
    }
    let folders = [shared.join("samples/metrics-pages"), unpacked.join("pages")];
    let files = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten();
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    let name = |path: &Path| {
        path.file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let stores = files.iter().filter(|path| name(path).starts_with("tikv"));
    let pages = stores.map(|path| {
        let text = fs::read_to_string(path).expect("text");
        (name(path), Page::parse(&text))
    });
    let pages = pages.collect();
    // What was unpacked is read.
    let _ = fs::remove_dir_all(unpacked);
    pages
}

#[tokio::test]
async fn recorded_pages_are_read_as_they_are_written() {
    let recorded = recorded();
    if recorded.is_empty() {
        say("there are no recorded pages");
        return;
    }
    let ids: Vec<u64> = (1..).take(recorded.len()).collect();
    let pages: BTreeMap<u64, Page> = ids
        .iter()
        .copied()
        .zip(recorded.into_iter().map(|(_, page)| page))
        .collect();
    let pages = std::sync::Arc::new(pages);
    let served = pages.clone();
    let began = Clock::system().now();
    let address = serve(move |path, _| {
        let id: u64 = path.strip_prefix("/store/")?.parse().ok()?;
        let lived = Clock::system().now().since(began);
        Some(served.get(&id)?.grown(1.0 + lived.as_secs_f64()))
    });
    let target = |id: &u64| Target {
        instance: instance(*id),
        address: address.clone(),
        path: format!("/store/{id}"),
    };
    let targets: Vec<Target> = ids.iter().map(target).collect();
    let Some(server) = scraping(SLOW, &targets) else {
        return;
    };
    let address = server.address().expect("it runs").to_owned();
    let at = moment(&client(&address, SLOW, None), SLOW, ids.len(), SLOW.scrape).await;
    let asked = client(&address, SLOW, Some(at));
    let stores: Vec<Store> = ids.iter().map(|id| store(*id)).collect();
    let listing = asked.store_metrics(&stores).await.expect("metrics");
    assert_eq!(
        (listing.items.len(), listing.gaps.len()),
        (ids.len(), 0),
        "{:?}",
        listing.gaps
    );
    let theirs = by_instance(
        &asked,
        &format!(
            "histogram_quantile(0.99, sum by (instance,le) (rate(tikv_grpc_msg_duration_seconds_bucket{{type=~\"{}\"}}[{}s])))",
            WRITES.join("|"),
            SLOW.window().as_secs()
        ),
        at,
    )
    .await;
    let mut quantiles = 0;
    for metrics in &listing.items {
        let page = &pages[&metrics.store.0];
        let of = |name, labels| page.one(name, labels);
        let whole = |value: Option<&u64>| value.map(|value| *value as f64);
        let size = "tikv_store_size_bytes";
        assert_eq!(
            whole(metrics.disk_capacity_bytes.value()),
            of(size, r#"type="capacity""#)
        );
        assert_eq!(
            whole(metrics.disk_available_bytes.value()),
            of(size, r#"type="available""#)
        );
        assert_eq!(
            whole(metrics.memory_used_bytes.value()),
            of("process_resident_memory_bytes", "")
        );
        let regions = "tikv_raftstore_region_count";
        assert_eq!(
            whole(metrics.region_count.value()),
            of(regions, r#"type="region""#)
        );
        assert_eq!(
            whole(metrics.leader_count.value()),
            of(regions, r#"type="leader""#)
        );
        let started = metrics
            .process_started_at
            .value()
            .map(|at| at.unix_millis() as f64 / 1000.0);
        let expected = of("process_start_time_seconds", "").expect("a start");
        assert!(
            started.is_some_and(|started| (started - expected).abs() < 0.001),
            "{started:?}"
        );

        // Everything on a page grows alike, so that a window holds what the page does.
        let Some(ours) = metrics.write_p99_seconds.value() else {
            continue;
        };
        let known = theirs
            .iter()
            .find(|(instance, _)| *instance == self::instance(metrics.store.0));
        let (_, theirs) = known.expect("the server's quantile");
        let expected = page.write_quantile(0.99).expect("writes on the page");
        assert!(
            (ours - theirs).abs() <= theirs * 1e-9,
            "{ours} and {theirs}"
        );
        assert!(
            (ours - expected).abs() <= expected * 1e-6,
            "{ours} and {expected} of the page"
        );
        quantiles += 1;
    }
    assert!(quantiles > 0, "no page had enough writes");
}
