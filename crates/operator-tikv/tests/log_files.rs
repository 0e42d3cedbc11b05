//! Files as they lie on a disk: rotated, compressed, growing, of many stores.
#![cfg(feature = "logs")]

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use operator_sim::logs::{Bulk, Shape, generate};
use operator_tikv::log_parser::files::{
    FieldFilter, Filter, Follower, Merge, Window, WindowedLines, last_time, rotation_set,
    scan_file, scan_files,
};
use operator_tikv::log_parser::{Level, LogEvent, Stamp, Tally, parse_line};

/// A folder of a test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("operator-logs-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    fn write(&self, name: &str, text: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).expect("writable");
        path
    }

    fn pack(&self, name: &str, text: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        let mut packed =
            GzEncoder::new(File::create(&path).expect("writable"), Compression::fast());
        packed.write_all(text).expect("writable");
        packed.finish().expect("writable");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn bulk(bytes: u64) -> Vec<u8> {
    let mut text = Vec::new();
    Bulk {
        bytes,
        span_ms: 3_600_000,
        ..Bulk::default()
    }
    .write(&mut text)
    .expect("memory");
    text
}

fn scan(path: &Path, window: Window, threads: usize) -> (Vec<(u64, LogEvent)>, Tally) {
    let mut events = Vec::new();
    let threads = NonZero::new(threads).expect("a thread");
    let tally = scan_file(
        path,
        window,
        threads,
        |offset, event| events.push((offset, event)),
        |_| ControlFlow::Continue(()),
    );
    (events, tally.expect("readable"))
}

#[test]
fn plain_compressed_and_shared_between_threads_give_the_same() {
    let folder = Folder::new("same");
    let text = bulk(9_000_000);
    let plain = folder.write("tikv.log", &text);
    let packed = folder.pack("packed.log", &text);
    let (events, tally) = scan(&plain, Window::default(), 1);
    assert!(
        events.len() > 500 && tally.unrecognised.is_empty(),
        "{tally}"
    );
    assert_eq!(
        tally.lines,
        text.iter().filter(|&&byte| byte == b'\n').count() as u64
    );
    for (offset, event) in &events {
        let line = text[usize::try_from(*offset).expect("small")..]
            .split(|&byte| byte == b'\n')
            .next()
            .expect("a line");
        assert_eq!(
            LogEvent::of(&parse_line(line).expect("a record")).as_ref(),
            Some(event),
            "the place is that of the line"
        );
    }
    assert_eq!(
        scan(&packed, Window::default(), 1),
        (events.clone(), tally.clone())
    );
    for threads in [2, 3, 7] {
        assert_eq!(
            scan(&plain, Window::default(), threads),
            (events.clone(), tally.clone()),
            "{threads} threads"
        );
    }
}

#[test]
fn lines_longer_than_a_block_are_whole_for_every_number_of_threads() {
    let folder = Folder::new("long");
    let mut text = bulk(3_000_000);
    let leader = "[2024/08/14 16:25:23.105 +08:00] [INFO] [raft.rs:1] [\"became leader at term 6\"] [term=6] [region_id=2]";
    text.extend_from_slice(format!("{leader} [long={}]\n", "x".repeat(2_500_000)).as_bytes());
    text.extend_from_slice(format!("{leader}\n").as_bytes());
    text.extend_from_slice(&bulk(2_000_000));
    let path = folder.write("tikv.log", &text);
    let one = scan(&path, Window::default(), 1);
    assert_eq!(scan(&path, Window::default(), 2), one);
}

#[test]
fn a_window_is_sought_and_holds_what_a_whole_reading_finds_in_it() {
    let folder = Folder::new("window");
    let text = bulk(6_000_000);
    let path = folder.write("tikv.log", &text);
    let (all, _) = scan(&path, Window::default(), 1);
    let begin = Bulk::default().begin_ms;
    let last = last_time(&path).expect("readable").expect("a time").utc_ms;
    assert!(
        (last - begin - 3_600_000).abs() < 200_000,
        "the log spans an hour"
    );
    for (from, until) in [
        (Some(begin + 1_000_000), Some(begin + 1_300_000)),
        (Some(last - 600_000), None),
        (None, Some(begin + 60_000)),
        (Some(begin - 9), Some(begin - 5)),
    ] {
        let window = Window {
            from: from.map(Stamp::utc),
            until: until.map(Stamp::utc),
        };
        let (found, tally) = scan(&path, window, 1);
        let expected: Vec<_> = all
            .iter()
            .filter(|(_, event)| event.time.is_some_and(|time| window.holds(time)))
            .cloned()
            .collect();
        assert_eq!(found, expected);
        if from.is_some_and(|from| from > begin) {
            assert!(
                WindowedLines::open(&path, window)
                    .expect("readable")
                    .sought()
            );
            assert!(
                tally.lines < 17_000 / 2,
                "most of the file is not read: {tally}"
            );
        }
    }
}

#[test]
fn a_file_whose_clock_jumped_back_is_read_whole() {
    let folder = Folder::new("jump");
    let mut text = bulk(1_000_000);
    text.extend_from_slice(&bulk(1_000_000));
    let path = folder.write("tikv.log", &text);
    let from = Bulk::default().begin_ms + 3_000_000;
    let window = Window {
        from: Some(Stamp::utc(from)),
        until: None,
    };
    assert!(
        !WindowedLines::open(&path, window)
            .expect("readable")
            .sought()
    );
    let (all, _) = scan(&path, Window::default(), 1);
    let expected = all
        .iter()
        .filter(|(_, event)| event.time.is_some_and(|time| window.holds(time)))
        .count();
    assert_eq!(scan(&path, window, 1).0.len(), expected);
}

#[test]
fn rotated_files_come_in_the_order_they_were_written() {
    let folder = Folder::new("rotation");
    let names = [
        "pd-2024-08-14T16-25-23.105.log.gz",
        "pd-2024-08-15T00-00-00.000.log",
        "pd.log",
    ];
    let current = folder.write(names[2], b"");
    folder.write(names[1], b"");
    folder.write("pd-2024-08-15T00-00-00.000.log.gz", b"");
    folder.pack(names[0], b"");
    folder.write("pd-slow.log", b"");
    let files = rotation_set(&current).expect("listable");
    let found: Vec<&str> = files
        .iter()
        .filter_map(|path| path.file_name()?.to_str())
        .collect();
    assert_eq!(found, names);
    let missing = folder.0.join("none.log");
    let error = scan_files(
        &rotation_set(&missing).expect("listable"),
        Window::default(),
        NonZero::<usize>::MIN,
        |_| {},
        |_, _| {},
    )
    .expect_err("no file");
    assert_eq!(
        error.to_string(),
        format!("cannot open {}", missing.display())
    );
}

#[test]
fn a_compressed_file_before_the_window_is_not_read() {
    let folder = Folder::new("before");
    let text = bulk(1_000_000);
    // Were it opened up, the damage behind its head would be met.
    let old = folder.write("tikv-2024-08-14T16-25-23.105.log.gz", b"\x1f\x8b damaged");
    let current = folder.write("tikv.log", &text);
    let files = rotation_set(&current).expect("listable");
    assert_eq!(files.first(), Some(&old));
    let count = |from: i64| {
        let window = Window {
            from: Some(Stamp::utc(from)),
            until: None,
        };
        let mut events = 0;
        scan_files(
            &files,
            window,
            NonZero::<usize>::MIN,
            |_| events += 1,
            |_, _| {},
        )
        .map(|_| events)
    };
    let begin = Bulk::default().begin_ms;
    assert!(count(begin + 60_000).is_ok_and(|events| events > 0));
    let error = count(begin).expect_err("the file before is needed");
    assert_eq!(error.to_string(), format!("cannot read {}", old.display()));
}

#[test]
fn a_follower_reads_across_rotation_and_truncation() {
    let folder = Folder::new("follow");
    let path = folder.write("tikv.log", b"old\n");
    let mut follower = Follower::from_end(&path).expect("readable");
    let mut read = move || {
        let mut text = String::new();
        follower
            .poll(|lines| text.push_str(&String::from_utf8_lossy(lines)))
            .expect("readable");
        text
    };
    let append = |text: &str| {
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)
            .expect("writable");
        file.write_all(text.as_bytes()).expect("writable");
    };
    assert_eq!(read(), "");
    append("one\ntw");
    assert_eq!(read(), "one\n", "a line is handed over when it is whole");
    append("o\nthree\n");
    fs::rename(&path, folder.0.join("tikv-2024-08-14T16-25-23.105.log")).expect("renamed");
    assert_eq!(read(), "two\nthree\n", "the old file is read to its end");
    assert_eq!(read(), "");
    append("four\n");
    assert_eq!(read(), "four\n");
    folder.write("tikv.log", b"5\n");
    assert_eq!(read(), "5\n", "a truncated file is begun again");
}

