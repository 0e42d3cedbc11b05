//! `operator logs` as a person and a script see it.

#[path = "support/scratch.rs"]
mod scratch;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use scratch::{Scratch, golden};
use serde_json::Value;

/// Two stores and a PD; the second store's first line is between the first's.
fn three(name: &str) -> Scratch {
    let scratch = Scratch::new(name);
    scratch.file(
        "a/tikv.log",
        "[2026/03/04 05:06:07.000 +00:00] [INFO] [node.rs:198] [\"start raft store thread\"] [store_id=1]\n\
         [2026/03/04 05:06:08.000 +00:00] [INFO] [raft.rs:1177] [\"became leader at term 6\"] [term=6] [raft_id=21] [region_id=20]\n\
         a line of nobody\n\
         [2026/03/04 05:06:10.000 +00:00] [ERROR] [raft_client.rs:562] [\"connection aborted\"] [receiver_err=\"gone \\\"away\\\"\"] [store_id=2]\n",
    );
    scratch.file(
        "b/tikv.log",
        "[2026/03/04 13:06:07.500 +08:00] [INFO] [raft.rs:1121] [\"became follower at term 6\"] [term=6] [raft_id=22] [region_id=20]\n\
         [2026/03/04 13:06:09.000 +08:00] [WARN] [peer.rs:700] [\"handle 12 peer messages of 3 regions\"] [takes=1s]\n",
    );
    scratch.file(
        "pd.log",
        "[2026/03/04 05:06:08.001 +00:00] [INFO] [region.go:744] [\"leader changed\"] [region-id=20] [from=1] [to=2]\n",
    );
    scratch
}

#[test]
fn help_is_what_it_is() {
    let scratch = Scratch::new("logs-help");
    for command in ["timeline", "events", "grep", "parse"] {
        let help = scratch.run(&["logs", command, "--help"]).well();
        assert!(
            help.lines().all(|line| line.chars().count() <= 120),
            "{help}"
        );
        golden(&format!("logs-{command}-help.txt"), &help);
    }
}

#[test]
fn events_of_several_logs_come_by_time_each_with_its_log() {
    let scratch = three("logs-events");
    let said = scratch.run(&["logs", "events", "a", "b", "pd.log"]);
    assert_eq!(
        said.err,
        "operator: 1 of 7 lines is no record: 1 no header\n"
    );
    assert_eq!(
        said.out,
        "2026-03-04T05:06:07.000Z a   store_started store=1\n\
         2026-03-04T05:06:07.500Z b   became_follower region=20 term=6 peer=22\n\
         2026-03-04T05:06:08.000Z a   became_leader region=20 term=6 peer=21\n\
         2026-03-04T05:06:08.001Z pd  region_leader_changed region=20 from=1 to=2\n\
         2026-03-04T05:06:09.000Z b   slow_handling\n\
         2026-03-04T05:06:10.000Z a   connection_lost store=2: gone \"away\"\n"
    );
    assert_eq!(said.status, Some(0));
}

#[test]
fn events_are_chosen_by_class_kind_region_store_term_level_and_time() {
    let scratch = three("logs-events-filter");
    let check = |args: &[&str], expected: &[&str]| {
        let all = ["logs", "events", "1=a", "b", "pd.log", "--output", "json"];
        let said = scratch.run(&[&all[..], args].concat());
        assert_eq!(said.status, Some(0), "{args:?}: {}", said.err);
        let kind = |line: &str| {
            let row: Value = serde_json::from_str(line).expect("a JSON line");
            row["kind"].as_str().expect("a kind").to_owned()
        };
        let kinds: Vec<String> = said.out.lines().map(kind).collect();
        assert_eq!(kinds, expected, "{args:?}");
    };
    check(
        &["--class", "link,pressure"],
        &["slow_handling", "connection_lost"],
    );
    check(&["--kind", "became_leader"], &["became_leader"]);
    check(
        &["--region", "20", "--term", "6"],
        &["became_follower", "became_leader"],
    );
    check(
        &["--store", "2"],
        &["region_leader_changed", "connection_lost"],
    );
    check(&["--store", "b"], &["became_follower", "slow_handling"]);
    check(&["--level", "warn"], &["slow_handling", "connection_lost"]);
    check(
        &[
            "--since",
            "2026-03-04 05:06:08",
            "--until",
            "2026/03/04 13:06:09.000 +08:00",
        ],
        &["became_leader", "region_leader_changed", "slow_handling"],
    );
    check(
        &["--since", "end-1s"],
        &["slow_handling", "connection_lost"],
    );
    check(&["-n", "2"], &["store_started", "became_follower"]);
}

