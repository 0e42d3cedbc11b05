//! The whole table of exit statuses, each row with PD or Prometheus away too.

mod support;

use operator_sim::Shape;
use support::operator;
use support::sim::{NOBODY, Sim};
use support::watching::Watching;

/// How a one-shot judgement ends, with what it printed.
fn judged(
    command: &str,
    pd: &str,
    prometheus: Option<&str>,
    flags: &[&str],
) -> (Option<i32>, String) {
    let mut args = vec![command, "--pd", pd];
    if let Some(prometheus) = prometheus {
        args.extend(["--prometheus", prometheus]);
    }
    args.extend(flags);
    let output = operator(&args);
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

#[track_caller]
fn row(sim: &Sim, flags: &[&str], both: i32, without_prometheus: i32, not_configured: i32) {
    let (pd, prometheus) = (sim.pd(), sim.prometheus());
    for (pd, prometheus, expected) in [
        (pd.as_str(), Some(prometheus.as_str()), both),
        (pd.as_str(), Some(NOBODY), without_prometheus),
        (pd.as_str(), None, not_configured),
        // Without PD nothing is known of the cluster; what was broken is out of sight.
        (NOBODY, Some(prometheus.as_str()), 3),
        (NOBODY, Some(NOBODY), 3),
        (NOBODY, None, 3),
    ] {
        for command in ["check", "status"] {
            let (status, text) = judged(command, pd, prometheus, flags);
            assert_eq!(
                status,
                Some(expected),
                "{command} {pd} {prometheus:?} {flags:?}: {text}"
            );
        }
    }
}

#[test]
fn all_seen_and_all_well_is_0() {
    row(&Sim::scenario("healthy", 30), &[], 0, 3, 0);
}

#[test]
fn something_critical_is_2_whoever_is_away() {
    row(&Sim::store_dead(120), &[], 2, 2, 2);
}

#[test]
fn something_else_is_1_whoever_is_away() {
    let sim = Sim::with(&Shape::default(), &["disk-fills store=1 level=0.83"], 900);
    row(&sim, &["--only", "low_disk_space"], 1, 1, 1);
    // What is not bad enough to count is as if it were not: what was not seen remains.
    row(&sim, &["--fail-on", "critical"], 0, 3, 0);
    // Whether this rule holds is all that was asked, and PD alone knows.
    row(
        &sim,
        &["--only", "low_disk_space", "--fail-on", "critical"],
        0,
        0,
        0,
    );
}

#[test]
fn what_is_merely_worth_knowing_is_0() {
    // Leaders that PD does not even out, however long it takes to look.
    let skewed = Sim::with(&Shape::default(), &["leader-skew store=2"], 120);
    let info = ["--no-grace", "--only", "leader_imbalance"];
    row(&skewed, &info, 0, 0, 0);
    row(
        &skewed,
        &[&info[..], &["--fail-on", "info"]].concat(),
        1,
        1,
        1,
    );
    row(
        &Sim::scenario("scale-out", 120),
        &["--no-grace", "--skip", "pending_peers_stuck"],
        0,
        3,
        0,
    );
}

#[test]
fn what_is_pending_counts_when_it_is_asked_to() {
    let sim = Sim::with(&Shape::default(), &["evict-leader-left store=2"], 120);
    let (pd, prometheus) = (sim.pd(), sim.prometheus());
    let all_slow = Sim::with(&Shape::default(), &["all-slow factor=300"], 120);
    let slow = (all_slow.pd(), all_slow.prometheus());
    let only = ["--only", "high_latency"];
    let (status, text) = judged("check", &slow.0, Some(&slow.1), &only);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("pending "), "{text}");
    let no_grace = [&only[..], &["--no-grace"]].concat();
    assert_ne!(
        judged("check", &slow.0, Some(&slow.1), &no_grace).0,
        Some(0)
    );
    assert_eq!(
        judged("check", &pd, Some(&prometheus), &no_grace).0,
        Some(0)
    );
}

