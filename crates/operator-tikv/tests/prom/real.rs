//! A real Prometheus that scrapes stores which this test plays. Where it is not installed, nothing is said.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::{BufRead, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use operator_core::{Clock, Reading, Store, StoreId, StoreMetrics, Timestamp, Why};
use operator_tikv::{ContractStanding, PromClient, PromOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::moments::{PATIENCE, moment};
use crate::support::{Request, Server, answer, store};

/// How often a store is scraped, and over how long rates are taken. Both are short, so that a rate is whole
/// after seconds.
const SCRAPE: Duration = Duration::from_secs(1);
const WINDOW: Duration = Duration::from_secs(4);

/// What a store is up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Busy,
    Idle,
    Dead,
}

/// Bounds of the buckets of requests, and the share of requests at or below each.
const LADDER: [(&str, f64); 4] = [
    ("0.1024", 0.9),
    ("0.2048", 0.9),
    ("0.4096", 1.0),
    ("+Inf", 1.0),
];
/// 9 tenths into the bucket from 0.2048 to 0.4096.
const WRITE_P99_SECONDS: f64 = 0.2048 + 0.2048 * 0.9;
const WRITES_PER_SECOND: f64 = 400.0;
const CHECKS_PER_SECOND: f64 = 4.0;
const CPU_CORES: f64 = 1.5;

/// What is left of numbers that were told exactly, and reckoned with.
const ROUNDING: f64 = 1e-9;

/// The stores, by their moods.
#[derive(Debug)]
struct Stores {
    clock: Clock,
    moods: Mutex<BTreeMap<u64, (Mood, Timestamp)>>,
}