#[test]
fn an_event_for_programs_has_all_there_is_of_it() {
    let scratch = three("logs-events-json");
    let out = scratch
        .run(&[
            "logs",
            "events",
            "4=a/tikv.log",
            "-o",
            "json",
            "--kind",
            "became_leader",
        ])
        .out;
    assert_eq!(
        out,
        "{\"ts_utc\":\"2026-03-04T05:06:08.000Z\",\"log\":\"4\",\"log_store_id\":1,\"class\":\"leadership\",\
         \"kind\":\"became_leader\",\"origin\":\"tikv\",\"level\":\"INFO\",\"region_id\":20,\"peer_id\":21,\"term\":6,\
         \"election_term\":6,\"from\":null,\"to\":null,\"store_id\":null,\"ballot\":null,\"was_leader\":null,\
         \"reason\":null,\"file\":\"a/tikv.log\",\"offset\":95}\n"
    );
}

#[test]
fn lines_are_found_by_message_field_level_and_source_and_stand_as_they_are() {
    let scratch = three("logs-grep");
    let leader = "[2026/03/04 05:06:08.000 +00:00] [INFO] [raft.rs:1177] [\"became leader at term 6\"] [term=6] [raft_id=21] [region_id=20]\n";
    let check = |args: &[&str], expected: &str| {
        let said = scratch.run(&[&["logs", "grep"], args].concat());
        assert_eq!(said.out, expected, "{args:?}: {}", said.err);
        assert_eq!(
            said.status,
            Some(i32::from(expected.is_empty())),
            "{args:?}"
        );
    };
    check(&["BECAME", "a"], "");
    check(&["became leader", "a"], leader);
    check(&["^became .* 6$", "a", "--field", "region_id=20"], leader);
    check(
        &[
            "became",
            "a",
            "--field",
            "region_id=~^2.$",
            "--field",
            "raft_id!=22",
        ],
        leader,
    );
    check(
        &["", "a", "--field", "term=6", "--source", "raft.rs"],
        leader,
    );
    check(&["", "a", "--field", "term=7"], "");
    check(&["region_id", "a"], "");
    check(&["region_id", "a", "--anywhere"], leader);
    check(&["nobody", "a"], "a line of nobody\n");
    check(&["nobody", "a", "--level", "debug"], "");
    check(
        &["became", "a", "b", "-n1"],
        "b: [2026/03/04 13:06:07.500 +08:00] [INFO] [raft.rs:1121] [\"became follower at term 6\"] [term=6] [raft_id=22] [region_id=20]\n",
    );
    check(
        &[
            "",
            "a",
            "--since",
            "2026-03-04 05:06:07.5",
            "--until",
            "2026-03-04 05:06:09",
        ],
        &format!("{leader}a line of nobody\n"),
    );
    assert_eq!(
        scratch.run(&["logs", "grep", "-c", "a", "a", "b"]).out,
        "a: 4\nb: 2\n"
    );
    assert_eq!(
        scratch.run(&["logs", "grep", "-c", "leader", "a"]).out,
        "1\n"
    );
    assert_eq!(
        scratch
            .run(&["logs", "grep", "-c", "leader", "a", "-o", "json"])
            .out,
        "{\"log\":\"a\",\"count\":1}\n"
    );
}

#[test]
fn a_found_line_for_programs_is_parsed_too() {
    let scratch = three("logs-grep-json");
    let out = scratch
        .run(&["logs", "grep", "aborted", "a", "-o", "json"])
        .well();
    let row: Value = serde_json::from_str(&out).expect("one JSON line");
    assert_eq!(row["log"], "a");
    assert!(
        row["line"]
            .as_str()
            .expect("the line")
            .ends_with("[store_id=2]")
    );
    assert_eq!(row["fields"]["receiver_err"], "gone \"away\"");
    assert_eq!(
        (&row["level"], &row["kind"]),
        (&"ERROR".into(), &"connection_lost".into())
    );
}

