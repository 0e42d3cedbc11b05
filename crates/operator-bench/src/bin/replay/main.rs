//! Plays a recorded incident, and prints what Operator says of it: one line for each change, and a summary.

mod lines;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use operator_bench::replay::{Looks, Player, Recording, Sources, Story};
use operator_core::{Incident, Monitor, incidents};
use operator_tikv::{PdClient, PdOptions, PromClient, PromOptions, TikvSubject};

use lines::{ChangeLine, SummaryLine};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "usage: replay [OPTIONS] DIR
  --every SECONDS     how far apart the looks are, in the recording's time (10)
  --offset SECONDS    how long after its beginning the first one is (0)
  --until SECONDS     how long after its beginning the last one is at most (as long as it lasts)
  --elections         print every election that the logs tell of, and play nothing
  --verbose           say on standard error what could not be seen, and why";

/// How long an answer may take, in real time: longer than a live cluster is given, because it is this
/// machine that is slow, and not the cluster.
const WITHIN: Duration = Duration::from_secs(30);

/// What is to be done.
struct Orders {
    folder: PathBuf,
    looks: Looks,
    elections: bool,
    verbose: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(orders) = orders(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(64);
    };
    match run(&orders).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn orders(mut words: impl Iterator<Item = String>) -> Option<Orders> {
    let mut orders = Orders {
        folder: PathBuf::new(),
        looks: Looks::default(),
        elections: false,
        verbose: false,
    };
    let seconds = |word: Option<String>| {
        let seconds = word?.parse::<f64>().ok()?;
        Duration::try_from_secs_f64(seconds).ok()
    };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--every" => {
                orders.looks.every = seconds(words.next()).filter(|every| !every.is_zero())?;
            }
            "--offset" => orders.looks.offset = seconds(words.next())?,
            "--until" => orders.looks.until = Some(seconds(words.next())?),
            "--elections" => orders.elections = true,
            "--verbose" => orders.verbose = true,
            other if other.starts_with('-') => return None,
            folder if orders.folder.as_os_str().is_empty() => orders.folder = folder.into(),
            _ => return None,
        }
    }
    (!orders.folder.as_os_str().is_empty()).then_some(orders)
}

async fn run(orders: &Orders) -> Outcome {
    let recording = Recording::open(&orders.folder)?;
    let story = Story::read(&recording)?;
    if orders.elections {
        return elections(&orders.folder, story.as_ref());
    }
    let (mut player, why) = Player::new(recording)?;
    if let Some(why) = &why {
        eprintln!("no Prometheus: {why}; every rule that needs it is not judged");
    }
    let mut monitor = Monitor::new(subject(&player.sources())?, player.observer())?;
    let mut before: Vec<Incident> = Vec::new();
    let mut printed = Ok(());
    let played = player.play(&mut monitor, orders.looks, |player, monitor, tick| {
        let now = incidents(monitor.engine().open());
        let at = tick.snapshot.at();
        for change in &tick.changes {
            let line = ChangeLine::new(change, at, &before, &now, &|text| player.as_recorded(text));
            if printed.is_ok() {
                printed = print(&line);
            }
        }
        if orders.verbose {
            for gap in tick.snapshot.gaps() {
                eprintln!("{at} not seen: {}", player.as_recorded(&gap.to_string()));
            }
            for blind in monitor.engine().blind() {
                let (code, gap) = (blind.rule.code, blind.gap);
                eprintln!(
                    "{at} {code} blind: {}",
                    player.as_recorded(&gap.to_string())
                );
            }
        }
        before = now;
    });
    played.await?;
    printed?;
    let tally = player.asked().tally();
    if orders.verbose {
        eprintln!("{} requests in {} looks", tally.requests, tally.looks);
    }
    let why = why.map(|why| why.to_string());
    let summary = SummaryLine::new(monitor.engine(), &tally, why, story.as_ref());
    print(&summary)?;
    Ok(())
}

/// The cluster that is played, as it is always read.
fn subject(sources: &Sources) -> Outcome<TikvSubject> {
    let options = PdOptions {
        clock: sources.clock.clone().into(),
        within: WITHIN,
        ..PdOptions::default()
    };
    let subject = TikvSubject::builder(PdClient::with(&sources.pd, options)?);
    Ok(match &sources.prometheus {
        Some(url) => {
            let options = PromOptions {
                within: WITHIN,
                ..PromOptions::default()
            };
            subject.prometheus(PromClient::with(url, options)?).build()
        }
        None => subject.build(),
    })
}

/// Prints one line; a reader that has gone away has seen enough.
fn print(line: &impl serde::Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn elections(folder: &Path, story: Option<&Story>) -> Outcome {
    let story = story.ok_or_else(|| format!("{} has no logs", folder.display()))?;
    let mut out = io::stdout().lock();
    for moment in story.each_election().iter().chain(&story.moments()) {
        writeln!(out, "{} {}", moment.at, moment.text)?;
    }
    for missing in story.missing() {
        writeln!(out, "not known: {missing}")?;
    }
    Ok(())
}
