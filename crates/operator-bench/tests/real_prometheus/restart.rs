//! A Prometheus that ends and comes back: what cannot be seen is said, and nothing is taken for absent.

use std::time::Duration;

use operator_core::{Fault, Reading, Store, StoreMetrics, Why};
use operator_tikv::PromClient;

use crate::support::{Target, WINDOW, client, filled, instance, scraping, serve, store};

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
        ([metrics], []) => {
            // Nothing but the store's own page would say that it is down, and its page was never lost.
            assert_eq!(metrics.up.value(), Some(&true), "{metrics:?}");
            Look::Up(Box::new(metrics.clone()))
        }
        ([], [gap]) => {
            assert!(matches!(gap.why(), Why::Stale { .. }), "{gap}");
            Look::Stale
        }
        _ => panic!("{listing:?}"),
    }
}

#[tokio::test]
async fn a_server_that_ends_and_comes_back_is_never_taken_for_a_store_that_does() {
    let address = serve(|path, times| match path {
        "/store/1" => Some(page(times * 200)),
        "/bulk" => Some(
            (0..BULK)
                .map(|series| format!("bulk{{n=\"{series}\"}} {times}\n"))
                .collect(),
        ),
        _ => None,
    });
    let target = |instance: String, path: &str| Target {
        instance,
        address: address.clone(),
        path: path.to_owned(),
    };
    let targets = [
        target(instance(1), "/store/1"),
        target("bulk".into(), "/bulk"),
    ];
    let Some(mut server) = scraping(&targets) else {
        return;
    };
    let at = server.address().expect("it runs").to_owned();
    let (asking, store) = (client(&at, None), store(1));
    filled(&asking, targets.len()).await;
    let before = look(&asking, &store).await;
    assert!(matches!(&before, Look::Up(metrics) if metrics.write_p99_seconds.value().is_some()));

    server.stop();
    assert_eq!(look(&asking, &store).await, Look::Refused);
    // Long enough for what it had measured to be too old.
    tokio::time::sleep(WINDOW + Duration::from_secs(1)).await;
    server.begin_to_resume(&at).expect("it listens again");

    // From its first word on.
    let mut told = vec![];
    let up = loop {
        match look(&asking, &store).await {
            Look::Up(metrics) => break metrics,
            other if told.last() == Some(&other) => {}
            other => told.push(other),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    // What was measured before is there again, and is not taken for now.
    assert!(told.contains(&Look::Stale), "{told:?}");
    // A store that is up, and of which not enough is measured yet, is not idle: that cannot be told.
    assert!(matches!(up.write_p99_seconds, Reading::Blind(_)), "{up:?}");
    filled(&asking, targets.len()).await;
    let after = look(&asking, &store).await;
    assert!(matches!(&after, Look::Up(metrics) if metrics.write_p99_seconds.value().is_some()));
}