#[test]
fn what_is_wrong_on_the_command_line_is_64_and_says_what_was_meant() {
    let scratch = three("logs-usage");
    scratch.file("old.log.gz", b"\x1f\x8b");
    for (args, expected) in [
        (
            &["events", "a", "--class", "leadrship"][..],
            "there is no event class `leadrship`; did you mean `leadership`?",
        ),
        (
            &["events", "a", "--kind", "became_leder"],
            "did you mean `became_leader`?",
        ),
        (&["events", "a", "--level", "wran"], "did you mean `warn`?"),
        (
            &["events", "a/tikv.lgo"],
            "operator: cannot open a/tikv.lgo: no such file or directory\n  try: a/tikv.log\n",
        ),
        (
            &["timeline", "nowhere"],
            "operator: cannot open nowhere: no such file or directory\n",
        ),
        (
            &["grep", "(", "a"],
            "operator: cannot read pattern \"(\": unclosed group\n",
        ),
        (
            &["grep", "x", "a", "--field", "region_id"],
            "expected KEY=VALUE, KEY!=VALUE, KEY=~PATTERN or KEY!~PATTERN",
        ),
        (&["grep", "x"], "<[STORE=]FILE>..."),
        (
            &["events", "a", "--since", "yesterday"],
            "expected a span as in 30m (ago)",
        ),
        (
            &[
                "events",
                "a",
                "--since",
                "2026-01-02",
                "--until",
                "2026-01-01",
            ],
            "is after --until 2026-01-01T00:00:00.000Z",
        ),
        (
            &["events", "-", "--since", "end-5m"],
            "the end of these logs is not known before they are read",
        ),
        (
            &["events", "a", "--follow", "--until", "now"],
            "cannot be used with",
        ),
        (
            &["events", "-f", "old.log.gz"],
            "operator: cannot follow old.log.gz: it is compressed\n",
        ),
        (&["timelin", "a"], "a similar subcommand exists: 'timeline'"),
    ] {
        let said = scratch.run(&[&["logs"], args].concat());
        assert_eq!(said.status, Some(64), "{args:?}: {}", said.err);
        assert!(said.out.is_empty(), "{args:?}: {}", said.out);
        assert!(said.err.contains(expected), "{args:?}: {}", said.err);
    }
    std::fs::create_dir(scratch.path().join("empty")).expect("a folder");
    let said = scratch.run(&["logs", "events", "empty"]);
    assert_eq!(
        said.err,
        "operator: there is no log in empty: expected files that are called *.log\n"
    );
}

#[test]
fn a_file_that_breaks_off_is_told_and_the_others_are_read_all_the_same() {
    let scratch = three("logs-broken");
    scratch.file(
        "broken.log",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03 no gzip",
    );
    for args in [
        &["events", "a", "broken.log"][..],
        &["parse", "a", "broken.log"],
        &["grep", "leader", "a", "broken.log"],
        &["timeline", "a", "broken.log"],
    ] {
        let said = scratch.run(&[&["logs"], args].concat());
        assert_eq!(said.status, Some(3), "{args:?}: {}", said.err);
        assert!(
            said.err.contains("operator: cannot read broken.log: "),
            "{args:?}: {}",
            said.err
        );
        assert!(!said.out.is_empty(), "{args:?}");
    }
}

#[test]
fn a_stretch_of_time_that_holds_nothing_says_what_the_logs_hold() {
    let scratch = three("logs-nothing");
    for command in ["events", "parse"] {
        let said = scratch.run(&["logs", command, "b", "--since", "10m"]);
        assert_eq!((said.status, said.out.as_str()), (Some(0), ""), "{command}");
        assert_eq!(
            said.err,
            "operator: nothing in that stretch of time: the logs reach from 2026-03-04T05:06:07.500Z to 2026-03-04T05:06:09.000Z\n",
            "{command}"
        );
    }
}

