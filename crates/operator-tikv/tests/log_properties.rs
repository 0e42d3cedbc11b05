//! What holds for every line there can be.

use operator_tikv::log_parser::{
    CATALOGUE, Dialect, EventScanner, Joiner, JsonRecord, JsonValue, Level, LineReader, LogEvent,
    Pattern, Record, Stamp, parse_lenient, parse_line, parse_line_with, region_of, term_of,
};
use proptest::prelude::*;

fn level() -> impl Strategy<Value = Level> {
    prop::sample::select(vec![
        Level::Trace,
        Level::Debug,
        Level::Info,
        Level::Warn,
        Level::Error,
        Level::DPanic,
        Level::Panic,
        Level::Fatal,
    ])
}

/// Text of anything, with what the grammar is about made likely.
fn text() -> impl Strategy<Value = String> {
    let likely = prop::sample::select(
        (0..0x20_u8)
            .map(char::from)
            .chain(" \"[]=\\:/{}\u{7f}\u{2028}\u{85}\u{1f496}\u{2039}".chars())
            .collect::<Vec<_>>(),
    );
    prop::collection::vec(
        prop_oneof![likely, any::<char>(), prop::char::range('a', 'z')],
        0..40,
    )
    .prop_map(|symbols| symbols.into_iter().collect())
}

fn bare_name() -> impl Strategy<Value = String> {
    "[a-z][a-z._-]{0,10}"
}

fn source() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("<unknown>".to_owned()),
        ("[A-Za-z0-9._-]{0,12}", any::<u32>()).prop_map(|(file, line)| format!("{file}:{line}")),
    ]
}

fn stamp() -> impl Strategy<Value = Stamp> {
    // Years 0001 to 9998, so that no zone leaves the four digits.
    (
        -62_135_596_800_000_i64..253_370_764_800_000,
        -23 * 60_i16..=23 * 60,
    )
        .prop_map(|(utc_ms, offset_minutes)| Stamp {
            utc_ms,
            offset_minutes,
        })
}

prop_compose! {
    fn record()(
        time in prop::option::weighted(0.9, stamp()),
        level in level(),
        logger in prop::option::weighted(0.1, bare_name()),
        source in source(),
        message in prop::option::weighted(0.9, text()),
        fields in prop::collection::vec(prop::option::weighted(0.9, (text(), text())), 0..8),
    ) -> Record {
        Record { time, level, logger, source, message, fields }
    }
}

fn json_value() -> impl Strategy<Value = JsonValue> {
    let others = prop::sample::select(vec![
        "null",
        "true",
        "false",
        "0",
        "-7",
        "18446744073709551615",
        "1.5e-7",
        "[]",
        "{}",
        r#"[{"a":"]"},[1,null]]"#,
        r#"{"level":"x","b":{"c":[]}}"#,
    ]);
    prop_oneof![
        text().prop_map(JsonValue::Text),
        others.prop_map(|json| JsonValue::Json(json.to_owned())),
    ]
}

prop_compose! {
    /// A record with its envelope somewhere among fields, which may have the same keys.
    fn json_record()(
        level in level(),
        message in text(),
        time in prop::option::weighted(0.9, stamp()),
        source in prop::option::weighted(0.9, source()),
        fields in prop::collection::vec((text(), json_value()), 0..6),
        colliding in prop::option::of(json_value()),
        turn in 0_usize..8,
    ) -> JsonRecord {
        let text = |key: &str, value: String| (key.to_owned(), JsonValue::Text(value));
        let mut members = vec![text("level", level.to_string()), text("message", message)];
        members.extend(time.and_then(Stamp::to_log_text).map(|time| text("time", time)));
        members.extend(source.map(|source| text("caller", source)));
        let by = turn % members.len();
        members.rotate_left(by);
        members.extend(colliding.map(|value| ("message".to_owned(), value)));
        members.extend(fields);
        JsonRecord { members }
    }
}

/// What a line says, for comparison.
fn said(line: &[u8]) -> Option<(Option<Record>, String)> {
    let parsed = parse_line(line).ok()?;
    Some((Record::of(&parsed), format!("{parsed:?}")))
}

