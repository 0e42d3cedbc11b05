//! Reading PD's regions, side by side with what else could read them.
//!
//! Every figure is that of a whole process of its own; all of them take turns within one run, and ratios
//! are medians of each round's.

mod contenders;
mod data;
mod real;
mod server;

use std::process::{Command, ExitCode, Stdio};

/// What a process that is measured says of itself.
struct Figures {
    seconds: f64,
    peak_kib: u64,
    check: u64,
}

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "usage:
  pd decode [ROUNDS]   a page of 10,240 regions: the streaming decoder and serde_json's derived ones
  pd scan [ROUNDS]     10,000 to 1,000,000 regions from a static server, and curl over the same pages
  pd real [REGIONS [ROUNDS]]   as many from a real PD (`pd-server` and `pd-heartbeat-bench` from
                       OPERATOR_TEST_BIN or the PATH), and curl over the same pages";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["decode"] => decode(15),
        ["decode", rounds] => rounds.parse().map_err(Into::into).and_then(decode),
        ["scan"] => scan(7),
        ["scan", rounds] => rounds.parse().map_err(Into::into).and_then(scan),
        ["real"] => against_real("1000000", 7),
        ["real", regions] => against_real(regions, 7),
        ["real", regions, rounds] => rounds
            .parse()
            .map_err(Into::into)
            .and_then(|rounds| against_real(regions, rounds)),
        // What follows is what the two above run.
        ["write-page", file, regions] => data::write_page(file, regions),
        ["read-page", how, file] => contenders::read_page(how, file).map(|figures| figures.print()),
        ["serve", regions] => server::serve(regions),
        ["scan-from", url] => contenders::scan(url).map(|figures| figures.print()),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn decode(rounds: usize) -> Outcome {
    let folder = std::env::temp_dir().join(format!("operator-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("page.json");
    data::write_page(&file.to_string_lossy(), "10240")?;
    let file = file.to_string_lossy().into_owned();
    let runs = contenders::WAYS.iter().map(|way| -> Run {
        let file = file.clone();
        (*way, Box::new(move || itself(&["read-page", way, &file])))
    });
    let outcome = side_by_side(&runs.collect::<Vec<_>>(), rounds);
    std::fs::remove_dir_all(&folder)?;
    outcome
}

fn scan(rounds: usize) -> Outcome {
    for regions in ["10000", "100000", "1000000"] {
        let mut server = Command::new(std::env::current_exe()?)
            .args(["serve", regions])
            .stdout(Stdio::piped())
            .spawn()?;
        let said = server.stdout.take().ok_or("the server says nothing")?;
        let served = server::Served::read(said)?;
        println!(
            "{regions} regions, {} bytes in {} pages",
            served.bytes, served.pages
        );
        let (url, config) = (served.url.clone(), served.curl_config());
        let outcome = config.and_then(|config| {
            let runs: Vec<Run> = vec![
                ("scan", Box::new(move || itself(&["scan-from", &url]))),
                (
                    "curl to nowhere",
                    Box::new(move || contenders::curl(&config)),
                ),
            ];
            side_by_side(&runs, rounds)
        });
        server.kill()?;
        server.wait()?;
        outcome?;
    }
    Ok(())
}

fn against_real(regions: &str, rounds: usize) -> Outcome {
    let real = real::Real::with(regions.parse()?)?;
    println!(
        "{} regions of a real PD, {} bytes in {} pages",
        real.regions,
        real.bytes,
        real.page_count()
    );
    let (url, config) = (real.url.clone(), real.curl_config()?);
    let worked = real.worked();
    let runs: Vec<Run> = vec![
        ("scan", Box::new(move || itself(&["scan-from", &url]))),
        (
            "curl to nowhere",
            Box::new(move || contenders::curl(&config)),
        ),
    ];
    side_by_side(&runs, rounds)?;
    if let (Some(before), Some(after)) = (worked, real.worked()) {
        let each = (after - before) / (2.0 * (rounds as f64 + 1.0));
        println!("  PD's processor worked {each:.2} s for each");
    }
    Ok(())
}

type Run = (&'static str, Box<dyn Fn() -> Outcome<Figures>>);

/// Runs all in turn, round after round, and prints medians and the medians of each round's ratios.
fn side_by_side(runs: &[Run], rounds: usize) -> Outcome {
    let mut all: Vec<Vec<Figures>> = runs.iter().map(|_| Vec::new()).collect();
    for round in 0..=rounds {
        for (position, (_, run)) in runs.iter().enumerate() {
            let figures = run()?;
            // The first round warms up.
            if round > 0 {
                all[position].push(figures);
            }
        }
    }
    let of =
        |position: usize, round: usize, value: fn(&Figures) -> f64| value(&all[position][round]);
    for (position, (name, _)) in runs.iter().enumerate() {
        let ratio = |value: fn(&Figures) -> f64| {
            median(
                (0..rounds)
                    .map(|round| of(0, round, value) / of(position, round, value))
                    .collect(),
            )
        };
        let own = |value: fn(&Figures) -> f64| {
            median(
                (0..rounds)
                    .map(|round| of(position, round, value))
                    .collect(),
            )
        };
        println!(
            "  {name:32} {:9.4} s {:9.0} KiB   time of the first against it {:5.2}, memory {:5.2}   check {}",
            own(Figures::seconds),
            own(Figures::kib),
            ratio(Figures::seconds),
            ratio(Figures::kib),
            all[position][0].check,
        );
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Runs this program with other words and reads what it prints.
fn itself(words: &[&str]) -> Outcome<Figures> {
    let output = Command::new(std::env::current_exe()?)
        .args(words)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{words:?} failed").into());
    }
    Figures::parse(&String::from_utf8(output.stdout)?)
}

impl Figures {
    fn seconds(&self) -> f64 {
        self.seconds
    }

    fn kib(&self) -> f64 {
        self.peak_kib as f64
    }

    fn print(self) {
        println!("{} {} {}", self.seconds, self.peak_kib, self.check);
    }

    fn parse(text: &str) -> Outcome<Self> {
        let mut words = text.split_whitespace();
        let mut next = || words.next().ok_or("a figure is missing");
        Ok(Self {
            seconds: next()?.parse()?,
            peak_kib: next()?.parse()?,
            check: next()?.parse()?,
        })
    }
}
