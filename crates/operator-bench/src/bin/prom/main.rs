//! Reading Prometheus, side by side with what else could read it. All ways take turns within one run, and
//! ratios are medians of each round's.

mod cluster;
mod cost;
mod decode;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use operator_core::{Store, StoreId};
use operator_tikv::{PromClient, PromOptions};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "usage:
  prom decode [ROUNDS]    a vector of 5,000 samples: the client's decoder and serde_json into owned maps
  prom observe [ROUNDS]   300 stores on a real server: one look, and a loop of six queries per store
  prom cost [STORES]      stores with 5,000 series of requests each: processor time of the server per look";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["decode"] => decode::run(101),
        ["decode", rounds] => rounds.parse().map_err(Into::into).and_then(decode::run),
        ["cost"] => cost::run(STORES),
        ["cost", stores] => stores.parse().map_err(Into::into).and_then(cost::run),
        ["observe"] => observe(7),
        ["observe", rounds] => rounds.parse().map_err(Into::into).and_then(observe),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

const STORES: u64 = 300;

/// What the original asked about each store, one after the other.
const PER_STORE: [&str; 6] = [
    r#"sum(rate(tikv_grpc_msg_duration_seconds_count{job="tikv",instance="$I"}[1m]))"#,
    r#"histogram_quantile(0.99, sum by (le) (rate(tikv_grpc_msg_duration_seconds_bucket{job="tikv",instance="$I"}[1m])))"#,
    r#"tikv_store_size_bytes{job="tikv",instance="$I",type="used"}"#,
    r#"tikv_store_size_bytes{job="tikv",instance="$I",type="capacity"}"#,
    r#"rate(process_cpu_seconds_total{job="tikv",instance="$I"}[1m])"#,
    r#"histogram_quantile(0.99, sum by (le) (rate(tikv_raftstore_log_lag_bucket{job="tikv",instance="$I"}[1m])))"#,
];

#[tokio::main(flavor = "current_thread")]
async fn observe(rounds: usize) -> Outcome {
    let server = cluster::Prometheus::start(STORES, Duration::from_secs(10), cluster::page)?;
    let direct = PromClient::new(&server.url)?;
    server.filled(&direct, STORES).await?;
    let stores = stores(STORES);
    for delay in [Duration::ZERO, Duration::from_millis(1)] {
        let url = cluster::delayed(&server.url, delay).await?;
        let client = PromClient::with(&url, PromOptions::default())?;
        let mut taken: Vec<[f64; 2]> = Vec::new();
        for round in 0..=rounds {
            let began = now();
            let listing = client.store_metrics(&stores).await?;
            let look = now().duration_since(began).as_secs_f64();
            if listing.items.len() as u64 != STORES {
                return Err("a store was not seen".into());
            }
            let began = now();
            for store in &stores {
                let instance = store.status_address.as_deref().unwrap_or_default();
                for query in PER_STORE {
                    client.query(&query.replace("$I", instance), None).await?;
                }
            }
            let one_by_one = now().duration_since(began).as_secs_f64();
            // The first round warms up.
            if round > 0 {
                taken.push([look, one_by_one]);
            }
        }
        println!(
            "{STORES} stores, {} ms added to each request",
            delay.as_millis()
        );
        report(&["one look", "store by store"], &taken);
    }
    Ok(())
}

fn stores(count: u64) -> Vec<Store> {
    let store = |id| Store {
        status_address: Some(cluster::instance(id)),
        ..Store::new(StoreId(id), format!("{}:20160", cluster::host(id)))
    };
    (1..=count).map(store).collect()
}

/// Prints medians, and the median of each round's ratio to the first.
fn report(names: &[&str; 2], taken: &[[f64; 2]]) {
    for (position, name) in names.iter().enumerate() {
        let own = median(taken.iter().map(|round| round[position]).collect());
        let ratio = median(
            taken
                .iter()
                .map(|round| round[position] / round[0])
                .collect(),
        );
        println!(
            "  {name:32} {:10.3} ms   {ratio:6.2} times the first",
            own * 1000.0
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures time itself"
)]
fn now() -> Instant {
    Instant::now()
}
