//! A Prometheus that ends and comes back: what cannot be seen is said, and nothing is taken for absent.

use std::net::Ipv4Addr;
use std::time::Duration;

use operator_core::{Clock, Fault, Reading, Store, StoreMetrics, Timestamp, Why};
use operator_sim::HeldPort;
use operator_tikv::{Point, PromClient, PromData, Series};

use crate::support::{
    PATIENCE, QUICK, SLOW, Target, client, instance, job, moment, running, serve, store,
};

/// So many series make the server's log of what it measured long enough to be seen reading it.
const BULK: u64 = 60_000;

fn page(requests: u64) -> String {
    let buckets = ["0.1024", "+Inf"].map(|le| {
        format!(
            "tikv_grpc_msg_duration_seconds_bucket{{type=\"kv_prewrite\",le=\"{le}\"}} {requests}\n"
        )
    });
    format!(
        "tikv_server_info{{version=\"8.1.2\"}} 1\n{}",
        buckets.concat()
    )
}

/// Everything that a look may come to.
#[derive(Debug, PartialEq)]
enum Look {
    /// There was no usable answer, and that was said.
    Refused,
    /// There was one, and of the store there was nothing young enough to be believed, which was said.
    Stale,
    /// A page did not come in time.
    Down,
    /// The store is up.
    Up(Box<StoreMetrics>),
}

async fn look(client: &PromClient, store: &Store) -> Look {
    let listing = match client.store_metrics(std::slice::from_ref(store)).await {
        Ok(listing) => listing,
        Err(error) => {
            let expected = match &*error.fault {
                Fault::Transport { .. } | Fault::TimedOut { .. } => true,
                Fault::Status { code, .. } => *code == 503,
                _ => false,
            };
            assert!(expected, "{error:#}");
            return Look::Refused;
        }
    };
    match (&listing.items[..], &listing.gaps[..]) {
        ([metrics], []) => match &metrics.up {
            Reading::Seen(up) if up.value => Look::Up(Box::new(metrics.clone())),
            Reading::Seen(up) => {
                // Nothing but the store's own page says that it is down, where that was waited for in vain.
                assert!(was_lost(client, store, up.sampled_at).await, "{metrics:?}");
                Look::Down
            }
            other => panic!("{other:?}"),
        },
        ([], [gap]) => {
            assert!(matches!(gap.why(), Why::Stale { .. }), "{gap}");
            Look::Stale
        }
        _ => panic!("{listing:?}"),
    }
}

/// Whether the server waited for a page of this store, within a window before this moment, until it gave up.
async fn was_lost(client: &PromClient, store: &Store, at: Timestamp) -> bool {
    let over = format!(
        "{{instance=\"{}\"}}[{}s]",
        instance(store.id.0),
        QUICK.window().as_secs()
    );
    let query = format!(
        "min_over_time(up{over}) == 0 and max_over_time(scrape_duration_seconds{over}) >= {}",
        QUICK.scrape.as_secs()
    );
    let answer = client.query(&query, Some(at)).await.expect("an answer");
    matches!(answer.data, PromData::Vector(samples) if !samples.is_empty())
}

/// When a store was scraped for the first time after this moment, and for the first time with success.
async fn first_scrapes(
    client: &PromClient,
    store: &Store,
    after: Timestamp,
) -> (Timestamp, Timestamp) {
    let query = format!("up{{instance=\"{}\"}}[10m]", instance(store.id.0));
    let clock = Clock::system();
    let give_up = clock.now() + PATIENCE;
    loop {
        let answer = client.query(&query, None).await.expect("an answer");
        let PromData::Matrix(samples) = &answer.data else {
            panic!("{answer:?}");
        };
        let points = samples.iter().flat_map(Series::points);
        let new: Vec<&Point> = points.filter(|point| point.at > after).collect();
        let good = new.iter().find(|point| point.value.finite() == Some(1.0));
        if let (Some(first), Some(good)) = (new.first(), good) {
            return (first.at, good.at);
        }
        assert!(clock.now() < give_up, "it is not scraped: {answer:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_server_that_ends_and_comes_back_is_never_taken_for_a_store_that_does() {
    // Written once: it is to cost the server's time, and little of ours.
    let bulk: String = (0..BULK)
        .map(|series| format!("bulk{{n=\"{series}\"}} 1\n"))
        .collect();
    let address = serve(move |path, times| match path {
        "/store/1" => Some(page(times * 200)),
        "/bulk" => Some(bulk.clone()),
        _ => None,
    });
    let target = |instance: String, path: &str| Target {
        instance,
        address: address.clone(),
        path: path.to_owned(),
    };
    // What is there for its size alone is no store, and how well it is scraped does not matter.
    let jobs = [
        job("tikv", QUICK, &[target(instance(1), "/store/1")]),
        job("bulk", SLOW, &[target("bulk".into(), "/bulk")]),
    ];
    let Some(mut server) = running(&jobs) else {
        return;
    };
    let port = HeldPort::take((Ipv4Addr::LOCALHOST, 0).into()).expect("loopback has ports");
    let at = port.address().to_string();
    server.begin_to_resume(&at).expect("it listens there too");
    let (asking, store) = (client(&at, QUICK, None), store(1));
    let about = |moment| client(&at, QUICK, Some(moment));
    let whole = moment(&asking, QUICK, 1, QUICK.scrape).await;
    let before = look(&about(whole), &store).await;
    assert!(matches!(&before, Look::Up(metrics) if metrics.write_p99_seconds.value().is_some()));

    server.stop();
    let clock = Clock::system();
    let stopped = clock.now();
    assert_eq!(look(&asking, &store).await, Look::Refused);
    // Long enough for what it had measured to be too old.
    tokio::time::sleep(QUICK.window() + Duration::from_secs(1)).await;
    server.begin_to_resume(&at).expect("it listens again");

    // From its first word on.
    let give_up = clock.now() + PATIENCE;
    while !matches!(look(&asking, &store).await, Look::Up(_)) {
        assert!(clock.now() < give_up, "the store is not up again");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (first, good) = first_scrapes(&asking, &store, stopped).await;
    // What was measured before is there again, and is not taken for now.
    let just_before = first - Duration::from_millis(1);
    assert_eq!(look(&about(just_before), &store).await, Look::Stale);
    // A store that is up, and of which not enough is measured yet, is not idle: that cannot be told.
    let up = look(&about(good), &store).await;
    assert!(
        matches!(&up, Look::Up(metrics) if matches!(metrics.write_p99_seconds, Reading::Blind(_))),
        "{up:?}"
    );
    let whole = moment(&asking, QUICK, 1, QUICK.scrape).await;
    let after = look(&about(whole), &store).await;
    assert!(matches!(&after, Look::Up(metrics) if metrics.write_p99_seconds.value().is_some()));
}