#[test]
fn the_logs_of_a_cluster_are_one_stream_by_time() {
    let folder = Folder::new("merge");
    let set = generate(
        &Shape::RollingRestart {
            regions: 12,
            too_early: true,
        },
        9,
    );
    let mut merge = Merge::new();
    for log in &set.logs {
        let half = log.lines.len() / 2;
        let text = |lines: &[operator_sim::logs::Line]| {
            lines
                .iter()
                .map(|line| format!("{}\n", line.text))
                .collect::<String>()
        };
        folder.pack(
            &format!("{}-2024-08-14T16-25-23.105.log.gz", log.name),
            text(&log.lines[..half]).as_bytes(),
        );
        let current = folder.write(
            &format!("{}.log", log.name),
            text(&log.lines[half..]).as_bytes(),
        );
        merge.add_store(&log.name, &current).expect("readable");
    }
    let mut last = None;
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    while let Some(line) = merge.next_line().expect("readable") {
        assert!(last <= line.time, "{last:?} {:?}", line.time);
        last = line.time;
        let packed = line
            .path
            .extension()
            .is_some_and(|extension| extension == "gz");
        let count = counts.entry(line.store.to_string()).or_default();
        let half = set
            .logs
            .iter()
            .find(|log| *log.name == *line.store)
            .map_or(0, |log| log.lines.len() / 2);
        assert_eq!(
            packed,
            *count < half,
            "each line names the file it stands in"
        );
        *count += 1;
    }
    for log in &set.logs {
        assert_eq!(counts.get(&log.name), Some(&log.lines.len()));
    }
}