fn touch_everything(line: &[u8]) {
    let mut scratch = Vec::new();
    let Ok(parsed) = parse_lenient(line, &mut scratch) else {
        return;
    };
    let _ = (
        format!("{parsed:?}"),
        parsed.prefix(),
        parsed.trailing(),
        parsed.time_text(),
        parsed.level_text(),
    );
    let _ = (
        region_of(&parsed),
        term_of(&parsed),
        LogEvent::of(&parsed),
        Record::of(&parsed),
        JsonRecord::of(&parsed).map(|record| record.write(record.dialect())),
    );
    let _ = parsed
        .fields()
        .filter_map(|field| field.value.number())
        .max();
}

proptest! {
    #[test]
    fn a_record_that_is_written_is_read_back(record in record(), zap in any::<bool>()) {
        let dialect = if zap { Dialect::Zap } else { Dialect::Tikv };
        // Only zap writes a record without a message, and reads an empty first section as one.
        let Ok(line) = record.write(dialect) else { return Ok(()) };
        let parsed = parse_line(&line).unwrap_or_else(|fault| panic!("{fault}: {line}"));
        prop_assert_eq!(Record::of(&parsed), Some(record), "{}", line);
        prop_assert_eq!(parsed.record(), line.as_bytes());
    }

    #[test]
    fn what_is_read_is_written_as_it_was(record in record()) {
        let Ok(line) = record.write(record.dialect()) else { return Ok(()) };
        let again = Record::of(&parse_line(&line).expect("a record")).expect("unified text");
        prop_assert_eq!(again.write(again.dialect()), Ok(line));
    }

    #[test]
    fn a_json_record_that_is_written_is_read_back(record in json_record(), zap in any::<bool>()) {
        let dialect = if zap { Dialect::Zap } else { Dialect::Tikv };
        let line = record.write(dialect);
        let parsed = parse_line(&line).unwrap_or_else(|fault| panic!("{fault}: {line}"));
        let again = JsonRecord::of(&parsed);
        prop_assert_eq!(again.as_ref().map(|record| record.write(dialect)), Some(line));
        prop_assert_eq!(again, Some(record));
    }

    #[test]
    fn lenient_never_reads_a_strict_record_differently(record in record()) {
        let Ok(line) = record.write(Dialect::Tikv) else { return Ok(()) };
        let mut scratch = Vec::new();
        let lenient = parse_lenient(&line, &mut scratch).expect("a record");
        prop_assert!(lenient.damage().is_none());
        prop_assert_eq!(said(line.as_bytes()).map(|said| said.1), Some(format!("{lenient:?}")));
    }

    #[test]
    fn a_prefix_and_a_cut_tail_lose_no_whole_field(record in record(), prefix in "[a-z0-9.]{1,8}:", cut in 0_usize..60) {
        let Ok(line) = record.write(Dialect::Tikv) else { return Ok(()) };
        prop_assume!(record.time.is_some());
        let end = (0..=line.len().saturating_sub(cut)).rev().find(|&at| line.is_char_boundary(at)).unwrap_or(0);
        let damaged = format!("{prefix}{}", &line[..end]);
        let mut scratch = Vec::new();
        if let Ok(read) = parse_lenient(&damaged, &mut scratch) {
            prop_assert_eq!(&*read.prefix(), prefix.as_str());
            let whole: Vec<_> = record.fields.iter().flatten().cloned().collect();
            let kept: Vec<_> = read.fields().map(|field| (field.key.to_string(), field.value.to_string())).collect();
            prop_assert!(whole.starts_with(&kept), "{:?} of {:?} in {}", kept, whole, damaged);
        } else {
            prop_assert!(end < 42, "the head is whole: {}", damaged);
        }
    }

    #[test]
    fn hostile_bytes_do_no_harm(line in prop::collection::vec(any::<u8>(), 0..200)) {
        touch_everything(&line);
        EventScanner::new().scan(&line, |_| {});
    }

    #[test]
    fn a_stream_split_at_any_byte_gives_the_same_lines(records in prop::collection::vec(record(), 1..5), step in 1_usize..70) {
        let mut text = Vec::new();
        for record in &records {
            text.extend_from_slice(record.write(Dialect::Tikv).unwrap_or_default().as_bytes());
            text.push(b'\n');
        }
        let whole: Vec<Vec<u8>> = text.split_inclusive(|&byte| byte == b'\n').map(|line| line[..line.len() - 1].to_vec()).collect();
        let mut reader = LineReader::new(Pieces { text: &text, step });
        let mut lines = Vec::new();
        while let Some(line) = reader.next_line().expect("no error") {
            lines.push(line.bytes.to_vec());
        }
        prop_assert_eq!(lines, whole);
    }
}