#[test]
fn a_watch_ends_with_the_row_of_its_last_look_whoever_is_away() {
    let (well, ill) = (Sim::scenario("healthy", 60), Sim::store_dead(120));
    let watch = |pd: &str, prometheus: &str| {
        let whom = ["--pd", pd, "--prometheus", prometheus];
        let mut watching = Watching::start(&[&whom[..], &["--interval", "500ms"]].concat());
        // The first look ends with how the whole is.
        watching.until(&[": 3 stores, ", ": ? stores, "]);
        let ended = watching.interrupt();
        (ended.status, ended.out)
    };
    for (pd, prometheus, expected) in [
        (well.pd(), well.prometheus(), 0),
        (well.pd(), NOBODY.to_owned(), 3),
        (NOBODY.to_owned(), well.prometheus(), 3),
        (NOBODY.to_owned(), NOBODY.to_owned(), 3),
        (ill.pd(), ill.prometheus(), 2),
        (ill.pd(), NOBODY.to_owned(), 2),
    ] {
        let (status, text) = watch(&pd, &prometheus);
        assert_eq!(status, Some(expected), "{pd} {prometheus}: {text}");
    }
}

#[test]
fn a_wrong_command_line_is_64_and_names_what_was_meant() {
    for (args, expected) in [
        (&["check"][..], "no cluster is named"),
        (&["status"], "no cluster is named"),
        (
            &["stores", "--prometheus", "http://127.0.0.1:1"],
            "no PD is named",
        ),
        (
            &["contract", "--pd", "http://127.0.0.1:1"],
            "no Prometheus is named",
        ),
        (&["check", "--sim=heatlhy"], "did you mean `healthy`?"),
        (&["check", "--sim", "--pd", "x:1"], "cannot be used with"),
        (
            &["check", "--sim", "--only", "stor_down"],
            "did you mean `store_down`?",
        ),
        (
            &["check", "--sim", "--fail-on", "crit"],
            "did you mean `critical`?",
        ),
        (&["explain", "hihg_latency"], "did you mean `high_latency`?"),
        (
            &["why", "hihg_latency", "--sim"],
            "did you mean `high_latency`?",
        ),
        (&["demo", "store-kiled"], "did you mean `store-killed`?"),
        (&["demo", "--speed", "0"], "expected more than 0"),
        (
            &["stores", "--sim", "--sort", "leader"],
            "did you mean `leaders`?",
        ),
        (
            &["stores", "--sim", "--sort", "id:dsc"],
            "did you mean `desc`?",
        ),
        (&["rules", "--sort", "cod"], "did you mean `code`?"),
        (
            &["store", "99", "--sim"],
            "try: a store that there is: 1, 2, 3",
        ),
        (&["region", "999999", "--sim"], "region/999999 not found"),
        (
            &["region", "--key", "xyz", "--sim"],
            "pairs of hexadecimal digits",
        ),
        (&["regions", "--ailing", "dwon-peer", "--sim"], "down-peer"),
        (
            &["regions", "--limit", "100000", "--sim"],
            "the most that are listed",
        ),
        (&["watch", "--sim", "--interval", "10"], "no span of time"),
        (
            &["watch", "--sim", "--interval", "1ms"],
            "the most that is asked",
        ),
        (&["maintenance", "list"], "--state FILE"),
        (
            &[
                "maintenance",
                "declare",
                "stor",
                "--for",
                "1h",
                "--why",
                "x",
            ],
            "names no entity",
        ),
        (
            &["check", "--config", "/nonexistent/operator.toml"],
            "cannot read /nonexistent/operator.toml",
        ),
        (&["completions", "bsh"], "bash"),
    ] {
        let output = operator(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(64), "{args:?}: {said}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{args:?}");
        assert!(said.contains(expected), "{args:?}: {said}");
    }
}

#[test]
fn looking_ends_with_0_where_all_was_seen_and_with_3_where_not() {
    let sim = Sim::scenario("healthy", 30);
    let (pd, prometheus) = (sim.pd(), sim.prometheus());
    for command in [
        &["stores"][..],
        &["store", "1"],
        &["metrics"],
        &["regions"],
        &["regions", "--all"],
        &["region", "4"],
        &["hot"],
        &["members"],
        &["schedulers"],
        &["contract"],
    ] {
        for (pd, prometheus, expected) in [
            (pd.as_str(), prometheus.as_str(), Some(0)),
            (NOBODY, NOBODY, Some(3)),
        ] {
            let args = [command, &["--pd", pd, "--prometheus", prometheus]].concat();
            let output = operator(&args);
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(output.status.code(), expected, "{args:?}: {text}");
            assert!(!text.is_empty(), "{args:?}");
        }
    }
}