#[test]
fn a_line_without_a_time_stays_behind_its_own() {
    let folder = Folder::new("carried");
    let line =
        |second: u32| format!("[2024/08/14 16:25:{second:02}.000 +08:00] [INFO] [a.rs:1] [x]\n");
    let mut merge = Merge::new();
    merge
        .add_files(
            "a",
            vec![folder.write(
                "a.log",
                format!("{}stack backtrace:\n{}", line(1), line(5)).as_bytes(),
            )],
        )
        .expect("readable");
    merge
        .add_files("b", vec![folder.write("b.log", line(3).as_bytes())])
        .expect("readable");
    let mut order = String::new();
    while let Some(line) = merge.next_line().expect("readable") {
        order.push_str(&line.store);
    }
    assert_eq!(order, "aaba");
}

#[test]
fn a_merge_says_how_far_all_its_files_are() {
    let folder = Folder::new("progress");
    let line = "[2024/08/14 16:25:01.000 +08:00] [INFO] [a.rs:1] [x]\n";
    let (two, three) = (line.repeat(2), line.repeat(3));
    let packed = || folder.pack("c.log.gz", line.as_bytes());
    let mut merge = Merge::new();
    assert_eq!(merge.progress().total_bytes, Some(0));
    let files = vec![
        folder.write("a-old.log", two.as_bytes()),
        // Without its last line feed.
        folder.write("a.log", three.trim_end().as_bytes()),
    ];
    merge.add_files("a", files).expect("readable");
    merge
        .add_files("b", vec![folder.write("b.log", two.as_bytes())])
        .expect("readable");
    let total = (two.len() * 2 + three.len() - 1) as u64;
    let mut before = 0;
    while merge.next_line().expect("readable").is_some() {
        let now = merge.progress();
        assert_eq!(now.total_bytes, Some(total));
        assert!(before <= now.done_bytes && now.done_bytes <= total);
        before = now.done_bytes;
    }
    assert_eq!(before, total, "at the end all is done");
    merge.add_files("c", vec![packed()]).expect("readable");
    assert_eq!(merge.progress().total_bytes, None);
    assert_eq!(merge.progress().done_bytes, total + line.len() as u64);
}

#[test]
fn filters_ask_of_words_fields_and_levels() {
    let text = "[2024/08/14 16:25:23.105 +08:00] [WARN] [a.rs:1] [\"connection aborted\"] [store_id=4] [err=\"Socket closed\"]";
    let line = parse_line(text).expect("a record");
    let field = |text: &str| Filter::new().field(FieldFilter::parse(text).expect("a filter"));
    let grep = |text: &str| Filter::new().grep(text).expect("a pattern");
    for filter in [
        grep("ABORTED|none").at_least(Level::Info),
        grep("abort"),
        field("store_id=4"),
        field("err~closed$"),
        Filter::new().at_least(Level::Warn),
    ] {
        assert_eq!(
            filter.matches(&line),
            !format!("{filter:?}").contains("ABORTED"),
            "{filter:?}"
        );
    }
    for filter in [
        grep("nothing"),
        field("store_id=5"),
        field("err~^closed"),
        field("absent~."),
        Filter::new().at_least(Level::Error),
    ] {
        assert!(!filter.matches(&line), "{filter:?}");
    }
    assert!(
        FieldFilter::parse("=x").is_err()
            && FieldFilter::parse("plain").is_err()
            && Filter::new().grep("(").is_err()
    );
}