/// A stream that gives so many bytes at a time.
struct Pieces<'a> {
    text: &'a [u8],
    step: usize,
}

impl std::io::Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = self.step.min(buffer.len()).min(self.text.len());
        buffer[..len].copy_from_slice(&self.text[..len]);
        self.text = &self.text[len..];
        Ok(len)
    }
}

#[test]
fn a_message_of_a_hundred_kilobytes_is_read_whole() {
    for symbol in ["x", "\n", "\"", "[", "\u{2028}", "\\", "\u{1}"] {
        let record = Record {
            time: Some(Stamp::utc(1_723_623_923_105)),
            level: Level::Fatal,
            logger: None,
            source: "lib.rs:1".to_owned(),
            message: Some(symbol.repeat(100_000 / symbol.len())),
            fields: vec![Some(("backtrace".to_owned(), symbol.repeat(1_000)))],
        };
        for dialect in [Dialect::Tikv, Dialect::Zap] {
            let line = record.write(dialect).expect("writable");
            assert_eq!(
                Record::of(&parse_line(&line).expect("a record")).as_ref(),
                Some(&record)
            );
        }
    }
}

/// A source of bytes for the mutations below: the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound.max(1) as u64).expect("below a bound")
    }
}

const SEEDS: [&str; 9] = [
    r#"[2024/08/14 16:25:23.105 +08:00] [INFO] [raft.rs:1217] ["became leader at term 6"] [term=6] [raft_id=5] [region_id=2] [thread_id=7]"#,
    r#"[2024/08/14 16:25:23.105 +08:00] [WARN] [raft] [zap_raft.go:77] ["55ee66ff77aa88bb [term 4] received MsgTimeoutNow from 99cc00dd11ee22ff and starts"] []"#,
    r#"[2024/08/14 16:25:23.105 +08:00] [INFO] [raft.rs:1] ["[logterm: 6, index: 6, vote: 5] cast vote for 9 [logterm: 6, index: 6] at term 6"] ["msg type"=MsgRequestPreVote]"#,
    r#"{"level":"INFO","caller":"main.rs:213","message":"plain \\ back","time":"2026/11/20 09:48:38.685 +00:00","a":{"b":[1,null,"\u00e9"]},"n":-1.5e3}"#,
    r#"{"log":"[2026/04/05 20:06:07.089 +08:00] [INFO] [a.rs:1] [\"x \\\"y\\\"\"] [k=v]\n","stream":"stderr","time":"2026-04-05T12:06:08Z"}"#,
    r"pd2_1    | 2017/02/03 04:05:06.789 log.go:91: [info] raft: [11aa22bb33cc44dd is starting a new election at term 1]",
    r"2016-05-06 07:08:09,101 raft.rs:601 - INFO  - [region 2] 3 became candidate at term 6",
    r"2019/01/02 03:04:05.678 INFO <unknown>:91: [region 40] 41 became candidate at term 12",
    r"[2024/08/14 16:25:23.105 +08:00][7][INFO] [db/version_set.cc:1] recovered",
];

