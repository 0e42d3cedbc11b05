//! Data generators and the processes that are timed against other programs.

use std::env;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;

use operator_sim::logs::Bulk;
use operator_tikv::log_parser::files::{Window, last_time, open, scan_file};
use operator_tikv::log_parser::{EventKind, LineReader, Stamp, parse_line_with};

mod cli;
mod race;
mod runner;

const USAGE: &str = "usage:
  operator-bench generate-log FILE [BYTES]   write a log of 1 GB, or of so many bytes
  operator-bench events FILE [THREADS]       count every event of the catalogue
  operator-bench last FILE MINUTES           count the events of the last minutes
  operator-bench parse FILE                  parse every line and every field
  operator-bench adversarial                 time per byte on hostile input of growing length
  operator-bench logs FILE RG [ROUNDS]       all of it side by side with ripgrep
  operator-bench cli OPERATOR CURL [ROUNDS]  one small read of PD, side by side with curl";

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["generate-log", file] => generate(Path::new(file), Bulk::default().bytes),
        ["generate-log", file, bytes] => {
            number(bytes).and_then(|bytes| generate(Path::new(file), bytes))
        }
        ["events", file] => events(Path::new(file), Window::default(), 1),
        ["events", file, threads] => {
            number(threads).and_then(|threads| events(Path::new(file), Window::default(), threads))
        }
        ["last", file, minutes] => {
            number(minutes).and_then(|minutes| last(Path::new(file), minutes))
        }
        ["parse", file] => parse(Path::new(file)),
        ["adversarial"] => runner::adversarial(),
        ["logs", file, rg] => runner::logs(file, rg, 9),
        ["logs", file, rg, rounds] => {
            number(rounds).and_then(|rounds| runner::logs(file, rg, usize::try_from(rounds)?))
        }
        ["cli", operator, curl] => cli::small_read(operator, curl, 101),
        ["cli", operator, curl, rounds] => number(rounds)
            .and_then(|rounds| cli::small_read(operator, curl, usize::try_from(rounds)?)),
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

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn number(text: &str) -> Result<u64, Box<dyn std::error::Error>> {
    text.parse()
        .map_err(|_| format!("cannot read {text:?}: expected a whole number").into())
}

fn generate(path: &Path, bytes: u64) -> Outcome {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let report = Bulk {
        bytes,
        ..Bulk::default()
    }
    .write(&mut out)?;
    out.flush()?;
    println!(
        "{} bytes, {} lines, {} of them with one of the seven phrases",
        report.bytes, report.lines, report.seven_phrases
    );
    Ok(())
}

/// A sum over everything that was extracted, so that nothing can be left out unseen.
#[derive(Default)]
struct Sum {
    events: u64,
    leaders: u64,
    hash: u64,
}

fn events(path: &Path, window: Window, threads: u64) -> Outcome {
    let threads = NonZero::new(usize::try_from(threads)?).ok_or("expected at least one thread")?;
    let mut sum = Sum::default();
    let tally = scan_file(
        path,
        window,
        threads,
        |offset, event| {
            sum.events += 1;
            sum.leaders += u64::from(event.kind == EventKind::BecameLeader);
            let parts = [
                event.region,
                event.peer,
                event.term,
                event.election,
                event.from,
                event.to,
                Some(offset),
            ];
            sum.hash = parts
                .iter()
                .flatten()
                .fold(sum.hash, |hash, part| hash.rotate_left(5) ^ part);
        },
        |_| ControlFlow::Continue(()),
    )?;
    println!(
        "{} events, {} leaders, sum {:016x}; {tally}",
        sum.events, sum.leaders, sum.hash
    );
    Ok(())
}

fn last(path: &Path, minutes: u64) -> Outcome {
    let last = last_time(path)?.ok_or("no line with a time")?;
    let from = last
        .utc_ms
        .saturating_sub(i64::try_from(minutes)?.saturating_mul(60_000));
    events(
        path,
        Window {
            from: Some(Stamp::utc(from)),
            until: None,
        },
        1,
    )
}

fn parse(path: &Path) -> Outcome {
    let mut lines = LineReader::new(open(path)?);
    let (mut records, mut fields, mut bytes, mut others) = (0_u64, 0_u64, 0_usize, 0_u64);
    while let Some(line) = lines.next_line()? {
        let parsed = parse_line_with(line.bytes, |field| {
            if let Some(field) = field {
                fields += 1;
                bytes += field.key.raw().len() + field.value.raw().len();
            }
        });
        match parsed {
            Ok(_) => records += 1,
            Err(_) => others += 1,
        }
    }
    println!("{records} records, {fields} fields of {bytes} bytes, {others} other lines");
    Ok(())
}