#[test]
fn a_log_is_read_with_what_it_was_rotated_into_and_a_named_part_alone() {
    let scratch = Scratch::new("logs-rotated");
    let line = |second: u32| {
        format!(
            "[2026/03/04 05:06:{second:02}.000 +00:00] [INFO] [raft.rs:1] [\"became leader at term {second}\"] [term={second}] [region_id=2]\n"
        )
    };
    scratch.file("tikv-2026-03-04T05-06-20.000.log", line(20));
    scratch.file("tikv-2026-03-04T05-06-10.000.log", line(10));
    scratch.file("tikv.log", line(30));
    let terms = |args: &[&str]| {
        let out = scratch.run(&[&["logs", "events"], args].concat()).well();
        let term = |line: &str| {
            line.split("term=")
                .nth(1)
                .expect("a term")
                .split(' ')
                .next()
                .map(str::to_owned)
        };
        out.lines().filter_map(term).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(terms(&["tikv.log"]), "10 20 30");
    assert_eq!(terms(&["."]), "10 20 30");
    assert_eq!(terms(&["tikv.log", "--no-rotated"]), "30");
    assert_eq!(terms(&["tikv-2026-03-04T05-06-20.000.log"]), "20");
    assert_eq!(
        terms(&[
            "tikv.log",
            "tikv-2026-03-04T05-06-20.000.log",
            "tikv-2026-03-04T05-06-10.000.log"
        ]),
        "10 20 30",
        "as a shell's pattern names them"
    );
    std::fs::remove_file(scratch.path().join("tikv.log")).expect("it was there");
    assert_eq!(terms(&["tikv.log"]), "10 20", "in the middle of a rotation");
}

#[test]
fn what_a_container_runtime_cut_is_one_event_at_its_first_piece_and_files_are_not_joined() {
    let scratch = Scratch::new("logs-container");
    let piece = |tag: &str, text: &str| format!("2026-03-04T05:06:08.1Z stderr {tag} {text}\n");
    let leader = |field: &str| {
        format!(
            "[2026/03/04 05:06:08.000 +00:00] [INFO] [raft.rs:1177] [\"became leader at term 6\"] {field}"
        )
    };
    let whole = piece("F", &leader("[region_id=20]"));
    // The field behind the cut is known; of the other, whose last piece is not in its file, what came.
    let cut = piece("P", &leader("[x=y] [regi")) + &piece("F", "on_id=21] [raft_id=22]");
    scratch.file(
        "a.log",
        format!("{whole}{cut}{}", piece("P", &leader("[term=9] [regi"))),
    );
    scratch.file("b.log", piece("F", "on_id=23]"));
    let said = scratch.run(&["logs", "events", "a.log", "b.log", "--output", "json"]);
    let events: Vec<Value> = said
        .out
        .lines()
        .map(|row| serde_json::from_str(row).expect("JSON"))
        .collect();
    let places: Vec<_> = events
        .iter()
        .map(|event| {
            (
                event["offset"].as_u64(),
                event["region_id"].as_u64(),
                event["term"].as_u64(),
            )
        })
        .collect();
    let (second, third) = (whole.len() as u64, (whole.len() + cut.len()) as u64);
    assert_eq!(
        places,
        [
            (Some(0), Some(20), Some(6)),
            (Some(second), Some(21), Some(6)),
            (Some(third), None, Some(9)),
        ]
    );
    assert_eq!(
        said.err,
        "operator: 1 of 5 lines is no record: 1 no header\n"
    );
    let told = scratch.run(&["logs", "timeline", "a.log", "b.log", "--output", "json"]);
    let told: Value = serde_json::from_str(&told.out).expect("JSON");
    assert_eq!(
        (&told["read"]["lines"], &told["read"]["pieces"]),
        (&5.into(), &1.into())
    );
}

#[test]
fn standard_input_is_a_log_like_any_other() {
    let scratch = three("logs-stdin");
    let log = std::fs::read(scratch.path().join("a/tikv.log")).expect("a log");
    let said = scratch.run_on(&log, &["logs", "grep", "leader", "-"]);
    assert_eq!((said.status, said.out.lines().count()), (Some(0), 1));
    let said = scratch.run_on(&log, &["logs", "timeline", "-"]);
    assert!(
        said.out
            .starts_with("Log of stdin: 2026-03-04T05:06:07.000Z to 2026-03-04T05:06:10.000Z\n"),
        "{}",
        said.out
    );
    let said = scratch.run_on(b"", &["logs", "parse", "-"]);
    assert_eq!(
        (said.status, said.out.as_str(), said.err.as_str()),
        (Some(0), "", "")
    );
}

#[test]
fn whoever_reads_only_the_first_lines_is_no_failure() {
    let scratch = Scratch::new("logs-head");
    let line = "[2026/03/04 05:06:08.000 +00:00] [INFO] [raft.rs:1177] [\"became leader at term 6\"] [term=6] [region_id=20]\n";
    scratch.file("tikv.log", line.repeat(200_000));
    for args in [
        &["logs", "events", "tikv.log"][..],
        &["logs", "grep", "leader", "tikv.log"],
        &["logs", "parse", "tikv.log"],
    ] {
        let mut child = scratch
            .command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut first = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        out.read_line(&mut first).expect("a line");
        drop(out);
        let output = child.wait_with_output().expect("it ends");
        assert!(!first.is_empty());
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
    }
}

#[test]
fn what_is_followed_goes_on_with_what_is_written_and_through_a_rotation() {
    let scratch = Scratch::new("logs-follow");
    let line = |term: u32| {
        format!(
            "[2026/03/04 05:06:{term:02}.000 +00:00] [INFO] [raft.rs:1] [\"became leader at term {term}\"] [term={term}] [region_id=2]\n"
        )
    };
    let path = scratch.file("tikv.log", line(1) + &line(2)[..40]);
    let mut child = scratch
        .command(&["logs", "events", "-f", "tikv.log", "-n", "4"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut next = || {
        let mut text = String::new();
        out.read_line(&mut text).expect("a line");
        text
    };
    assert!(next().contains("term=1"));
    let mut log = std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .expect("the log");
    log.write_all(&line(2).as_bytes()[40..])
        .expect("the rest of the line");
    assert!(next().contains("term=2"));
    log.write_all(line(3).as_bytes()).expect("a line");
    std::fs::rename(
        &path,
        path.with_file_name("tikv-2026-03-04T05-06-50.000.log"),
    )
    .expect("a rotation");
    std::fs::write(&path, line(4)).expect("the next file");
    assert!(next().contains("term=3"));
    assert!(next().contains("term=4"));
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("its end");
    assert_eq!(
        (rest.as_str(), child.wait().expect("it ends").code()),
        ("", Some(0))
    );
}

#[test]
fn control_characters_in_a_log_are_kept_in_a_pipe_and_shown_in_text() {
    let scratch = Scratch::new("logs-control");
    let line = "[2026/03/04 05:06:08.000 +00:00] [ERROR] [raft_client.rs:5] [\"connection abort\"] [receiver_err=\"\\u001b[2J\\n\"] [store_id=2]\n";
    scratch.file("tikv.log", format!("\u{1b}]0;title\u{7}{line}"));
    let out = scratch.run(&["logs", "grep", "abort", "tikv.log"]).well();
    assert_eq!(out, format!("\u{1b}]0;title\u{7}{line}"), "as it stands");
    let out = scratch.run(&["logs", "events", "tikv.log"]).well();
    assert!(
        !out.contains('\u{1b}') && out.contains("\\u{1b}[2J\\n"),
        "{out}"
    );
}

#[test]
fn no_bytes_make_it_panic() {
    const BYTES: &[u8] = b"[]{}\"\\ =:\n\r\t/2026.,IN\xff\x00u0";
    let scratch = Scratch::new("logs-bytes");
    let mut bytes = Vec::new();
    let mut seed = 7_u32;
    for _ in 0..200_000 {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.push(BYTES[(seed >> 8) as usize % BYTES.len()]);
    }
    scratch.file("tikv.log", &bytes);
    for args in [&["events"][..], &["parse"], &["grep", ""], &["timeline"]] {
        let said = scratch.run(&[&["logs"], args, &["tikv.log", "--since", "2000-01-01"]].concat());
        assert!(
            matches!(said.status, Some(0 | 1)),
            "{args:?}: {:?} {}",
            said.status,
            said.err
        );
    }
}
