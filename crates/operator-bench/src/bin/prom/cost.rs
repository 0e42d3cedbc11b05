//! What a look costs the server where stores export as many series as those of 8.5 do.

use std::time::Duration;

use operator_tikv::{PromClient, PromOptions};

use crate::{Outcome, cluster, median, now, stores};

const EVERY: Duration = Duration::from_secs(30);
const ROUNDS: usize = 5;

/// The P99 of all requests, which dashboards ask for.
const ALL_TYPES: &str = r#"histogram_quantile(0.99, sum by (instance,le) (rate(tikv_grpc_msg_duration_seconds_bucket{job="tikv"}[120s])))"#;
/// Buckets of all writes and reads that there could be, whether they move or not.
const ALL_WRITES: &str = r#"sum by (instance,le) (rate(tikv_grpc_msg_duration_seconds_bucket{job="tikv",type=~"kv_prewrite|kv_commit|kv_flush|raw_put|raw_batch_put|raw_delete|raw_batch_delete|raw_compare_and_swap"}[120s]))"#;
const ALL_READS: &str = r#"sum by (instance,le) (rate(tikv_grpc_msg_duration_seconds_bucket{job="tikv",type=~"kv_get|kv_batch_get|kv_batch_get_command|kv_scan|raw_get|raw_batch_get|raw_batch_get_command|raw_scan"}[120s]))"#;

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn run(count: u64) -> Outcome {
    let server = cluster::Prometheus::start(count, EVERY, cluster::full_page())?;
    let patient = || PromOptions {
        scrape_every: EVERY,
        within: Duration::from_secs(60),
        limit_bytes: 64 << 20,
        ..PromOptions::default()
    };
    let live = PromClient::with(&server.url, patient())?;
    server.filled(&live, count).await?;
    // A rate needs a window that is full.
    tokio::time::sleep(EVERY * 3).await;
    let at = live.server_time().await?.now;
    server.settle()?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let options = PromOptions {
        parameters: vec![("time".into(), (at.unix_millis() / 1000).to_string())],
        ..patient()
    };
    let client = PromClient::with(&server.url, options)?;
    let stores = stores(count);
    let names = [
        "one look",
        "buckets of all writes and reads",
        "the P99 of all types",
        "a look at strain",
        "the contract",
    ];
    let mut taken = vec![Vec::new(); names.len()];
    for round in 0..=ROUNDS {
        for (way, taken) in taken.iter_mut().enumerate() {
            let (began, used) = (now(), server.cpu()?);
            match way {
                0 => {
                    let look = client.measure(&stores).await?;
                    if look.stores.items.len() as u64 != count
                        || look.cluster.write_p99_seconds.value().is_none()
                    {
                        return Err("a store was not seen".into());
                    }
                }
                1 => {
                    client.query(ALL_WRITES, None).await?;
                    client.query(ALL_READS, None).await?;
                }
                2 => drop(client.query(ALL_TYPES, None).await?),
                3 => drop(client.store_strains(&stores).await?),
                _ => drop(client.contract().await?),
            }
            let cpu = server.cpu()?.saturating_sub(used).as_secs_f64();
            // The first round warms up.
            if round > 0 {
                taken.push([cpu, now().duration_since(began).as_secs_f64()]);
            }
        }
    }
    println!("{count} stores with 5,000 series of requests each, medians of {ROUNDS} rounds");
    let of =
        |taken: &[[f64; 2]], which: usize| median(taken.iter().map(|round| round[which]).collect());
    let look = of(&taken[0], 0);
    for (name, taken) in names.iter().zip(&taken) {
        let (cpu, wall) = (of(taken, 0), of(taken, 1));
        println!(
            "  {name:32} {cpu:7.2} s of the server's processors, {wall:7.2} s to wait   {:6.2} times a look",
            cpu / look
        );
    }
    Ok(())
}
