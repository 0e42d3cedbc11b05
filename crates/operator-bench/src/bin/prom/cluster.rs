//! A real Prometheus that scrapes stores which do not exist, and a way to it that takes longer.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use operator_tikv::{One, PromClient, PromData};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{Outcome, now};

pub(crate) fn host(id: u64) -> String {
    format!("10.0.{}.{}", id / 256, id % 256)
}

pub(crate) fn instance(id: u64) -> String {
    format!("{}:20180", host(id))
}

/// The server. It ends when it is dropped.
pub(crate) struct Prometheus {
    child: Child,
    folder: PathBuf,
    pub(crate) url: String,
}

impl Prometheus {
    /// Starts one that scrapes so many stores every so often, each of which shows `page` of the time since.
    pub(crate) fn start(
        stores: u64,
        every: Duration,
        page: impl Fn(Duration) -> Arc<String> + Clone + Send + 'static,
    ) -> Outcome<Self> {
        let exporter = TcpListener::bind("127.0.0.1:0")?;
        let address = exporter.local_addr()?;
        std::thread::spawn(move || {
            let began = now();
            for socket in exporter.incoming().flatten() {
                // A scrape that breaks off is the scraper's affair.
                let page = page.clone();
                std::thread::spawn(move || drop(serve(&socket, began, page)));
            }
        });
        let mut config = format!(
            "scrape_configs:\n- job_name: tikv\n  scrape_interval: {0}s\n  scrape_timeout: {0}s\n  \
             static_configs:\n",
            every.as_secs()
        );
        for id in 1..=stores {
            let instance = instance(id);
            writeln!(
                config,
                "  - targets: ['{address}']\n    labels: {{instance: '{instance}', __metrics_path__: '/{id}'}}"
            )?;
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder =
            std::env::temp_dir().join(format!("operator-bench-prom-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let file = folder.join("prometheus.yml");
        std::fs::write(&file, config)?;
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("data").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start prometheus: {error}"))?;
        let url = format!("http://127.0.0.1:{port}");
        Ok(Self { child, folder, url })
    }

    /// Waits until there is a rate of every store.
    pub(crate) async fn filled(&self, client: &PromClient, stores: u64) -> Outcome {
        for _ in 0..300 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let count = "count(rate(process_cpu_seconds_total[2m]))";
            let Ok(answer) = client.query(count, None).await else {
                continue;
            };
            if let PromData::Vector(samples) = &answer.data
                && let Some(One::Only(series)) = samples.single()
                && series.last().and_then(|point| point.value.finite()) == Some(stores as f64)
            {
                return Ok(());
            }
        }
        Err("the server has not scraped every store".into())
    }

    /// Scrapes no more. What there is of the past stays, to be asked about in peace.
    pub(crate) fn settle(&self) -> Outcome {
        std::fs::write(self.folder.join("prometheus.yml"), "scrape_configs: []\n")?;
        let told = Command::new("kill")
            .args(["-HUP", &self.child.id().to_string()])
            .status()?;
        match told.success() {
            true => Ok(()),
            false => Err("the server cannot be told to read its configuration".into()),
        }
    }

    /// Processor time that the server has used.
    pub(crate) fn cpu(&self) -> Outcome<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, fields) = stat.rsplit_once(')').ok_or("an odd file")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = |position: usize| {
            fields
                .get(position)
                .and_then(|text| text.parse::<u64>().ok())
        };
        let (user, system) = (ticks(11).ok_or("no time")?, ticks(12).ok_or("no time")?);
        // A tick is a hundredth of a second wherever Linux runs.
        Ok(Duration::from_millis((user + system) * 10))
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // What cannot be tidied up at the end of a benchmark is left.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn serve(
    socket: &TcpStream,
    began: std::time::Instant,
    page: impl Fn(Duration) -> Arc<String>,
) -> std::io::Result<()> {
    let mut input = BufReader::new(socket);
    let mut output = socket;
    loop {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        while line.trim() != "" {
            line.clear();
            input.read_line(&mut line)?;
        }
        let page = page(now().duration_since(began));
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n",
            page.len()
        );
        output.write_all(head.as_bytes())?;
        output.write_all(page.as_bytes())?;
    }
}

/// What a store of a version without priorities exports, as far as it is asked about; of five types.
pub(crate) fn page(lived: Duration) -> Arc<String> {
    let seconds = lived.as_secs_f64();
    let kinds = [
        "kv_prewrite",
        "kv_commit",
        "kv_get",
        "kv_batch_get",
        "check_leader",
    ];
    let mut page = String::new();
    for kind in kinds {
        requests(&mut page, kind, "", seconds * 100.0);
    }
    rest(&mut page, seconds);
    Arc::new(page)
}

