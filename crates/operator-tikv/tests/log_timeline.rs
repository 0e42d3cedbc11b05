//! Elections told from a few lines of our own.

use operator_tikv::log_parser::{
    ElectionKind, Finding, Missing, ReignEnd, Rejection, Stamp, Timeline, TimelineBuilder, events,
};

/// 2024-08-14 08:25:00 UTC.
const BEGIN: i64 = 1_723_623_900_000;

/// A line of raft: `at` in milliseconds after the beginning.
fn raft(at: i64, peer: u64, message: &str, fields: &str) -> String {
    let time = Stamp::utc(BEGIN + at).to_log_text().expect("four digits");
    format!("[{time}] [INFO] [raft.rs:1] [\"{message}\"] {fields} [raft_id={peer}] [region_id=20]")
}

fn other(at: i64, source: &str, message: &str, fields: &str) -> String {
    let time = Stamp::utc(BEGIN + at).to_log_text().expect("four digits");
    format!("[{time}] [INFO] [{source}] [\"{message}\"] {fields}")
        .trim_end()
        .to_owned()
}

fn started(store: u64) -> String {
    other(
        0,
        "node.rs:1",
        "start raft store thread",
        &format!("[store_id={store}]"),
    )
}

/// A timeline of one log per store, in this order.
fn timeline(logs: &[Vec<String>]) -> Timeline {
    let mut builder = TimelineBuilder::default();
    for (index, lines) in logs.iter().enumerate() {
        let log = builder.add_log(&format!("tikv-{index}"));
        events(lines).for_each(|event| builder.push(log, &event));
    }
    builder.finish()
}

fn leader(at: i64, peer: u64, term: u64) -> Vec<String> {
    vec![
        raft(
            at,
            peer,
            "starting a new election",
            &format!("[term={}]", term - 1),
        ),
        raft(
            at,
            peer,
            &format!("became pre-candidate at term {}", term - 1),
            &format!("[term={}]", term - 1),
        ),
        raft(
            at + 2,
            peer,
            &format!("became candidate at term {term}"),
            &format!("[term={term}]"),
        ),
        raft(
            at + 9,
            peer,
            &format!("became leader at term {term}"),
            &format!("[term={term}]"),
        ),
    ]
}

#[test]
fn a_transfer_is_one_election_with_its_leader_before() {
    let mut first = vec![started(1)];
    first.extend(leader(100, 21, 7));
    first.push(raft(
        5_000,
        21,
        "[term 7] starts to transfer leadership to 22",
        "[lead_transferee=22] [term=7]",
    ));
    first.push(raft(5_004, 21, "became follower at term 8", "[term=8]"));
    let second = vec![
        started(2),
        raft(
            5_001,
            22,
            "[term 7] received MsgTimeoutNow from 21 and starts an election to get leadership.",
            "[from=21] [term=7]",
        ),
        raft(5_001, 22, "starting a new election", "[term=7]"),
        raft(5_001, 22, "became candidate at term 8", "[term=8]"),
        raft(5_006, 22, "became leader at term 8", "[term=8]"),
    ];
    let timeline = timeline(&[first, second]);
    let [before, election] = timeline.elections() else {
        panic!("{:?}", timeline.elections())
    };
    assert_eq!((before.term, before.kind), (7, ElectionKind::Timeout));
    assert_eq!(
        (
            election.term,
            election.kind,
            election.took_ms(),
            election.tries
        ),
        (8, ElectionKind::Transfer, Some(5), 1)
    );
    assert_eq!(
        election.previous.as_ref().and_then(|peer| peer.store),
        Some(1)
    );
    assert_eq!(
        election
            .starter
            .as_ref()
            .map(|(peer, raft)| (peer.store, *raft)),
        Some((Some(2), Some(22)))
    );
    let gaps: Vec<_> = timeline
        .gaps_of(20)
        .map(|(from, until)| (from.utc_ms - BEGIN, until.utc_ms - BEGIN))
        .collect();
    assert_eq!(gaps, [(5_004, 5_006)]);
    assert_eq!(timeline.reigns_of(20)[0].end, Some(ReignEnd::Followed));
    let at = |ms| {
        timeline
            .leader_at(20, Stamp::utc(BEGIN + ms))
            .and_then(|reign| reign.leader.store)
    };
    assert_eq!(
        [at(50), at(200), at(5_005), at(6_000)],
        [None, Some(1), None, Some(2)]
    );
}