/// Mutates lines, and says how many it tried.
fn fuzz(rounds: usize, mut target: impl FnMut(&[u8])) {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let pieces: [&[u8]; 12] = [
        b"[",
        b"]",
        b"\"",
        b"\\",
        b"=",
        b" ",
        b"\n",
        b"\\u",
        b"[2024/08/14 16:25:23.105 +08:00] [INFO] [a.rs:1]",
        b"{",
        b"\xff",
        b"term",
    ];
    for round in 0..rounds {
        let mut line = SEEDS[round % SEEDS.len()].as_bytes().to_vec();
        for _ in 0..=dice.below(6) {
            let at = dice.below(line.len());
            match dice.below(4) {
                0 => line.truncate(at),
                1 => drop(line.drain(at..(at + dice.below(9)).min(line.len()))),
                2 => drop(line.splice(at..at, pieces[dice.below(pieces.len())].iter().copied())),
                _ if at < line.len() => line[at] = u8::try_from(dice.below(256)).expect("a byte"),
                _ => {}
            }
        }
        target(&line);
    }
}

#[test]
fn fuzzed_lines_do_no_harm_and_strict_ones_are_read_alike_by_all() {
    fuzz(40_000, |line| {
        touch_everything(line);
        let strict = said(line).map(|said| said.1);
        let mut scratch = Vec::new();
        let lenient = parse_lenient(line, &mut scratch);
        if let Some(strict) = strict {
            let mut handed_over = Vec::new();
            let parsed = parse_line_with(line, |field| handed_over.push(field)).expect("strict");
            let again: Vec<_> = parsed.sections().collect();
            let text = String::from_utf8_lossy(line);
            assert_eq!(handed_over, again, "{text}");
            assert_eq!(
                lenient.map(|line| format!("{line:?}")).as_ref(),
                Ok(&strict)
            );
        }
    });
}

#[test]
fn a_fuzzed_stream_gives_the_fast_path_the_events_of_the_slow_one() {
    let mut stream = Vec::new();
    fuzz(20_000, |line| {
        // A piece is read with what follows it, which has tests of its own.
        let is_piece = |line: &[u8]| Joiner::default().push(line).is_none();
        if !line.split(|&byte| byte == b'\n').any(is_piece) {
            stream.extend_from_slice(line);
            stream.push(b'\n');
        }
    });
    let mut scratch = Vec::new();
    let mut slow = Vec::new();
    for line in stream.split(|&byte| byte == b'\n') {
        let event = parse_lenient(line, &mut scratch)
            .ok()
            .and_then(|line| LogEvent::of(&line));
        slow.extend(event.map(|event| (String::from_utf8_lossy(line), event)));
    }
    let mut fast = Vec::new();
    let mut scanner = EventScanner::new();
    scanner.scan(&stream, |found| {
        let line = String::from_utf8_lossy(found.line).into_owned();
        fast.push((line.into(), found.event));
    });
    assert!(slow.len() > 500, "{}", slow.len());
    let different = slow.iter().zip(&fast).find(|(slow, fast)| slow != fast);
    assert!(different.is_none(), "{different:?}");
    assert_eq!(fast.len(), slow.len());
    let tally = scanner.tally();
    let recovered: u64 = tally.recovered.values().sum();
    let unrecognised: u64 = tally.unrecognised.values().sum();
    assert_eq!(
        tally.lines,
        tally.skimmed + tally.strict + recovered + unrecognised,
        "{tally}"
    );
}

