//! What the tests share: pages that are scraped, and a server that scrapes them.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use operator_bench::replay::{Prometheus, StartError};
use operator_core::{Clock, Reading, Store, StoreId, Timestamp};
use operator_tikv::{PromClient, PromData, PromOptions};

/// How often targets are scraped. A scrape may take until the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) scrape: Duration,
}

/// For pages of a few lines: a window fills in seconds.
pub(crate) const QUICK: Pace = Pace::of_seconds(2);
/// For pages of megabytes: also where the machine is many times as slow as usual, one is read long before the next.
pub(crate) const SLOW: Pace = Pace::of_seconds(6);

impl Pace {
    const fn of_seconds(seconds: u64) -> Self {
        let scrape = Duration::from_secs(seconds);
        Self { scrape }
    }

    /// Over how long rates are taken.
    pub(crate) const fn window(self) -> Duration {
        self.scrape.saturating_mul(SCRAPES)
    }
}

/// How many scrapes a window holds.
const SCRAPES: u32 = 5;
/// How long anything may take that is waited for: many times as long as it does on an idle machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// A target: under which instance, at which address and path.
pub(crate) struct Target {
    pub(crate) instance: String,
    pub(crate) address: String,
    pub(crate) path: String,
}

/// What Prometheus is told to scrape as a job.
pub(crate) fn job(name: &str, pace: Pace, targets: &[Target]) -> String {
    let mut text = format!(
        "- job_name: {name}\n  scrape_interval: {0}s\n  scrape_timeout: {0}s\n  static_configs:\n",
        pace.scrape.as_secs()
    );
    for Target {
        instance,
        address,
        path,
    } in targets
    {
        writeln!(
            text,
            "  - targets: ['{address}']\n    labels: {{instance: '{instance}', __metrics_path__: '{path}'}}"
        )
        .expect("a string takes all");
    }
    text
}

/// Says why a test judges nothing, also where what tests print is kept back.
pub(crate) fn say(why: &str) {
    // Where nobody listens there is nobody to tell.
    let _ = writeln!(
        std::io::stderr(),
        "real Prometheus: nothing was judged: {why}"
    );
}

/// A server that scrapes these as TiKV, if there is one on this machine.
pub(crate) fn scraping(pace: Pace, targets: &[Target]) -> Option<Prometheus> {
    running(&[job("tikv", pace, targets)])
}

/// A server with these jobs, if there is one on this machine.
pub(crate) fn running(jobs: &[String]) -> Option<Prometheus> {
    let config = format!("scrape_configs:\n{}", jobs.concat());
    match Prometheus::start(&config, |_| Ok(())) {
        Ok(server) => Some(server),
        Err(why @ StartError::NotInstalled) => {
            say(&why.to_string());
            None
        }
        Err(why) => panic!("{why}"),
    }
}

/// A client with the window of this pace, that asks about a moment, or about now.
pub(crate) fn client(address: &str, pace: Pace, at: Option<Timestamp>) -> PromClient {
    let time = at.map(|at| ("time".to_owned(), seconds(at)));
    let options = PromOptions {
        within: PATIENCE,
        scrape_every: pace.scrape,
        window: pace.window(),
        parameters: time.into_iter().collect(),
        ..PromOptions::default()
    };
    PromClient::with(address, options).expect("an address")
}

pub(crate) fn seconds(at: Timestamp) -> String {
    let millis = at.unix_millis();
    format!("{}.{:03}", millis / 1000, millis % 1000)
}

/// A store as tiup deploys it.
pub(crate) fn store(id: u64) -> Store {
    Store {
        status_address: Some(instance(id)),
        ..Store::new(StoreId(id), format!("10.0.0.{id}:20160"))
    }
}

pub(crate) fn instance(id: u64) -> String {
    format!("10.0.0.{id}:20180")
}

/// What a query gives by instance, at a moment.
pub(crate) async fn by_instance(
    client: &PromClient,
    query: &str,
    at: Timestamp,
) -> Vec<(String, f64)> {
    let answer = client.query(query, Some(at)).await.expect("an answer");
    let PromData::Vector(samples) = &answer.data else {
        panic!("{query}: {answer:?}");
    };
    let value = |series: operator_tikv::Series<'_>| {
        let value = series.last()?.value.finite()?;
        Some((series.label("instance").to_owned(), value))
    };
    samples.iter().filter_map(value).collect()
}

