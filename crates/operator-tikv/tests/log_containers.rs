//! Records that a container runtime cut in pieces are read as if it had not.
#![cfg(feature = "logs")]

use std::fs;
use std::io::Read;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::PathBuf;

use operator_tikv::log_parser::files::{Window, scan_file, scan_files, scan_stream};
use operator_tikv::log_parser::{
    Damage, EventKind, EventScanner, LogEvent, Reason, Tally, parse_line,
};
use proptest::prelude::*;

const LEADER: &str = r#"[2024/08/14 16:25:23.105 +08:00] [INFO] [raft.rs:1217] ["became leader at term 6"] [term=6] [raft_id=5] [region_id=2] [why="it \"won\" \\ it"]"#;
const FOLLOWER: &str = r#"[2024/08/14 16:25:24.105 +08:00] [INFO] [raft.rs:1121] ["became follower at term 7"] [term=7] [raft_id=5] [region_id=3]"#;

#[derive(Clone, Copy, Debug)]
enum Runtime {
    Docker,
    Cri,
}

const RUNTIMES: [Runtime; 2] = [Runtime::Docker, Runtime::Cri];

impl Runtime {
    fn line(self, stream: &str, text: &str, last: bool) -> String {
        match self {
            Runtime::Docker => {
                let log = format!("{text}{}", if last { "\n" } else { "" });
                let log = serde_json::Value::from(log);
                format!(
                    "{{\"log\":{log},\"stream\":\"{stream}\",\"time\":\"2024-08-14T08:25:23.2Z\"}}\n"
                )
            }
            Runtime::Cri => {
                let tag = if last { "F" } else { "P" };
                format!("2024-08-14T08:25:23.123456789Z {stream} {tag} {text}\n")
            }
        }
    }

    /// A record cut in pieces of so many bytes.
    fn cut(self, record: &str, bytes: usize) -> String {
        let pieces: Vec<&[u8]> = record.as_bytes().chunks(bytes).collect();
        let text = |piece| str::from_utf8(piece).expect("ASCII");
        let last = pieces.len() - 1;
        let lines = pieces.iter().enumerate();
        lines
            .map(|(at, piece)| self.line("stderr", text(piece), at == last))
            .collect()
    }
}

fn panic_of(bytes: usize) -> String {
    let frame = r"  10: tikv::main\n             at src/main.rs:1\n";
    let backtrace = frame.repeat(bytes / frame.len() + 1);
    format!(
        r#"[2024/08/14 16:25:25.105 +08:00] [FATAL] [lib.rs:510] ["it broke"] [backtrace="{backtrace}"] [location=src/x.rs:1] [thread_name=raftstore-4] [region_id=9]"#
    )
}

fn event(record: &str) -> LogEvent {
    LogEvent::of(&parse_line(record).expect("a record")).expect("an event")
}

type Found = (Vec<(u64, LogEvent)>, Tally);

/// What a scanner finds in these chunks of one file.
fn scan(chunks: &[&str]) -> Found {
    let mut scanner = EventScanner::new();
    let mut events = Vec::new();
    let mut offset = 0;
    for chunk in chunks {
        scanner.scan_at(offset, chunk.as_bytes(), |found| {
            events.push((found.offset, found.event));
        });
        offset += chunk.len() as u64;
    }
    scanner.finish(|found| events.push((found.offset, found.event)));
    let tally = scanner.tally().clone();
    assert_eq!(sum(&tally), tally.lines, "{tally}");
    (events, tally)
}

fn sum(tally: &Tally) -> u64 {
    let recovered: u64 = tally.recovered.values().sum();
    let unrecognised: u64 = tally.unrecognised.values().sum();
    tally.skimmed + tally.strict + recovered + unrecognised + tally.pieces
}

fn joined(tally: &Tally) -> u64 {
    let all = tally.recovered.iter();
    all.filter(|(damage, _)| damage.has(Damage::JOINED))
        .map(|(_, count)| count)
        .sum()
}