/// A line of every row, in heads that are usual and heads that are not, among lines that are none.
fn catalogue_in_many_heads() -> Vec<u8> {
    let heads = [
        "[2024/08/14 16:25:23.105 +08:00] [INFO] [raft.rs:1217]",
        "[2024/08/14 16:25:23.105 +08:00] [ERROR] [<unknown>]",
        "[2024/08/14 16:25:23.105 +08:00] [DEBUG] [a_very_long_name_of_a_source_file.rs:12345]",
        "[2024/08/14 16:25:23.105 +08:00] [DPANIC] [a_name_of_a_source_that_is_as_long_as_two_of_the_longest.go:9]",
        "[2024/08/14 16:25:23.105 +08:00] [INFO] [raft] [zap_raft.go:77]",
        "[2024/08/14 16:25:23.105 +08:00] [INFO]  [raft.rs:1]",
        "[2024/08/14 16:25:23.105 +08:00] [FATAL] [lib.rs:1]",
        "pd.log:[2024/08/14 16:25:23.105 +08:00] [INFO] [server.go:7]",
        "2024/08/14 16:25:23.105 +08:00] [WARN] [raft.rs:1]",
        " [INFO] [raft.rs:1]",
    ];
    let mut text = Vec::new();
    for (number, row) in CATALOGUE.iter().enumerate() {
        let words = match row.pattern {
            Pattern::Exact(words) | Pattern::Starts(words) => words.to_owned(),
            Pattern::Holds(start, part) => format!("{start}7{part}"),
        };
        for (turn, head) in heads.iter().enumerate() {
            for before in ["", "[region 5] 8 ", "55ee66ff77aa88bb ", "not "] {
                let tail = "x".repeat((number * 7 + turn) % 90);
                text.extend_from_slice(
                    format!("{head} [\"{before}{words}\"] [term=6] [region_id=2] [tail={tail}]\n")
                        .as_bytes(),
                );
            }
        }
        text.extend_from_slice(["\n", "[\n", "] [\n\n\r\n"][number % 3].as_bytes());
    }
    text
}

#[test]
fn the_fast_path_finds_every_row_in_every_head_however_the_lines_come_in_chunks() {
    let text = catalogue_in_many_heads();
    let mut scratch = Vec::new();
    let slow: Vec<LogEvent> = text
        .split(|&byte| byte == b'\n')
        .filter_map(|line| LogEvent::of(&parse_lenient(line, &mut scratch).ok()?))
        .collect();
    assert!(slow.len() > CATALOGUE.len() * 10, "{}", slow.len());
    let mut whole = EventScanner::new();
    let mut fast = Vec::new();
    whole.scan(&text, |found| fast.push(found.event));
    assert!(fast == slow, "{} and {} events", fast.len(), slow.len());
    for lines in [1, 2, 63, 64, 65, 1000] {
        let mut parts = EventScanner::new();
        let mut found = Vec::new();
        let all: Vec<&[u8]> = text.split_inclusive(|&byte| byte == b'\n').collect();
        for chunk in all.chunks(lines) {
            parts.scan(&chunk.concat(), |event| found.push(event.event));
        }
        assert!(found == slow, "{lines} lines at a time");
        assert_eq!(parts.tally(), whole.tally(), "{lines} lines at a time");
    }
}

#[test]
fn fuzzed_json_is_read_by_us_as_by_serde_or_not_at_all() {
    let mut records = 0;
    fuzz(40_000, |line| {
        if line.first() != Some(&b'{') {
            return;
        }
        let Ok(parsed) = parse_line(line) else { return };
        let Ok(value) = serde_json::from_slice::<serde_json::Value>(line) else {
            // serde_json refuses bytes that are no UTF-8, and numbers and surrogates that we keep
            // as they stand.
            let text = String::from_utf8_lossy(line);
            assert!(
                std::str::from_utf8(line).is_err()
                    || text.contains("\\u")
                    || text.contains('e')
                    || text.contains('['),
                "{text}"
            );
            return;
        };
        records += 1;
        let object = value.as_object().expect("an object");
        for field in parsed.fields() {
            assert!(object.contains_key(&*field.key.to_str()), "{field:?}");
        }
    });
    assert!(records > 100, "{records}");
}

#[test]
fn pieces_of_a_container_are_joined() {
    let mut joiner = Joiner::default();
    let pieces = [
        r#"{"log":"[2024/08/14 16:25:23.105 +08:00] [INFO] ","stream":"stderr","time":"x"}"#,
        r#"{"log":"[a.rs:1] [x]\n","stream":"stderr","time":"x"}"#,
    ];
    assert_eq!(joiner.push(pieces[0].as_bytes()), None);
    let whole = joiner.push(pieces[1].as_bytes()).expect("whole").to_vec();
    assert_eq!(
        whole,
        b"[2024/08/14 16:25:23.105 +08:00] [INFO] [a.rs:1] [x]"
    );
    assert!(joiner.joined());
    assert_eq!(joiner.push(b"plain"), Some(&b"plain"[..]));
    assert!(!joiner.joined());
}
