//! Our own lines, for what the collected ones lack.

use operator_tikv::log_parser::{
    Damage, EventKind, EventScanner, Format, Level, LogEvent, LogLine, Reason, Stamp,
    catalogue_markdown, parse_lenient, parse_line,
};

const HEAD: &str = "[2024/08/14 16:25:23.105 +08:00]";

fn strict(line: &str) -> LogLine<'_> {
    parse_line(line).unwrap_or_else(|fault| panic!("{fault}: {line}"))
}

fn fields(line: &LogLine<'_>) -> Vec<(String, String)> {
    line.fields()
        .map(|field| (field.key.to_string(), field.value.to_string()))
        .collect()
}

#[test]
fn levels_in_any_spelling_are_read() {
    for (word, level) in [
        ("TRACE", Level::Trace),
        ("UNKNOWN", Level::Unknown),
        ("Info", Level::Info),
        ("DPANIC", Level::DPanic),
    ] {
        let text = format!("{HEAD} [{word}] [a.rs:1] [x]");
        assert_eq!(strict(&text).level(), Some(level));
        assert_eq!(strict(&text).level_text(), word);
    }
}

#[test]
fn duplicate_keys_stay_in_order() {
    let text = format!("{HEAD} [INFO] [a.rs:1] [x] [dup=2] [dup=1] [] [\"k]\"=true]");
    let line = strict(&text);
    let expected = [("dup", "2"), ("dup", "1"), ("k]", "true")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(fields(&line), expected);
    assert_eq!(
        line.field("dup").map(|value| value.to_string()).as_deref(),
        Some("2"),
        "the first counts"
    );
    assert_eq!(line.sections().filter(Option::is_none).count(), 1);
}

#[test]
fn colliding_json_keys_leave_the_envelope_whole() {
    let text = r#"{"level":"ERROR","caller":"main.rs:217","message":"outer","time":"2026/11/20 09:48:38.685 +00:00","time":"t","level":"l","message":"inner","n":1}"#;
    let line = strict(text);
    assert_eq!(
        (line.format(), line.level()),
        (Format::Json, Some(Level::Error))
    );
    assert_eq!(
        line.message().map(|text| text.to_string()).as_deref(),
        Some("outer")
    );
    let expected = [
        ("time", "t"),
        ("level", "l"),
        ("message", "inner"),
        ("n", "1"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(fields(&line), expected);
}

#[test]
fn a_json_field_that_has_the_name_of_the_time_and_is_none_stays_a_field() {
    let line = strict(
        r#"{"level":"INFO","message":"m","time":"soon","time":"2024/08/14 16:25:23.105 +08:00","a":"b"}"#,
    );
    assert_eq!(
        line.time().map(|time| time.to_string()).as_deref(),
        Some("2024-08-14T08:25:23.105Z")
    );
    let said =
        [("time", "soon"), ("a", "b")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(fields(&line), said);
}

#[test]
fn a_line_without_a_time_is_read_as_either_writer_leaves_it() {
    for text in [
        " [INFO] [clock.rs:11] [\"nobody wound it\"] [ticks=3]",
        "[INFO] [clock.go:11] [\"nobody wound it\"] [ticks=3]",
        r#"{"level":"INFO","caller":"clock.rs:17","message":"nobody wound it","ticks":3}"#,
    ] {
        let line = strict(text);
        assert_eq!(
            (line.time(), line.level()),
            (None, Some(Level::Info)),
            "{text}"
        );
        assert_eq!(line.record(), text.as_bytes());
        assert_eq!(
            line.field("ticks").and_then(|value| value.number()),
            Some(3)
        );
    }
}

#[test]
fn the_role_that_is_left_is_told() {
    let text = format!(
        "{HEAD} [INFO] [raft.rs:1140] [\"became follower at term 8\"] [from_role=Leader] [term=8] [raft_id=5] [region_id=2]"
    );
    let event = LogEvent::of(&strict(&text)).expect("an event");
    assert_eq!(
        (event.kind, event.was_leader),
        (EventKind::BecameFollower, Some(true))
    );
}

#[test]
fn a_fault_says_what_and_where() {
    for (text, reason, at) in [
        ("", Reason::Empty, 0),
        ("plain text", Reason::NoHeader, 0),
        (
            "[2024/08/14 16:25:23.105 +08:00] [LOUD] [a.rs:1]",
            Reason::Level,
            34,
        ),
        (
            "[2024/08/14 16:25:23.105 +08:00] [INFO] [nowhere] [x]",
            Reason::Source,
            49,
        ),
        (
            "[2024/08/14 16:25:23.105 +08:00] [INFO] [a.rs:1] [x] [k=v",
            Reason::CutOff,
            57,
        ),
        (
            "[2024/08/14 16:25:23.105 +08:00] [INFO] [a.rs:1] [x] [k=v w]",
            Reason::Section,
            57,
        ),
        (
            "[2024/08/14 16:25:23.105 +08:00] [INFO] [a.rs:1] [\"a\tb\"]",
            Reason::ControlByte,
            52,
        ),
        (
            "[2024/08/14 16:25:23.105 +08:00][7][INFO] text",
            Reason::RocksDb,
            32,
        ),
        (
            "{\"level\":\"info\",\"msg\":\"etcd\"}",
            Reason::OtherJson,
            0,
        ),
    ] {
        let fault = parse_line(text).expect_err(text);
        assert_eq!((fault.reason, fault.at), (reason, at), "{text}");
    }
}

#[test]
fn rocksdbs_own_lines_are_known_as_such() {
    let mut scratch = Vec::new();
    let line = parse_lenient(
        "[2024/08/14 16:25:23.105 +08:00][7][INFO] [db/version_set.cc:1] recovered",
        &mut scratch,
    )
    .expect("known");
    assert_eq!(
        (line.format(), line.level(), line.damage()),
        (Format::RocksDb, Some(Level::Info), Damage::ROCKSDB)
    );
    assert_eq!(line.time(), Some(Stamp::utc(1_723_623_923_105)));
    assert_eq!(LogEvent::of(&line), None);
}

#[test]
fn what_the_head_of_a_container_hides_is_found() {
    let inner = format!("{HEAD} [INFO] [raft.rs:1] [\"became leader at term 6\"] [region_id=2]");
    let docker = serde_json::json!({ "log": format!("{inner}\n"), "stream": "stderr", "time": "2024-08-14T08:25:23.2Z" }).to_string();
    for (line, damage) in [
        (docker, Damage::DOCKER),
        (
            format!("2024-08-14T08:25:23.2Z stderr F {inner}"),
            Damage::PREFIX,
        ),
        (
            format!("Aug 14 08:25:23 host tikv-server[11783]: {inner}"),
            Damage::PREFIX,
        ),
        (format!("tikv.log:6170:{inner}"), Damage::PREFIX),
        (
            r#"2024-08-14T08:25:23.2Z stderr F {"level":"INFO","caller":"raft.rs:1","message":"became leader at term 6","time":"2024/08/14 16:25:23.105 +08:00","region_id":2}"#.to_owned(),
            Damage::PREFIX,
        ),
        (inner[1..].to_owned(), Damage::NO_BRACKET),
        (format!("{inner}\r\n"), Damage::NONE),
    ] {
        let mut scratch = Vec::new();
        let read =
            parse_lenient(&line, &mut scratch).unwrap_or_else(|fault| panic!("{fault}: {line}"));
        assert_eq!(read.damage(), damage, "{line}");
        let event = LogEvent::of(&read).expect("an event");
        assert_eq!(
            (event.kind, event.region, event.term),
            (EventKind::BecameLeader, Some(2), Some(6))
        );
    }
}

#[test]
fn the_catalogue_in_the_documentation_is_the_table() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/LOGS.md"))
        .expect("docs/LOGS.md");
    let begin =
        page.find("<!-- catalogue -->\n").expect("the beginning") + "<!-- catalogue -->\n".len();
    let end = page.find("<!-- end of catalogue -->").expect("the end");
    let printed = catalogue_markdown();
    if page[begin..end] != printed {
        let fresh = std::env::temp_dir().join("LOGS-catalogue.md");
        std::fs::write(&fresh, &printed).expect("writable");
        panic!(
            "docs/LOGS.md is not what the table prints; that is now in {}",
            fresh.display()
        );
    }
}

#[test]
fn a_control_byte_is_found_wherever_it_stands() {
    for before in (0..10).chain(505..520).chain(570..585) {
        let filler = "a".repeat(before);
        for line in [
            format!("{HEAD} [INFO] [a.rs:1] [\"{filler}\tb\"] [k=v]"),
            format!("{HEAD} [INFO] [a.rs:1] [\"{filler}\\\"\tb\"]"),
            format!("{HEAD} [INFO] [a.rs:1] [m] [k=\"{filler}\tb\"]"),
        ] {
            let fault = parse_line(&line).expect_err(&line);
            assert_eq!(fault.reason, Reason::ControlByte, "{line}");
            let mut scratch = Vec::new();
            let read = parse_lenient(&line, &mut scratch).expect(&line);
            assert!(read.damage().has(Damage::LOOSE), "{line}");
            let clean = line.replace('\t', " ");
            assert_eq!(strict(&clean).damage(), Damage::NONE, "{clean}");
        }
        // Behind what nobody can read it is found as well.
        let broken = format!("{HEAD} [INFO] [a.rs:1] [m] [k=v] nothing {filler}\tb");
        let mut scratch = Vec::new();
        let read = parse_lenient(&broken, &mut scratch).expect(&broken);
        assert!(read.damage().has(Damage::LOOSE), "{broken}");
        assert!(read.damage().has(Damage::TAIL), "{broken}");
    }
}

#[test]
fn a_message_of_any_length_is_the_same_event_to_the_scanner() {
    for len in [4000, 4096, 8100, 8191, 8192, 8193, 8300, 100_000] {
        for words in [
            "received append response, sent MsgVote",
            "became leader at term 5",
            "[logterm: 1, index: 2, vote: 3] cast vote for",
            "slow query",
        ] {
            let filler = "a".repeat(len);
            for line in [
                format!("{HEAD} [INFO] [raft.rs:1] [\"{words} {filler}\"] [region_id=2] [term=5]"),
                format!("{HEAD} [INFO] [raft.rs:1] [\"{filler} {words}\"] [region_id=2] [term=5]"),
                format!(
                    "{HEAD} [INFO] [raft.rs:1] [\"{words}\"] [k=\"{filler}\"] [region_id=2] [term=5]"
                ),
                format!(
                    "{HEAD} [FATAL] [lib.rs:1] [\"{words} {filler}\"] [backtrace=\"{filler}\"]"
                ),
            ] {
                let mut scratch = Vec::new();
                let expected = parse_lenient(&line, &mut scratch)
                    .ok()
                    .and_then(|read| LogEvent::of(&read));
                let mut found = Vec::new();
                EventScanner::new().scan(line.as_bytes(), |event| found.push(event.event));
                assert_eq!(found, Vec::from_iter(expected), "{words}, {len}");
            }
        }
    }
}