#[test]
fn a_record_cut_at_any_place_is_read_whole() {
    for runtime in RUNTIMES {
        let before = runtime.line("stderr", FOLLOWER, true);
        for at in 0..=LEADER.len() {
            let (first, last) = LEADER.split_at(at);
            let pieces = runtime.line("stderr", first, false) + &runtime.line("stderr", last, true);
            let text = format!("{before}{pieces}{before}");
            let place = before.len() as u64;
            let behind = place + pieces.len() as u64;
            let (events, tally) = scan(&[&text]);
            let expected = [
                (0, event(FOLLOWER)),
                (place, event(LEADER)),
                (behind, event(FOLLOWER)),
            ];
            assert_eq!(events, expected, "{runtime:?} cut at {at}");
            assert_eq!((tally.lines, tally.pieces, joined(&tally)), (4, 1, 1));
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            assert_eq!(scan(&lines), (events, tally), "line by line");
        }
    }
}

#[test]
fn a_panic_whose_backtrace_is_long_is_recognised_with_the_fields_behind_it() {
    let record = panic_of(40 << 10);
    for runtime in RUNTIMES {
        let text = runtime.cut(&record, 16 << 10);
        assert_eq!(text.lines().count(), 3);
        let (events, tally) = scan(&[&text]);
        let [(0, panicked)] = &events[..] else {
            panic!("{events:?}");
        };
        assert_eq!(
            (panicked.kind, panicked.region),
            (EventKind::Panicked, Some(9))
        );
        assert_eq!(
            (tally.lines, tally.pieces, joined(&tally)),
            (3, 2, 1),
            "{tally}"
        );
    }
}

#[test]
fn what_is_held_when_the_stream_ends_is_read_as_far_as_it_came() {
    for runtime in RUNTIMES {
        let text = runtime.line("stderr", &LEADER[..105], false);
        let (events, tally) = scan(&[&text]);
        let found: Vec<_> = events
            .iter()
            .map(|(at, event)| (*at, event.kind, event.term))
            .collect();
        assert_eq!(
            found,
            [(0, EventKind::BecameLeader, Some(6))],
            "{runtime:?}"
        );
        assert_eq!((tally.lines, tally.pieces, joined(&tally)), (1, 0, 1));
        let whole = runtime.line("stderr", FOLLOWER, true);
        let mut events = Vec::new();
        let text = format!("{whole}{text}");
        scan_stream(text.as_bytes(), |at, event| events.push((at, event.kind))).expect("memory");
        let place = whole.len() as u64;
        assert_eq!(
            events,
            [
                (0, EventKind::BecameFollower),
                (place, EventKind::BecameLeader)
            ]
        );
    }
}

#[test]
fn a_line_of_no_container_ends_what_is_held_and_is_read_itself() {
    let dull = "[2024/08/14 16:25:23.105 +08:00] [INFO] [store.rs:1] [\"nothing to see here\"] [a=1] [padding=to_the_length_of_a_head]\n";
    for runtime in RUNTIMES {
        let held = runtime.line("stderr", &LEADER[..105], false);
        let rest = runtime.line("stderr", &LEADER[105..], true);
        for (between, kinds) in [
            (dull, vec![EventKind::BecameLeader]),
            ("a line of nobody\n", vec![EventKind::BecameLeader]),
            ("\n", vec![EventKind::BecameLeader]),
            (
                &format!("{FOLLOWER}\n"),
                vec![EventKind::BecameLeader, EventKind::BecameFollower],
            ),
            (
                &format!("pd.log:{FOLLOWER}\n"),
                vec![EventKind::BecameLeader, EventKind::BecameFollower],
            ),
        ] {
            let text = format!("{held}{between}{rest}");
            let (events, tally) = scan(&[&text]);
            let found: Vec<_> = events.iter().map(|(_, event)| event.kind).collect();
            assert_eq!(found, kinds, "{runtime:?} {between}");
            assert_eq!((tally.lines, tally.pieces), (3, 0), "{between} {tally}");
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            assert_eq!(scan(&lines), (events, tally), "line by line");
        }
    }
}

