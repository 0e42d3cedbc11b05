//! `operator sim`: a simulated cluster for other tools.

use std::fmt;

use operator_core::Clock;
use operator_sim::{Cluster, Ports, ServeError, Served, faults, scenarios};
use serde::Serialize;

use crate::args::{Format, Sim};
use crate::context::{Context, json_line, print};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::report::SCHEMA;
use crate::term::Terminal;
use crate::text::{Line, Page};

pub(crate) async fn run(command: Sim, context: &Context) -> Outcome {
    let is_json = context.format == Format::Json;
    if command.list_scenarios || command.list_faults {
        let listed = match command.list_scenarios {
            true => list_scenarios(),
            false => list_faults(),
        };
        print(&match is_json {
            true => json_line(&listed)?,
            false => list(&listed).written(&context.terminal),
        })?;
        return Ok(Exit::Healthy);
    }
    let cluster = build(&command)?;
    let shape = (cluster.shape().stores, cluster.shape().regions);
    let ports = Ports {
        pd: command.pd_port,
        prometheus: command.prometheus_port,
        pages: command.metrics_port,
        control: command.control_port,
    };
    let served = Served::start_on(cluster, command.speed.speed, ports)
        .await
        .map_err(|error| cannot_serve(&error))?;
    let serving = Serving {
        schema: SCHEMA,
        scenario: command.scenario.name,
        summary: command.scenario.summary,
        seed: command.seed,
        speed: command.speed.word,
        stores: shape.0,
        regions: shape.1,
        pd: served.pd.clone(),
        prometheus: served.prometheus.clone(),
        metrics: served.pages.clone(),
        control: served.control.clone(),
    };
    print(&match is_json {
        true => json_line(&serving)?,
        // A command that is broken into lines cannot be copied: what is too long the terminal breaks itself.
        false => serving.page().written(&Terminal {
            size: None,
            ..context.terminal
        }),
    })?;
    until_told().await;
    Ok(Exit::Healthy)
}

/// The scenario on the cluster that is asked for, with the faults that are asked for.
fn build(command: &Sim) -> Outcome<Cluster> {
    let scenario = command.scenario;
    let now = u64::try_from(Clock::system().now().unix_millis()).unwrap_or(0);
    let warm_up = u64::try_from(scenario.warm_up().as_millis()).unwrap_or(0);
    let mut shape = scenario.shape();
    shape.seed = command.seed;
    shape.began_unix_ms = now.saturating_sub(warm_up);
    shape.stores = command.stores.unwrap_or(shape.stores);
    shape.regions = command.regions.unwrap_or(shape.regions);
    let wrong =
        |error: &dyn fmt::Display| Failure::usage(format!("scenario {}: {error}", scenario.name));
    let mut cluster = scenario
        .build_shaped(shape)
        .map_err(|error| wrong(&error))?;
    for fault in &command.fault {
        cluster.inject(fault).map_err(|error| {
            Failure::usage(format!("--fault '{fault}': {error}")).hint("operator sim --list-faults")
        })?;
    }
    Ok(cluster)
}

fn cannot_serve(error: &ServeError) -> Failure {
    let source = std::error::Error::source(error);
    let reason = source.map(|source| source.to_string()).unwrap_or_default();
    let reason = reason
        .split(" (os error")
        .next()
        .unwrap_or_default()
        .to_lowercase();
    Failure::local(format!("{error}: {reason}")).hint("another port, or 0 for a free one")
}

/// Waits until somebody ends it, by Ctrl-C or as a service is ended.
async fn until_told() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    // Where signals cannot be heard, the system ends it.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// What is served, and where.
#[derive(Debug, Serialize)]
struct Serving {
    schema: &'static str,
    scenario: &'static str,
    summary: &'static str,
    seed: u64,
    speed: String,
    stores: u16,
    regions: u32,
    pd: Vec<String>,
    prometheus: String,
    metrics: String,
    control: String,
}

impl Serving {
    fn page(&self) -> Page {
        let mut page = Page::default();
        let head = Line::default().strong(self.scenario).plain(format!(
            ": {} ({} stores, {} regions, seed {}, speed {})",
            self.summary, self.stores, self.regions, self.seed, self.speed
        ));
        page.line(head);
        page.gap();
        for (name, urls) in [
            ("PD", self.pd.join(" ")),
            ("Prometheus", self.prometheus.clone()),
            ("metrics", format!("{}/store/1/metrics, ..", self.metrics)),
            ("controls", self.control.clone()),
        ] {
            page.line(Line::new(format!("  {name:<12}{urls}")).hang(14));
        }
        page.gap();
        page.line("Look at it:");
        // Each is one line, so that it can be copied.
        page.line(format!(
            "  operator status --pd {} --prometheus {}",
            self.pd.join(","),
            self.prometheus
        ));
        page.gap();
        page.line("Do something to it:");
        page.line(format!("  curl {}/faults", self.control));
        page.line(format!(
            "  curl -d '{{\"fault\":\"store-killed store=2 for=5m\"}}' {}/inject",
            self.control
        ));
        page.line(format!("  curl {}/truth", self.control));
        page.gap();
        page.line("Ctrl-C ends it.");
        page
    }
}

/// Something that has a name.
#[derive(Debug, Serialize)]
struct Listed {
    name: &'static str,
    summary: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    params: Vec<String>,
}

fn list_scenarios() -> Vec<Listed> {
    let all = scenarios().iter().map(|scenario| Listed {
        name: scenario.name,
        summary: scenario.summary,
        params: Vec::new(),
    });
    all.collect()
}

fn list_faults() -> Vec<Listed> {
    let all = faults().iter().map(|fault| Listed {
        name: fault.name,
        summary: fault.summary,
        params: fault
            .params
            .iter()
            .map(|param| match param.default {
                Some(default) => format!("{}={default}", param.name),
                None => format!("{}=..", param.name),
            })
            .collect(),
    });
    all.collect()
}

fn list(listed: &[Listed]) -> Page {
    let widest = listed
        .iter()
        .map(|one| one.name.len())
        .max()
        .unwrap_or_default();
    let mut page = Page::default();
    for one in listed {
        let mut line = Line::default()
            .strong(format!("{:<widest$}", one.name))
            .plain(format!("  {}", one.summary));
        if !one.params.is_empty() {
            line = line.faint(format!(" ({})", one.params.join(" ")));
        }
        page.line(line.hang(widest + 2));
    }
    page
}
