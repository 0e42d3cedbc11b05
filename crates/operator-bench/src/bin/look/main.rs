//! One look at 300 stores over HTTP on loopback, and its judgement: how long reading PD, reading Prometheus and
//! judging take.
//!
//! The answers are those of a simulated cluster. They are timed twice: as it works them out, and kept from an
//! earlier look, where the servers take no time and all that is left is ours.

mod kept;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use operator_core::{Clock, Engine, ManualClock, Observer, Subject, Timestamp};
use operator_sim::{Cluster, Shape};
use operator_tikv::{PdClient, PdOptions, PromClient, PromOptions, TikvSubject};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const STORES: u16 = 300;
const REGIONS: u32 = 100_000;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let rounds = match &words[..] {
        [] => Ok(21),
        [rounds] => rounds
            .parse()
            .map_err(|_| "usage: look [ROUNDS]".to_owned()),
        _ => Err("usage: look [ROUNDS]".to_owned()),
    };
    let done = rounds.map_err(Into::into).and_then(run);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is measured is real time, not the model's"
)]
#[tokio::main(flavor = "current_thread")]
async fn run(rounds: usize) -> Outcome {
    let mut cluster = Cluster::new(Shape {
        stores: STORES,
        regions: REGIONS,
        members: 1,
        ..Shape::default()
    })?;
    cluster.advance(Duration::from_secs(300));
    let now = Timestamp::from_unix_millis(cluster.unix_ms().cast_signed());
    // Some stores break some rules: healthy verdicts alone would be cheaper to give.
    cluster.inject("store-killed store=7,8")?;
    cluster.advance(Duration::from_secs(120));
    let clock = ManualClock::new(now + Duration::from_secs(120));
    let served = kept::serve(cluster)?;

    let pd = || {
        let clock = Clock::from(clock.clone());
        let options = PdOptions {
            clock,
            ..PdOptions::default()
        };
        PdClient::with(&served.pd, options)
    };
    let prometheus = || PromClient::with(&served.prometheus, PromOptions::default());
    let pd_alone = TikvSubject::new(pd()?);
    let both = TikvSubject::builder(pd()?)
        .prometheus(prometheus()?)
        .build();
    let mut engine = Engine::new(both.invariants())?;
    let observer = || Observer::new(clock.clone().into(), Duration::from_secs(60));

    let (mut observer_alone, mut observer_both) = (observer(), observer());
    println!("{STORES} stores, {REGIONS} regions, {rounds} rounds");
    for (servers, keeps) in [
        ("that work out their answers", false),
        ("that take no time", true),
    ] {
        let (mut alone, mut whole, mut judging) = (Vec::new(), Vec::new(), Vec::new());
        let (mut gaps, mut findings) = (0, 0);
        // The first round opens connections, and fills what is kept.
        for round in 0..=rounds {
            clock.advance(Duration::from_secs(10));
            if !keeps {
                served.forget();
            }
            let begin = Instant::now();
            observer_alone.observe(&pd_alone).await;
            let read_pd = begin.elapsed();
            if !keeps {
                served.forget();
            }
            let begin = Instant::now();
            let snapshot = observer_both.observe(&both).await;
            let read_both = begin.elapsed();
            let begin = Instant::now();
            engine.judge(&snapshot);
            let judged = begin.elapsed();
            if round > 0 {
                alone.push(read_pd);
                whole.push(read_both);
                judging.push(judged);
            }
            gaps = snapshot.gaps().count();
            findings = engine.open().count();
        }
        let (alone, whole, judging) = (median(alone), median(whole), median(judging));
        println!("servers {servers}: {findings} findings, {gaps} gaps");
        println!("  a look at PD alone           {alone:?}");
        println!("  a look at PD and Prometheus  {whole:?}");
        println!(
            "  of which Prometheus adds     {:?}",
            whole.saturating_sub(alone)
        );
        println!(
            "  judging it                   {judging:?}, {:.2} % of the look",
            100.0 * judging.as_secs_f64() / whole.as_secs_f64()
        );
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