/// Waits for a moment about which no answer can change any more, and before which every target of TiKV has been
/// scraped for a window: each time, and each time answered within this time. One that is not so is let go for the next.
pub(crate) async fn moment(
    client: &PromClient,
    pace: Pace,
    targets: usize,
    answered_within: Duration,
) -> Timestamp {
    let window = pace.window().as_secs();
    let over = |fold: &str, of: &str| format!("{fold}_over_time({of}{{job=\"tikv\"}}[{window}s])");
    let query = format!(
        "count({} >= {SCRAPES} and {} == 1 and {} <= {})",
        over("sum", "up"),
        over("min", "up"),
        over("max", "scrape_duration_seconds"),
        answered_within.as_secs_f64(),
    );
    let clock = Clock::system();
    let give_up = clock.now() + PATIENCE;
    loop {
        let at = clock.now();
        settled(client, targets, at).await;
        let whole = count(client, &query, Some(at)).await;
        if whole == Some(targets as f64) {
            return at;
        }
        assert!(
            clock.now() < give_up,
            "the server does not scrape well: {query} is {whole:?} of {targets}"
        );
    }
}

/// Waits until no answer about a moment can change any more. A scrape counts from when it began, and is there
/// to be read when it has ended, which on a busy machine is much later; of one target they do not overlap.
pub(crate) async fn settled(client: &PromClient, targets: usize, at: Timestamp) {
    let query = format!("count(timestamp(up{{job=\"tikv\"}}) > {})", seconds(at));
    let clock = Clock::system();
    let give_up = clock.now() + PATIENCE;
    loop {
        let scraped = count(client, &query, None).await;
        if scraped == Some(targets as f64) {
            return;
        }
        assert!(
            clock.now() < give_up,
            "the server does not scrape: {query} is {scraped:?} of {targets}"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// What a query counts; nothing where there is no answer, or nothing to count.
async fn count(client: &PromClient, query: &str, at: Option<Timestamp>) -> Option<f64> {
    match client.query(query, at).await.ok()?.data {
        PromData::Vector(samples) => samples.iter().next()?.last()?.value.finite(),
        _ => None,
    }
}

pub(crate) fn near(what: &str, one: &Reading<f64>, other: &Reading<f64>, share: f64) {
    match (one.value(), other.value()) {
        (Some(a), Some(b)) => {
            assert!(
                (a - b).abs() <= share * a.abs().max(b.abs()),
                "{what}: {a} and {b}"
            );
        }
        (None, None) if one == other => {}
        _ => panic!("{what}: {one:?} and {other:?}"),
    }
}

/// Serves pages for as long as the test runs, each made anew when it is scraped: from its path, and how
/// often it was asked for before.
pub(crate) fn serve(page: impl Fn(&str, u64) -> Option<String> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
    let address = listener.local_addr().expect("an address").to_string();
    let page = Arc::new(page);
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let page = page.clone();
            // Who goes away while being answered has no need of the rest.
            std::thread::spawn(move || answer(&socket, &*page));
        }
    });
    address
}

fn answer(socket: &TcpStream, page: &dyn Fn(&str, u64) -> Option<String>) -> std::io::Result<()> {
    let mut input = BufReader::new(socket);
    let mut output = socket;
    for times in 0.. {
        let mut request = String::new();
        if input.read_line(&mut request)? == 0 {
            break;
        }
        let mut line = request.clone();
        while line.trim() != "" {
            line.clear();
            input.read_line(&mut line)?;
        }
        let path = request.split(' ').nth(1).unwrap_or_default();
        let (status, text) = match page(path, times) {
            Some(text) => ("200 OK", text),
            None => ("404 Not Found", String::new()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {}\r\n\r\n",
            text.len()
        );
        output.write_all(head.as_bytes())?;
        output.write_all(text.as_bytes())?;
    }
    Ok(())
}