#[test]
fn the_two_streams_of_a_container_are_put_together_apart() {
    for runtime in RUNTIMES {
        let err = |text, last| runtime.line("stderr", text, last);
        let out = |text, last| runtime.line("stdout", text, last);
        let text = [
            err(&LEADER[..50], false),
            out(&FOLLOWER[..70], false),
            out(&FOLLOWER[70..], true),
            err(&LEADER[50..90], false),
            out(FOLLOWER, true),
            err(&LEADER[90..], true),
        ];
        let (events, tally) = scan(&[&text.concat()]);
        let found: Vec<_> = events.into_iter().map(|(_, event)| event).collect();
        assert_eq!(found, [event(FOLLOWER), event(FOLLOWER), event(LEADER)]);
        assert_eq!((tally.lines, tally.pieces, joined(&tally)), (6, 3, 2));
    }
}

#[test]
fn a_piece_that_begins_a_record_is_no_rest_of_another() {
    let json = r#"{"level":"INFO","caller":"raft.rs:1","message":"became leader at term 6","time":"2024/08/14 16:25:23.105 +08:00","region_id":2}"#;
    for runtime in RUNTIMES {
        // As when a process dies in the middle of a line, or a tool took the line feeds off.
        let text: String = [LEADER, FOLLOWER, json, LEADER]
            .map(|record| runtime.line("stderr", record, false))
            .concat();
        let (events, tally) = scan(&[&text]);
        let found: Vec<_> = events.into_iter().map(|(_, event)| event).collect();
        assert_eq!(
            found,
            [event(LEADER), event(FOLLOWER), event(json), event(LEADER)]
        );
        assert_eq!((tally.lines, tally.pieces, joined(&tally)), (4, 0, 4));
    }
}

#[test]
fn an_endless_record_takes_no_endless_memory_and_hides_no_line_behind_it() {
    let piece = Runtime::Cri.line("stderr", &"x".repeat(16 << 10), false);
    let text = piece.repeat(1500) + &Runtime::Cri.line("stderr", LEADER, true);
    let (events, tally) = scan(&[&text]);
    assert_eq!(events.len(), 1, "{tally}");
    assert_eq!((tally.lines, tally.pieces), (1501, 1498));
    assert_eq!(
        tally.unrecognised.get(&Reason::NoHeader),
        Some(&2),
        "{tally}"
    );
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("operator-containers-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).expect("writable");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_file_gives_the_same_whatever_the_number_of_threads() {
    let folder = Folder::new("threads");
    let panic = panic_of(40 << 10);
    for runtime in RUNTIMES {
        let whole = runtime.line("stderr", LEADER, true);
        let dense = [runtime.cut(&panic, 16 << 10), whole.clone()]
            .concat()
            .repeat(210);
        let sparse = [runtime.cut(&panic, 16 << 10), whole.repeat(4000)]
            .concat()
            .repeat(11);
        // A container's lines that begin only behind the first border between threads.
        let late = format!("{}{dense}", format!("{FOLLOWER}\n").repeat(35_000));
        for (name, text) in [("dense", dense), ("sparse", sparse), ("late", late)] {
            let path = folder.write("tikv.log", &text);
            assert!(text.len() > 8 << 20, "{name}: {}", text.len());
            let read = |threads| {
                let mut events = Vec::new();
                let tally = scan_file(
                    &path,
                    Window::default(),
                    NonZero::new(threads).expect("a thread"),
                    |offset, event| events.push((offset, event)),
                    |_| ControlFlow::Continue(()),
                );
                (events, tally.expect("readable"))
            };
            let one = read(1);
            let panics = one
                .0
                .iter()
                .filter(|(_, event)| event.kind == EventKind::Panicked);
            assert_eq!(panics.count(), panic_count(&text), "{runtime:?} {name}");
            assert_eq!(sum(&one.1), one.1.lines);
            assert!(one == scan(&[&text]), "{runtime:?} {name}: as in memory");
            for threads in [2, 3] {
                let many = read(threads);
                assert_eq!(many.1, one.1, "{runtime:?} {name} {threads}");
                assert!(many.0 == one.0, "{runtime:?} {name} {threads}");
            }
        }
    }
}

fn panic_count(text: &str) -> usize {
    text.matches("[FATAL]").count()
}

#[test]
fn files_are_not_joined() {
    let folder = Folder::new("files");
    for runtime in RUNTIMES {
        let first = folder.write("a.log", &runtime.line("stderr", &LEADER[..105], false));
        let second = folder.write("b.log", &runtime.line("stderr", FOLLOWER, true));
        let mut events = Vec::new();
        let tally = scan_files(
            &[first, second],
            Window::default(),
            NonZero::<usize>::MIN,
            |found| events.push((found.file, found.offset, found.event.kind)),
            |_, _| {},
        );
        assert_eq!(
            events,
            [
                (0, 0, EventKind::BecameLeader),
                (1, 0, EventKind::BecameFollower)
            ]
        );
        assert_eq!(tally.expect("readable").pieces, 0);
    }
}

/// A stream that gives so many bytes at a time.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = self.1.min(buffer.len()).min(self.0.len());
        buffer[..len].copy_from_slice(&self.0[..len]);
        self.0 = &self.0[len..];
        Ok(len)
    }
}

