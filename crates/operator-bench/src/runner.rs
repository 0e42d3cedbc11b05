//! The log reader beside ripgrep, and over hostile input.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use operator_tikv::log_parser::{EventScanner, parse_lenient};

use crate::Outcome;
use crate::race::{Contender, race};

/// The seven phrases that ripgrep counts.
const PHRASES: [&str; 7] = [
    "became leader at term",
    "became follower at term",
    "became candidate at term",
    "became pre-candidate at term",
    "stepped down to follower",
    "received MsgTimeoutNow",
    "starts to transfer leadership",
];

/// Times what reads a log.
pub(crate) fn logs(file: &str, rg: &str, rounds: usize) -> Outcome {
    let own = std::env::current_exe()?.display().to_string();
    let packed = format!("{file}.gz");
    let phrases = PHRASES
        .iter()
        .flat_map(|phrase| ["-e".to_owned(), (*phrase).to_owned()]);
    let grep = |flags: &[&str], file: &str| -> Vec<String> {
        flags
            .iter()
            .map(|&flag| flag.to_owned())
            .chain(phrases.clone())
            .chain([file.to_owned()])
            .collect()
    };
    let ours = |words: &[&str]| {
        words
            .iter()
            .map(|&word| word.to_owned())
            .collect::<Vec<_>>()
    };
    let mut contenders = vec![
        Contender {
            name: "rg -c, seven phrases",
            program: rg.to_owned(),
            args: grep(&["-c"], file),
            against: 0,
        },
        Contender {
            name: "events, one thread",
            program: own.clone(),
            args: ours(&["events", file]),
            against: 0,
        },
        Contender {
            name: "events, two threads",
            program: own.clone(),
            args: ours(&["events", file, "2"]),
            against: 0,
        },
        Contender {
            name: "events of the last 10 minutes",
            program: own.clone(),
            args: ours(&["last", file, "10"]),
            against: 0,
        },
        Contender {
            name: "parse of every line",
            program: own.clone(),
            args: ours(&["parse", file]),
            against: 0,
        },
    ];
    if std::path::Path::new(&packed).exists() {
        contenders.push(Contender {
            name: "rg -z -c, seven phrases",
            program: rg.to_owned(),
            args: grep(&["-z", "-c"], &packed),
            against: 5,
        });
        contenders.push(Contender {
            name: "events of the .gz",
            program: own,
            args: ours(&["events", &packed]),
            against: 5,
        });
    }
    race(&contenders, rounds)
}

/// Bytes read for each figure, whatever the length of the lines: short ones are as many as fill it,
/// so that all come from memory and none is flattered by the cache.
const HOSTILE_BYTES: usize = 100_000_000;

/// Time per byte on hostile input, and as a multiple of that on the shortest: it stays near one.
pub(crate) fn adversarial() -> Outcome {
    let head = "[2024/08/14 16:25:23.105 +08:00] [INFO] [raft.rs:1] ";
    let stamp = "[2024/08/14 16:25:23.105 +08:00] ";
    let shapes: [(&str, String, &str); 9] = [
        ("brackets", String::new(), "["),
        ("heads that are none", String::new(), stamp),
        ("escaped quotes", format!("{head}[\""), "\\\""),
        ("backslashes", format!("{head}[\""), "\\"),
        ("empty fields", head.trim_end().to_owned(), " []"),
        ("unclosed", format!("{head}[\""), "x"),
        (
            "votes that are none",
            format!("{head}[\"[logterm: "),
            "logterm: 1, sent Msg ",
        ),
        (
            "nested JSON",
            "{\"level\":\"INFO\",\"message\":\"x\",\"a\":".to_owned(),
            "[",
        ),
        (
            "JSON members",
            "{\"level\":\"INFO\"".to_owned(),
            ",\"message\":\"x\"",
        ),
    ];
    for (name, start, piece) in shapes {
        let mut first = None;
        print!("{name:20}");
        for len in [1_000_000, 10_000_000, HOSTILE_BYTES] {
            let mut line = start.clone().into_bytes();
            while line.len() < len {
                line.extend_from_slice(piece.as_bytes());
            }
            let lines = vec![line; HOSTILE_BYTES / len];
            let mut best = f64::MAX;
            for _ in 0..3 {
                let begun = busy();
                for line in &lines {
                    let parsed =
                        parse_lenient(line, &mut Vec::new()).map(|line| line.fields().count());
                    let mut scanner = EventScanner::new();
                    scanner.scan(line, |_| {});
                    std::hint::black_box(parsed.ok());
                }
                let took = busy().saturating_sub(begun);
                best = best.min(took.as_secs_f64() / HOSTILE_BYTES as f64);
            }
            print!(
                " {:9} B: {:5.2} ns {:5.2} x",
                len,
                best * 1e9,
                best / *first.get_or_insert(best)
            );
        }
        println!();
    }
    Ok(())
}

/// How long this thread has been on a processor, where the system says so: what else runs on the
/// machine does not count then. By the clock elsewhere.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures itself")]
fn busy() -> Duration {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .map_or_else(|| BEGUN.elapsed(), Duration::from_nanos)
}