/// The same of a version with priorities: 5,000 series of requests, of which six types of one priority move.
/// All stores show the same page for some seconds, so that it is the server that is measured.
pub(crate) fn full_page() -> impl Fn(Duration) -> Arc<String> + Clone + Send + 'static {
    let last: Arc<Mutex<(u64, Arc<String>)>> = Arc::default();
    move |lived| {
        let step = lived.as_secs() / 5 + 1;
        let Ok(mut last) = last.lock() else {
            return Arc::default();
        };
        if last.0 != step {
            *last = (step, Arc::new(full(step as f64 * 5.0)));
        }
        last.1.clone()
    }
}

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
const READS: [&str; 8] = [
    "kv_get",
    "kv_batch_get",
    "kv_batch_get_command",
    "kv_scan",
    "raw_get",
    "raw_batch_get",
    "raw_batch_get_command",
    "raw_scan",
];

fn full(seconds: f64) -> String {
    let others: Vec<String> = (0..32).map(|n| format!("other_{n}")).collect();
    let others = others.iter().map(String::as_str);
    let moving = [
        "kv_prewrite",
        "kv_commit",
        "kv_get",
        "kv_batch_get",
        "coprocessor",
        "check_leader",
    ];
    let mut page = String::new();
    let kinds = WRITES
        .into_iter()
        .chain(READS)
        .chain(["coprocessor", "check_leader"]);
    for kind in kinds.chain(others) {
        for priority in ["unknown", "low", "medium", "high"] {
            let moves = moving.contains(&kind) && priority == "medium";
            let count = if moves { seconds * 100.0 } else { 0.0 };
            let labels = format!(r#"priority="{priority}","#);
            requests(&mut page, kind, &labels, count);
        }
    }
    rest(&mut page, seconds);
    page
}

/// One type of requests, evenly over all buckets.
fn requests(page: &mut String, kind: &str, labels: &str, count: f64) {
    for bucket in 0..22_u32 {
        let le = 0.000_05 * f64::from(1_u32 << bucket);
        let below = count * f64::from(bucket + 1) / 22.0;
        let _ = writeln!(
            page,
            r#"tikv_grpc_msg_duration_seconds_bucket{{type="{kind}",{labels}le="{le}"}} {below}"#
        );
    }
    let _ = writeln!(
        page,
        r#"tikv_grpc_msg_duration_seconds_bucket{{type="{kind}",{labels}le="+Inf"}} {count}"#
    );
    let _ = writeln!(
        page,
        r#"tikv_grpc_msg_duration_seconds_count{{{labels}type="{kind}"}} {count}"#
    );
    let _ = writeln!(
        page,
        r#"tikv_grpc_msg_duration_seconds_sum{{{labels}type="{kind}"}} {count}"#
    );
}

/// What else is asked about.
fn rest(page: &mut String, seconds: f64) {
    for le in ["2", "16", "128", "1024", "10240", "+Inf"] {
        let _ = writeln!(
            page,
            r#"tikv_raftstore_log_lag_bucket{{le="{le}"}} {}"#,
            seconds * 15.0
        );
    }
    let rest = [
        (r#"tikv_server_info{version="v7.5.1",hash="x"}"#, 1.0),
        ("process_start_time_seconds", 1.7e9),
        ("process_cpu_seconds_total", seconds),
        ("process_resident_memory_bytes", 3e9),
        ("tikv_server_cpu_cores_quota", 4.0),
        (r#"tikv_store_size_bytes{type="capacity"}"#, 1e12),
        (r#"tikv_store_size_bytes{type="available"}"#, 6e11),
        (r#"tikv_store_size_bytes{type="used"}"#, 3e11),
        (r#"tikv_raftstore_region_count{type="leader"}"#, 100.0),
        (r#"tikv_raftstore_region_count{type="region"}"#, 300.0),
    ];
    for (name, value) in rest {
        let _ = writeln!(page, "{name} {value}");
    }
}

/// An address from which every request takes so much longer to arrive.
pub(crate) async fn delayed(url: &str, delay: Duration) -> Outcome<String> {
    let behind = url.trim_start_matches("http://").to_owned();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let front = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let behind = behind.clone();
            tokio::spawn(async move {
                let Ok(far) = tokio::net::TcpStream::connect(&behind).await else {
                    return;
                };
                let _ = (near.set_nodelay(true), far.set_nodelay(true));
                let (mut asks, mut told) = near.into_split();
                let (mut answers, mut asked) = far.into_split();
                let there = async move {
                    let mut piece = vec![0; 64 << 10];
                    while let Ok(length @ 1..) = asks.read(&mut piece).await {
                        if !delay.is_zero() {
                            tokio::time::sleep(delay).await;
                        }
                        if asked.write_all(&piece[..length]).await.is_err() {
                            return;
                        }
                    }
                };
                let back = async move {
                    let _ = tokio::io::copy(&mut answers, &mut told).await;
                };
                tokio::join!(there, back);
            });
        }
    });
    Ok(front)
}
