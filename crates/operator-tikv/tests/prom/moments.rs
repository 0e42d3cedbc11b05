//! Moments at which a real server shows what is waited for. A moment that has settled is the same whenever it
//! is asked about, so that nothing hangs on how quickly a machine scrapes, asks or answers.

use std::time::Duration;

use operator_core::{Clock, Timestamp};
use operator_tikv::{PromClient, PromData, Samples};

/// How long a server may take to answer, or to come to show something: many times as long as it does on an idle
/// machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// Every target that is TiKV's.
const TIKV: &str = r#"job=~".*tikv""#;

/// Waits for a moment about which no answer can change any more, at which this query finds something, and at
/// which rates of these instances are exact over this window. One that is not so is let go for a later one.
pub(crate) async fn moment(
    client: &PromClient,
    wanted: &str,
    rated: &[&str],
    window: Duration,
) -> Timestamp {
    let clock = Clock::system();
    let give_up = clock.now() + PATIENCE;
    let mut at = clock.now();
    loop {
        if is_settled(client, at).await {
            if finds(client, wanted, at).await && are_exact(client, rated, window, at).await {
                return at;
            }
            at = clock.now();
        }
        assert!(
            clock.now() < give_up,
            "no moment with {wanted} and exact rates of {rated:?}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Whether every target has been scraped anew since. A scrape counts from when it began, and is there to be
/// read when it has ended, which may be much later; of one target they do not overlap.
///
/// A target that is gone no longer counts, but for one whose whole job is gone: that one is not marked as ended.
async fn is_settled(client: &PromClient, at: Timestamp) -> bool {
    let millis = at.unix_millis();
    let before = format!("timestamp(up{{{TIKV}}}) * 1000 <= {millis}");
    let answer = client.query(&before, None).await.unwrap();
    matches!(answer.data, PromData::Vector(left) if left.is_empty())
}

async fn finds(client: &PromClient, query: &str, at: Timestamp) -> bool {
    let answer = client.query(query, Some(at)).await.unwrap();
    matches!(answer.data, PromData::Vector(found) if !found.is_empty())
}

/// Whether rates over a window that ends here are what was told: of each instance no scrape of it failed, it
/// lived through all of it, and the server takes its samples for the whole of it.
async fn are_exact(
    client: &PromClient,
    instances: &[&str],
    window: Duration,
    at: Timestamp,
) -> bool {
    let span = format!("{}ms", window.as_millis());
    // A start is told in whole seconds.
    let before = window.as_secs() + 1;
    for instance in instances {
        let of = format!(r#"{{instance="{instance}",{TIKV}}}"#);
        let whole = format!(
            "min_over_time(up{of}[{span}]) == 1 \
             and on (instance) process_start_time_seconds{of} < time() - {before}"
        );
        let counter = format!("process_cpu_seconds_total{of}[{span}]");
        let answer = client.query(&counter, Some(at)).await.unwrap();
        let PromData::Matrix(samples) = &answer.data else {
            panic!("{counter}: {answer:?}");
        };
        if !is_covered(samples, window, at) || !finds(client, &whole, at).await {
            return false;
        }
    }
    true
}

/// Whether the one series that there is reaches so near to both ends of the window that the server carries it on
/// to them: within 1.1 of the time between its samples. Else it adds half of that time, which is a guess.
fn is_covered(samples: &Samples, window: Duration, at: Timestamp) -> bool {
    let mut series = samples.iter();
    let (Some(only), None) = (series.next(), series.next()) else {
        return false;
    };
    let [first, others @ .., last] = only.points() else {
        return false;
    };
    let steps = u32::try_from(others.len() + 1).unwrap();
    let limit = last.at.since(first.at) * 11 / 10 / steps;
    first.at.since(at - window) < limit && at.since(last.at) < limit
}
