//! `operator check` as a script sees it: its exit status and what it prints, against a PD that says what
//! the test makes it say.

mod support;

use serde_json::json;
use support::scratch::Scratch;
use support::{check, member, operator, pd, quiet, store, stores};

#[test]
fn all_seen_and_all_well_is_0() {
    let server = pd(&stores(&[store(1, "Up", 15), store(2, "Up", 17)]));
    let expected = "http://pd: healthy (2 stores, RULES, at MOMENT)\n";
    assert_eq!(check(&server, &[]), (Some(0), expected.to_owned()));
}

#[test]
fn a_store_that_is_long_dead_is_found_at_the_first_look_and_is_2() {
    let server = pd(&stores(&[store(1, "Up", 15), store(4, "Down", 7230)]));
    let (status, text) = check(&server, &[]);
    assert_eq!(status, Some(2));
    assert_eq!(
        text,
        "critical store_down store/4: a store shows no sign of life\n    \
         no sign of life for 2 h (threshold 60 s), state Down, second witness none\n    \
         since MOMENT (1 h 59 min)\n\
         http://pd: critical (2 stores, RULES, at MOMENT)\n"
    );
}

#[test]
fn what_may_still_pass_is_pending_and_counts_only_when_asked_to() {
    // Minutes lie between this silence and the least and the most that is pending.
    let server = pd(&stores(&[
        store(1, "Up", 15),
        store(4, "Disconnected", 360),
    ]));
    let scratch = Scratch::new("check-grace");
    let config = scratch.named(
        "grace.toml",
        "[pd]\ntimeout = \"60s\"\n\
         [rules.clock_skew]\ntolerated = \"60s\"\n\
         [rules.store_down]\ngrace = \"10min\"\n",
    );
    let config = ["--config", config.as_str()];
    let (status, text) = check(&server, &config);
    assert_eq!(status, Some(0));
    assert!(
        text.starts_with("pending critical store_down store/4: a store shows no sign of life\n")
    );
    assert!(text.contains("unless it passes\n"), "{text}");
    assert!(
        text.ends_with("http://pd: healthy (2 stores, RULES, at MOMENT)\n"),
        "{text}"
    );
    let (status, text) = check(&server, &[&config[..], &["--no-grace"]].concat());
    assert_eq!(status, Some(2));
    assert!(
        text.ends_with("http://pd: critical (2 stores, RULES, at MOMENT)\n"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_seen_is_3_and_never_healthy() {
    for body in ["no leader", "{\"stores\":", "<html>"] {
        let server = member();
        server.mock(|when, then| {
            when.path("/pd/api/v1/stores");
            then.status(if body == "no leader" { 503 } else { 200 })
                .body(body);
        });
        quiet(&server);
        let (status, text) = check(&server, &["--only", "store_down"]);
        assert_eq!(status, Some(3), "{text}");
        assert!(text.starts_with("stores not seen: "), "{text}");
        assert!(text.contains("not judged for it: store_down\n"), "{text}");
        let all = check(&server, &[]).1;
        assert!(
            format!("\n{all}").contains("\nstores, cluster metrics, "),
            "{all}"
        );
        let last = "http://pd: not everything was seen (stores not seen, RULES, at MOMENT)\n";
        assert!(text.ends_with(last), "{text}");
    }
}

#[test]
fn one_store_that_cannot_be_read_is_3_and_hides_no_other() {
    let mut broken = store(2, "Up", 15);
    broken["store"]["last_heartbeat"] = json!("yesterday");
    let server = pd(&stores(&[store(1, "Up", 15), broken]));
    let (status, text) = check(&server, &[]);
    assert_eq!(status, Some(3), "{text}");
    assert!(text.contains(" of store/2 not seen: "), "{text}");

    let mut broken = store(2, "Up", 15);
    broken["store"]["last_heartbeat"] = json!("yesterday");
    let server = pd(&stores(&[store(1, "Down", 7200), broken]));
    assert_eq!(check(&server, &[]).0, Some(2));
}

#[test]
fn a_wrong_command_line_is_64_and_says_what_was_expected() {
    for (args, expected) in [
        (&["check"][..], "operator: no cluster is named: --pd URL, "),
        (&["chekc"], "a similar subcommand exists: 'check'"),
        (
            &["check", "--pd", "ftp://pd"],
            "expected HOST:PORT or http(s)://HOST:PORT",
        ),
        (&["check", "--pd", "pd:2379", "--no-gracee"], "--no-grace"),
        (&[], "Usage: operator"),
    ] {
        let output = operator(args);
        assert_eq!(output.status.code(), Some(64), "{args:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{args:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(expected), "{args:?}: {said}");
    }
}

#[test]
fn help_and_version_are_answers() {
    for args in [&["--help"][..], &["check", "--help"], &["--version"]] {
        let output = operator(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(!output.stdout.is_empty() && output.stderr.is_empty());
    }
}

#[test]
fn a_password_in_a_url_is_never_printed() {
    let server = pd(&stores(&[store(1, "Up", 15)]));
    for host in [server.address().to_string(), "127.0.0.1:1".to_owned()] {
        let output = operator(&["check", "--pd", &format!("http://me:secret@{host}")]);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(!said.contains("secret"), "{said}");
        assert!(said.contains(&host), "{said}");
    }
}

#[test]
fn a_server_cannot_forge_a_line() {
    let mut forged = store(4, "Down", 7200);
    forged["store"]["state_name"] = json!("x\nhttp://pd: healthy \u{1b}[2J");
    let server = pd(&stores(&[forged]));
    let (_, text) = check(&server, &[]);
    assert!(!text.contains('\u{1b}'), "{text}");
    assert!(
        text.lines()
            .all(|line| !line.starts_with("http://pd: healthy")),
        "{text}"
    );
}

#[test]
fn a_cluster_without_stores_was_not_seen() {
    let server = pd(&stores(&[]));
    let (status, text) = check(&server, &[]);
    assert_eq!(status, Some(3));
    assert!(
        text.starts_with("stores not seen: expected at least one store, found none\n"),
        "{text}"
    );
}