/// A line of the file: a piece, or a line of no container.
fn any_line() -> impl Strategy<Value = String> {
    let texts = vec![
        LEADER.to_owned(),
        FOLLOWER.to_owned(),
        LEADER[..60].to_owned(),
        LEADER[60..].to_owned(),
        LEADER[60..100].to_owned(),
        "text of nobody".to_owned(),
        String::new(),
    ];
    let text = prop::sample::select(texts);
    let stream = prop::sample::select(vec!["stderr", "stderr", "stdout"]);
    let runtime = prop::sample::select(vec![Some(Runtime::Docker), Some(Runtime::Cri), None]);
    (runtime, stream, text, any::<bool>()).prop_map(|(runtime, stream, text, last)| match runtime {
        Some(runtime) => runtime.line(stream, &text, last),
        None => format!("{text}\n"),
    })
}

proptest! {
    #[test]
    fn a_container_stream_split_at_any_byte_gives_the_same_events(
        lines in prop::collection::vec(any_line(), 0..12),
        step in 1_usize..200,
        cut in 0_usize..40,
    ) {
        let mut text = lines.concat();
        text.truncate(text.len().saturating_sub(cut));
        let whole = scan(&[&text]);
        let mut events = Vec::new();
        let tally = scan_stream(Trickle(text.as_bytes(), step), |at, event| events.push((at, event)));
        prop_assert_eq!(&(events, tally.expect("memory")), &whole);
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        prop_assert_eq!(&scan(&lines), &whole);
    }

    #[test]
    fn a_record_in_any_pieces_is_the_record(sizes in prop::collection::vec(0_usize..60, 0..8), docker in any::<bool>()) {
        let runtime = if docker { Runtime::Docker } else { Runtime::Cri };
        let mut text = String::new();
        let mut rest = LEADER;
        for &size in &sizes {
            let (piece, behind) = rest.split_at(size.min(rest.len()));
            text += &runtime.line("stderr", piece, false);
            rest = behind;
        }
        text += &runtime.line("stderr", rest, true);
        let (events, tally) = scan(&[&text]);
        prop_assert_eq!(events, [(0, event(LEADER))]);
        prop_assert_eq!((tally.lines, tally.pieces), (sizes.len() as u64 + 1, sizes.len() as u64));
    }
}