impl Stores {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            clock: Clock::system(),
            moods: Mutex::default(),
        })
    }

    /// From now on. A store that lives again has begun anew.
    fn set(&self, id: u64, mood: Mood) {
        let now = self.clock.now();
        self.moods.lock().unwrap().insert(id, (mood, now));
    }

    /// A page of `/store/ID`, or of a probe that is always well.
    fn answer(&self, request: &Request) -> Vec<u8> {
        let Some(id) = request.path.strip_prefix("/store/") else {
            return answer(200, "text/plain", "probe_success 0\n");
        };
        let id = id.parse().unwrap();
        let moods = self.moods.lock().unwrap();
        match moods.get(&id) {
            Some((Mood::Dead, _)) => answer(500, "text/plain", "dead"),
            Some((mood, since)) => answer(200, "text/plain", self.page(id, *mood, *since)),
            None => answer(
                200,
                "text/plain",
                format!(
                    "tikv_raftstore_region_count{{type=\"leader\"}} {id}\ntikv_raftstore_region_count{{type=\"region\"}} {id}\n"
                ),
            ),
        }
    }

    /// Counters say when they were read, which else is when the server began to ask: on a busy machine that is
    /// long before, and a rate between two of them would be another one than was told.
    fn page(&self, id: u64, mood: Mood, since: Timestamp) -> String {
        let now = self.clock.now();
        let read = now.unix_millis();
        let lived = (read - since.unix_millis()) as f64 / 1000.0;
        let writes = match mood {
            Mood::Busy => WRITES_PER_SECOND * lived,
            Mood::Idle | Mood::Dead => 0.0,
        };
        let started = since.unix_millis() / 1000;
        let mut page = String::new();
        let family = "tikv_grpc_msg_duration_seconds";
        let types = [
            ("kv_prewrite", writes),
            ("kv_get", 0.0),
            ("check_leader", CHECKS_PER_SECOND * lived),
        ];
        for (kind, count) in types {
            for (le, share) in LADDER {
                let count = count * share;
                writeln!(
                    page,
                    r#"{family}_bucket{{type="{kind}",priority="low",le="{le}"}} {count} {read}"#
                )
                .unwrap();
            }
            writeln!(
                page,
                r#"{family}_count{{type="{kind}",priority="low"}} {count} {read}"#
            )
            .unwrap();
        }
        for (le, share) in [("512", 0.5), ("1024", 0.98), ("5120", 1.0), ("+Inf", 1.0)] {
            let count = lived * 15.0 * share;
            writeln!(
                page,
                r#"tikv_raftstore_log_lag_bucket{{le="{le}"}} {count} {read}"#
            )
            .unwrap();
        }
        let cpu = CPU_CORES * lived;
        writeln!(page, "process_cpu_seconds_total {cpu} {read}").unwrap();
        let rest = [
            (
                r#"tikv_server_info{version="v8.1.2",hash="x"}"#,
                started as f64,
            ),
            ("process_start_time_seconds", started as f64),
            ("process_resident_memory_bytes", 3.5e9),
            ("tikv_server_memory_quota_bytes", 8e9),
            ("tikv_server_cpu_cores_quota", 4.0),
            (r#"tikv_store_size_bytes{type="capacity"}"#, 1e12),
            (r#"tikv_store_size_bytes{type="available"}"#, 6e11),
            (r#"tikv_store_size_bytes{type="used"}"#, 3e11),
            (r#"tikv_raftstore_region_count{type="leader"}"#, id as f64),
            (
                r#"tikv_raftstore_region_count{type="region"}"#,
                3.0 * id as f64,
            ),
            (r#"tikv_critical_error_total{type="rocksdb get"}"#, 1.0),
        ];
        for (name, value) in rest {
            writeln!(page, "{name} {value}").unwrap();
        }
        page
    }
}

/// A real server, with a folder of its own. It ends when it is dropped.
pub(crate) struct Prometheus {
    child: Child,
    folder: PathBuf,
    pub(crate) url: String,
}

impl Prometheus {
    /// Starts it, if there is one, and waits until it is ready.
    pub(crate) fn start(config: &str) -> Option<Self> {
        Self::with(config, |_| Vec::new())
    }

    /// Starts it, if there is one, with the flags that `prepare` gives once it has filled the folder.
    pub(crate) fn with(
        config: &str,
        prepare: impl FnOnce(&std::path::Path) -> Vec<String>,
    ) -> Option<Self> {
        let installed = Command::new("prometheus")
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !installed.is_ok_and(|status| status.success()) {
            // Said also where what tests print is kept back.
            let _ = std::io::stderr()
                .write_all(b"did not run: there is no `prometheus` on this machine\n");
            return None;
        }
        static STARTED: AtomicU64 = AtomicU64::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("operator-prom-{}-{number}", std::process::id()));
        // One that is left of a process that had this number before is no folder to start with.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("prometheus.yml"), config).unwrap();
        let flags = prepare(&folder);
        let mut child = Command::new("prometheus")
            .args(flags)
            .arg(format!(
                "--config.file={}",
                folder.join("prometheus.yml").display()
            ))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("tsdb").display()
            ))
            .arg("--web.listen-address=127.0.0.1:0")
            .arg("--web.enable-lifecycle")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        // It may be ready before it listens as well as after.
        let (mut address, mut is_ready) = (None, false);
        while address.is_none() || !is_ready {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "the server ended");
            is_ready |= line.contains("Server is ready to receive web requests");
            if line.contains("msg=\"Listening on\"") {
                let said = line.split("address=").nth(1).unwrap();
                address = said.split_whitespace().next().map(str::to_owned);
            }
        }
        // Somebody goes on reading, so that the server can go on writing.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Some(Self {
            child,
            folder,
            url: format!("http://{}", address.unwrap()),
        })
    }

    async fn reload(&self, config: &str) {
        std::fs::write(self.folder.join("prometheus.yml"), config).unwrap();
        let address = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "POST /-/reload HTTP/1.1\r\nhost: {address}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    }

    /// A client that asks about a moment, or about now, and waits for as long as a busy machine may need.
    fn client(&self, job: &str, scrape_every: Duration, at: Option<Timestamp>) -> PromClient {
        let time = at.map(|at| {
            let millis = at.unix_millis();
            let seconds = format!("{}.{:03}", millis / 1000, millis % 1000);
            ("time".to_owned(), seconds)
        });
        let options = PromOptions {
            within: PATIENCE,
            job: job.to_owned(),
            scrape_every,
            window: WINDOW,
            parameters: time.into_iter().collect(),
            ..PromOptions::default()
        };
        PromClient::with(&self.url, options).unwrap()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

/// A job whose targets are pages of the test's server, each under an instance of its own.
fn job(name: &str, every: &str, server: &Server, targets: &[(String, String)]) -> String {
    let mut text = format!(
        "- job_name: {name}\n  honor_labels: true\n  scrape_interval: {every}\n  \
         scrape_timeout: {every}\n  static_configs:\n"
    );
    for (instance, path) in targets {
        let address = server.address;
        writeln!(text, "  - targets: ['{address}']\n    labels: {{instance: '{instance}', __metrics_path__: '{path}'}}").unwrap();
    }
    text
}

fn config(jobs: &[String]) -> String {
    format!("scrape_configs:\n{}", jobs.concat())
}

fn near(reading: &Reading<f64>, expected: f64) {
    let value = reading
        .value()
        .unwrap_or_else(|| panic!("{reading:?}, not {expected}"));
    assert!(
        (value - expected).abs() <= expected * ROUNDING,
        "{value}, not {expected}"
    );
}

/// Whether an instance is up, as TiKV's jobs have it: others have it up whatever is the matter with it.
fn up(instance: &str) -> String {
    format!(r#"up{{instance="{instance}",job=~".*tikv"}}"#)
}

async fn metrics(client: &PromClient, stores: &[Store]) -> BTreeMap<u64, StoreMetrics> {
    let listing = client.store_metrics(stores).await.unwrap();
    listing
        .items
        .into_iter()
        .map(|metrics| (metrics.store.0, metrics))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_is_read_through_the_lives_of_stores() {
    let stores = Stores::new();
    let exporter = stores.clone();
    let server = Server::start(move |request| exporter.answer(request)).await;
    for (id, mood) in [(1, Mood::Busy), (2, Mood::Idle), (3, Mood::Busy)] {
        stores.set(id, mood);
    }
    let target = |instance: &str, id: u64| (instance.to_owned(), format!("/store/{id}"));
    let targets: Vec<_> = (1..=3)
        .map(|id| target(&format!("10.0.0.{id}:20180"), id))
        .collect();
    // A probe of the same addresses, which finds every port open: as tiup sets it up.
    let probed: Vec<_> = (1..=3)
        .map(|id| (format!("10.0.0.{id}:20180"), "/probe".to_owned()))
        .collect();
    let probe = job("tidb_port_probe", "1s", &server, &probed);
    let tikv = job("tikv", "1s", &server, &targets);
    let Some(prometheus) = Prometheus::start(&config(&[tikv, probe.clone()])) else {
        return;
    };
    let now = prometheus.client(".*tikv", SCRAPE, None);
    let about = |at| prometheus.client(".*tikv", SCRAPE, Some(at));
    let known: Vec<Store> = (1..=3)
        .map(|id| store(id, &format!("10.0.0.{id}")))
        .collect();
    let [one, two, three] = ["10.0.0.1:20180", "10.0.0.2:20180", "10.0.0.3:20180"];
    let at = moment(&now, "up", &[one, two, three], WINDOW).await;
    let client = about(at);

    // Numbers as they were told. Buckets tell latencies only as far as their bounds.
    let seen = metrics(&client, &known).await;
    let busy = &seen[&1];
    assert_eq!(busy.gaps().count(), 0, "{busy:?}");
    assert_eq!(busy.up.value(), Some(&true));
    near(
        &busy.queries_per_second,
        WRITES_PER_SECOND + CHECKS_PER_SECOND,
    );
    near(&busy.write_p99_seconds, WRITE_P99_SECONDS);
    near(&busy.cpu_used_cores, CPU_CORES);
    near(&busy.raft_log_lag_ratio, 0.02);
    assert_eq!(busy.disk_available_bytes.value(), Some(&600_000_000_000));
    assert_eq!(busy.memory_used_bytes.value(), Some(&3_500_000_000));
    assert_eq!(busy.leader_count.value(), Some(&1));
    assert_eq!(busy.region_count.value(), Some(&3));
    // Nobody reads: that is idleness, not a gap and not a zero.
    assert_eq!(busy.read_p99_seconds, Reading::Idle);
    let idle = &seen[&2];
    assert_eq!(idle.write_p99_seconds, Reading::Idle);
    near(&idle.queries_per_second, CHECKS_PER_SECOND);

    // The first critical error ever counts as one, though no rate has seen it.
    let strains = client.store_strains(&known).await.unwrap();
    let errors = strains.items[0].critical_errors.value().unwrap();
    assert_eq!(errors["rocksdb get"], 1.0);

    // The contract names what this exporter does not have.
    let checks = client.contract().await.unwrap();
    let of = |name: &str| {
        &checks
            .iter()
            .find(|check| check.query == name)
            .unwrap()
            .standing
    };
    assert_eq!(of("cpu"), &ContractStanding::Live);
    let stalls = ContractStanding::SeriesMissing(vec!["tikv_engine_stall_micro_seconds".into()]);
    assert_eq!(of("stalls"), &stalls);
    assert!(matches!(of("writes"), ContractStanding::ValueUnknown(values) if values.len() == 7));

    // A store dies: the probe of its port goes on saying otherwise, and its rates linger.
    stores.set(3, Mood::Dead);
    let at = moment(&now, &format!("{} == 0", up(three)), &[], WINDOW).await;
    let dead = metrics(&about(at), &known).await.remove(&3).unwrap();
    assert_eq!(dead.up.value(), Some(&false));
    assert_eq!(dead.gaps().count(), 16);

    // It starts again: its counters begin anew, and it is the start that tells.
    stores.set(3, Mood::Busy);
    let alive = moment(&now, "up", &[three], WINDOW).await;
    let back = metrics(&about(alive), &known).await.remove(&3).unwrap();
    assert_eq!(back.up.value(), Some(&true));
    near(
        &back.queries_per_second,
        WRITES_PER_SECOND + CHECKS_PER_SECOND,
    );
    assert!(back.process_started_at.value() > busy.process_started_at.value());

    // It is taken away, and with it its target: it was there, and when it last was is known.
    let left = job("tikv", "1s", &server, &targets[..2]);
    prometheus.reload(&config(&[left, probe.clone()])).await;
    // Not only not scraped, as of a server that stood still, and not only just now.
    let gone = format!("absent({0}) and absent_over_time({0}[2s])", up(three));
    let client = about(moment(&now, &gone, &[], WINDOW).await);
    let listing = client.store_metrics(&known).await.unwrap();
    let gap = listing.gap_about(&known[2].entity()).unwrap();
    assert_eq!(gap.why(), &Why::Vanished, "{gap}");
    let last = gap.standing_since().unwrap();
    let at = client.server_time().await.unwrap().now;
    assert!(
        (alive - WINDOW..=at - SCRAPE).contains(&last),
        "{last}, seen at {alive} and gone at {at}"
    );

    // It is renamed, as by a move to pods; then it is scraped by two jobs at once.
    let tikv = job("tikv", "1s", &server, &targets[..2]);
    let pods = job("db-basic-tikv", "1s", &server, &[target("basic-tikv-2", 3)]);
    prometheus
        .reload(&config(&[tikv.clone(), pods.clone(), probe]))
        .await;
    let at = moment(&now, "up", &["basic-tikv-2"], WINDOW).await;
    let client = about(at);
    let renamed = Store::new(StoreId(3), "basic-tikv-2.basic-tikv-peer.db.svc:20160");
    let seen = metrics(&client, &[renamed]).await;
    near(
        &seen[&3].queries_per_second,
        WRITES_PER_SECOND + CHECKS_PER_SECOND,
    );
    let listing = client.store_metrics(&known).await.unwrap();
    let gap = listing.gap_about(&known[2].entity()).unwrap().to_string();
    assert!(
        gap.contains("expected an instance for 10.0.0.3:20180, found"),
        "{gap}"
    );
    assert!(gap.contains("basic-tikv-2"), "{gap}");
    let again = job("other-tikv", "1s", &server, &targets[..1]);
    prometheus.reload(&config(&[tikv, pods, again])).await;
    let twice = format!("count({}) == 2", up(one));
    let client = about(moment(&now, &twice, &[], WINDOW).await);
    let listing = client.store_metrics(&known[..1]).await.unwrap();
    let gap = listing.gap_about(&known[0].entity()).unwrap().to_string();
    assert!(
        gap.contains("expected one series `up`, found 2 of 10.0.0.1:20180"),
        "{gap}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_neighbours_are_each_measured_as_themselves() {
    let stores = Stores::new();
    let exporter = stores.clone();
    let server = Server::start(move |request| exporter.answer(request)).await;
    let host = |id: u64| format!("10.0.{}.{}", id / 256, id % 256);
    let targets: Vec<_> = (1..=300)
        .map(|id| (format!("{}:20180", host(id)), format!("/store/{id}")))
        .collect();
    // Seldom enough for a machine that is many times as slow as usual to come round to all.
    let every = Duration::from_secs(10);
    let tikv = job("tikv", "10s", &server, &targets);
    let Some(prometheus) = Prometheus::start(&config(&[tikv])) else {
        return;
    };
    let known: Vec<Store> = (1..=300).map(|id| store(id, &host(id))).collect();
    let now = prometheus.client("tikv", every, None);
    let at = moment(&now, "count(up == 1) == 300", &[], WINDOW).await;
    let seen = metrics(&prometheus.client("tikv", every, Some(at)), &known).await;
    assert_eq!(seen.len(), 300);
    for (id, metrics) in seen {
        assert_eq!(metrics.leader_count.value(), Some(&id), "{id}");
    }
}