#[test]
fn refusals_are_counted_by_reason_and_time_counts_from_the_last_try() {
    let mut first = vec![started(1)];
    first.push(raft(100, 21, "starting a new election", "[term=6]"));
    first.extend(leader(12_000, 21, 7));
    let ignored = "[logterm: 6, index: 9, vote: 0] ignored vote from 21 [logterm: 6, index: 9]: lease is not expired";
    let rejected =
        "[logterm: 6, index: 9, vote: 23] rejected vote from 21 [logterm: 6, index: 8] at term 7";
    let second = vec![
        started(2),
        raft(
            101,
            22,
            ignored,
            "[\"msg type\"=MsgRequestPreVote] [term=6] [from=21]",
        ),
        raft(
            12_004,
            22,
            rejected,
            "[\"msg type\"=MsgRequestVote] [term=7] [from=21]",
        ),
    ];
    let timeline = timeline(&[first, second]);
    let [election] = timeline.elections() else {
        panic!("{:?}", timeline.elections())
    };
    assert_eq!((election.tries, election.took_ms()), (2, Some(9)));
    assert_eq!(
        election.rejections.get(&Rejection::LeaseNotExpired),
        Some(&1)
    );
    assert_eq!(
        election.rejections.get(&Rejection::LogBehindOrVoted),
        Some(&1)
    );
}

#[test]
fn an_election_of_unsafe_recovery_is_forced() {
    let mut log = vec![
        started(1),
        other(
            50,
            "peer.rs:1",
            "Unsafe recovery, enter force leader state",
            "[peer_id=21] [region_id=20]",
        ),
    ];
    log.extend(leader(100, 21, 7));
    assert_eq!(timeline(&[log]).elections()[0].kind, ElectionKind::Forced);
}

#[test]
fn a_leader_that_changes_again_and_again_flaps() {
    let (mut first, mut second) = (vec![started(1)], vec![started(2)]);
    for round in 0..6_i64 {
        let log = if round % 2 == 0 {
            &mut first
        } else {
            &mut second
        };
        let term = 7 + u64::try_from(round).expect("small");
        log.extend(leader(
            round * 30_000,
            21 + u64::try_from(round % 2).expect("small"),
            term,
        ));
    }
    let timeline = timeline(&[first, second]);
    let flapping = timeline
        .findings()
        .iter()
        .find_map(|finding| match finding {
            Finding::Flapping(flapping) => Some((flapping.region, flapping.elections)),
            _ => None,
        });
    assert_eq!(flapping, Some((20, 6)));
}

#[test]
fn what_the_logs_do_not_show_is_said() {
    let mut log = vec![raft(9, 21, "became leader at term 9", "[term=9]")];
    log.push(
        "2019/01/02 03:04:05.678 INFO <unknown>:91: [region 20] 21 became candidate at term 25"
            .to_owned(),
    );
    let timeline = timeline(&[log]);
    let election = &timeline.elections()[0];
    assert_eq!(
        (election.kind, election.took_ms(), election.started),
        (ElectionKind::Unknown, None, None)
    );
    assert_eq!(
        timeline.reigns_of(20)[0].leader.store,
        None,
        "no store is made up"
    );
    let expected = [
        Missing::StoreId("tikv-0".to_owned()),
        Missing::PdLog,
        Missing::Starts(1),
        Missing::FirstLeaders(1),
        Missing::Times(1),
    ];
    assert_eq!(timeline.missing(), expected);
}

#[test]
fn a_new_process_leads_nothing_and_a_silent_end_is_no_end() {
    let mut log = vec![started(1)];
    log.extend(leader(100, 21, 7));
    let silent = timeline(std::slice::from_ref(&log));
    assert_eq!(silent.reigns_of(20)[0].until, None);
    log.push(other(60_000, "lib.rs:90", "Welcome to TiKV", ""));
    let restarted = timeline(&[log]);
    let reign = &restarted.reigns_of(20)[0];
    assert_eq!(
        (reign.end, reign.until),
        (Some(ReignEnd::Died), Some(Stamp::utc(BEGIN + 109))),
        "as far as its own log shows"
    );
}
