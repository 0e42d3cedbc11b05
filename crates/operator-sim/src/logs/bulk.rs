//! Ordinary text by the gigabyte: mostly slow queries, refusals and chatter, about one line in a
//! hundred a change of leadership.

use std::io::{self, Write};

use super::Rng;
use crate::record::{Zone, push_field, push_head, push_stamp};

/// A log of so many bytes.
#[derive(Clone, Copy, Debug)]
pub struct Bulk {
    /// It ends with the first line that reaches this.
    pub bytes: u64,
    /// The time of the first line in Unix milliseconds.
    pub begin_ms: i64,
    /// How much time the whole log spans.
    pub span_ms: i64,
    /// The seed.
    pub seed: u64,
}

impl Default for Bulk {
    fn default() -> Self {
        Bulk {
            bytes: 1_000_000_000,
            begin_ms: 1_723_623_923_000,
            span_ms: 56_000_000,
            seed: 1,
        }
    }
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BulkReport {
    /// Bytes, line feeds included.
    pub bytes: u64,
    /// Lines.
    pub lines: u64,
    /// Lines about leadership that a reader who looks for seven phrases finds.
    pub seven_phrases: u64,
}

/// Mean length of a line, by which time is dealt out.
const MEAN_LINE: i64 = 349;

/// What a line is about.
type Shape = fn(&mut Text, &mut Rng);

/// Shapes with their share in ten thousand, and whether the line has one of the seven phrases.
const MIX: &[(u64, bool, Shape)] = &[
    (1_750, false, slow_query),
    (900, false, not_leader),
    (900, false, snapshot_failed),
    (800, false, grpc_chatter),
    (700, false, key_not_in_region),
    (600, false, chatter::<0>),
    (600, false, chatter::<1>),
    (600, false, chatter::<2>),
    (500, false, chatter::<3>),
    (500, false, chatter::<4>),
    (500, false, chatter::<5>),
    (500, false, chatter::<6>),
    (300, false, chatter::<7>),
    (490, false, resolved_ts_gap),
    (20, false, config_dump),
    (10, false, conf_change::<0>),
    (10, false, conf_change::<1>),
    (10, false, conf_change::<2>),
    (10, false, split),
    (10, false, snapshot_life),
    (30, false, vote_cast),
    (25, false, vote_asked),
    (25, false, vote_answered),
    (20, false, vote_rejected),
    (20, false, higher_term),
    (19, false, election_started),
    (30, true, became::<0>),
    (20, true, became::<1>),
    (20, true, became::<2>),
    (15, true, became::<3>),
    (2, true, stepped_down),
    (7, true, timeout_now),
    (7, true, transfer_started),
];

impl Bulk {
    /// Writes the log.
    ///
    /// # Errors
    /// What the writer reports.
    pub fn write(&self, out: &mut impl Write) -> io::Result<BulkReport> {
        let mut rng = Rng::new(self.seed);
        let total: u64 = MIX.iter().map(|(share, ..)| share).sum();
        let lines = i64::try_from(self.bytes).unwrap_or(i64::MAX) / MEAN_LINE;
        let mut report = BulkReport::default();
        let mut text = Text {
            line: String::with_capacity(4096),
        };
        while report.bytes < self.bytes {
            let written = i64::try_from(report.lines).unwrap_or(i64::MAX);
            text.ms_into_line(self.begin_ms + self.span_ms.saturating_mul(written) / lines.max(1));
            let mut dice = rng.below(total);
            for &(share, phrase, shape) in MIX {
                if dice < share {
                    shape(&mut text, &mut rng);
                    report.seven_phrases += u64::from(phrase);
                    break;
                }
                dice -= share;
            }
            text.line.push('\n');
            out.write_all(text.line.as_bytes())?;
            report.bytes += text.line.len() as u64;
            report.lines += 1;
        }
        Ok(report)
    }
}

/// The line being written.
struct Text {
    line: String,
}

impl Text {
    fn ms_into_line(&mut self, ms: i64) {
        self.line.clear();
        push_stamp(&mut self.line, ms, Zone::CHINA);
    }

    fn head(&mut self, level_and_source: &str, message: &str) -> &mut Self {
        push_head(&mut self.line, level_and_source, message);
        self
    }

    fn field(&mut self, key: &str, value: &str) -> &mut Self {
        push_field(&mut self.line, key, value);
        self
    }

    fn number(&mut self, key: &str, value: u64) -> &mut Self {
        self.field(key, &value.to_string())
    }

    /// The fields with which every raft line ends.
    fn raft(&mut self, rng: &mut Rng) {
        let region = region(rng);
        self.number("raft_id", region + 1)
            .number("region_id", region)
            .number("thread_id", 60 + rng.below(40));
    }
}

fn region(rng: &mut Rng) -> u64 {
    10_000 + rng.below(90_000) * 10
}

fn term(rng: &mut Rng) -> u64 {
    6 + rng.below(400)
}

fn key(rng: &mut Rng) -> String {
    format!(
        "7480000000000000FF{:04X}5F7280000000{:08X}F8",
        rng.below(65_536),
        rng.below(1 << 32)
    )
}

fn slow_query(text: &mut Text, rng: &mut Rng) {
    let ranges = format!("[{} .. {})", key(rng), key(rng));
    text.head("[INFO] [tracker.rs:255]", "slow-query")
        .field("perf_stats.internal_key_skipped_count", &rng.below(100_000).to_string())
        .field("perf_stats.block_read_byte", &rng.below(10_000_000).to_string())
        .field("scan.range.first", &format!("Some(start: {} end: {})", key(rng), key(rng)))
        .field("scan.ranges", &rng.below(40).to_string())
        .field("scan.total", &rng.below(100_000).to_string())
        .field("scan.processed", &rng.below(100_000).to_string())
        .field("scan.is_desc", "false")
        .field("tag", "select")
        .field("table_id", &rng.below(9_000).to_string())
        .field("txn_start_ts", &(450_000_000_000_000_000 + rng.below(1 << 40)).to_string())
        .field("total_suspend_time", "0ns")
        .field("total_process_time", &format!("{}ms", rng.below(4_000)))
        .field("handler_build_time", &format!("{}ns", rng.below(40_000)))
        .field("wait_time.snapshot", &format!("{}.{}µs", rng.below(900), rng.below(999)))
        .field("wait_time.schedule", &format!("{}.{}ms", rng.below(90), rng.below(999)))
        .field("wait_time", &format!("{}ms", rng.below(900)))
        .field("total_lifetime", &format!("{}.{}s", 1 + rng.below(9), rng.below(999)))
        .field("remote_host", &format!("ipv4:10.0.{}.{}:{}", rng.below(8), rng.below(250), 30_000 + rng.below(20_000)))
        .field("ranges", &ranges)
        .field("request_type", "SelectIndexRange { filters: [\"a\", \"b\"], limit: 20, order: \"by the first column of the index\" }")
        .number("region_id", region(rng))
        .number("thread_id", 100 + rng.below(40));
}

fn not_leader(text: &mut Text, rng: &mut Rng) {
    let id = region(rng);
    text.head("[INFO] [endpoint.rs:780]", "error-response")
        .field("err", &format!("Region error (will back off and retry) message: \"peer is not leader for region {id}, leader may Some(id: {} store_id: {})\" not_leader {{ region_id: {id} leader {{ id: {} store_id: 4 }} }}", id + 2, rng.below(9), id + 2))
        .number("thread_id", 100 + rng.below(40));
}

fn snapshot_failed(text: &mut Text, rng: &mut Rng) {
    let id = region(rng);
    text.head("[INFO] [scheduler.rs:720]", "get snapshot failed")
        .field("err", &format!("Error(Request(message: \"peer is not leader for region {id}, leader may None\" not_leader {{ region_id: {id} }}))"))
        .number("cid", rng.below(1 << 30))
        .number("thread_id", 100 + rng.below(40));
}

fn key_not_in_region(text: &mut Text, rng: &mut Rng) {
    let id = region(rng);
    text.head("[WARN] [endpoint.rs:606]", "error-response")
        .field("err", &format!("Region error (will back off and retry) message: \"EpochNotMatch current epoch of region {id} is conf_ver: 44 version: 174\" epoch_not_match {{ current_regions {{ id: {id} start_key: {} end_key: {} }} }}", key(rng), key(rng)));
}

fn grpc_chatter(text: &mut Text, rng: &mut Rng) {
    let channel = format!("{:012x}", rng.below(1 << 47));
    text.head(
        "[INFO] [<unknown>]",
        &format!("subchannel 0x{channel} {{address=ipv4:10.0.0.{}:20160, args={{grpc.client_channel_factory=0x{channel}, grpc.default_authority=10.0.0.5:20160, grpc.http2.lookahead_bytes=2097152, grpc.initial_reconnect_backoff_ms=1000}}}}: connect failed: {{\"created\":\"@17236.{}\",\"description\":\"Failed to connect to remote host: Connection refused\",\"errno\":111}}", rng.below(250), rng.below(1 << 30)),
    )
    .number("thread_id", 9);
}

fn chatter<const N: usize>(text: &mut Text, rng: &mut Rng) {
    const HEADS: [(&str, &str); 8] = [
        ("[INFO] [pd.rs:1500]", "heartbeat sent"),
        ("[INFO] [gc_worker.rs:433]", "gc worker handled task"),
        ("[INFO] [compact.rs:120]", "compacted range finished"),
        ("[WARN] [lock_manager.rs:90]", "lock wait timed out"),
        ("[INFO] [endpoint.rs:352]", "resolver advanced"),
        (
            "[DEBUG] [txn.rs:71]",
            "commit of a leader's own region took a round trip",
        ),
        (
            "[INFO] [size.rs:181]",
            "approximate size over threshold, need to do split check",
        ),
        (
            "[INFO] [router.rs:348]",
            "shutdown mailbox of a peer that left",
        ),
    ];
    let (head, message) = HEADS[N];
    text.head(head, message)
        .field("takes", &format!("{}.{}ms", rng.below(90), rng.below(999)))
        .number("size", rng.below(1 << 27))
        .number("region_id", region(rng))
        .number("thread_id", 60 + rng.below(40));
}

fn resolved_ts_gap(text: &mut Text, rng: &mut Rng) {
    text.head("[INFO] [endpoint.rs:505]", "the max gap of leader resolved-ts is large")
        .field("last_resolve_attempt", &format!("Some(LastAttempt {{ success: false, ts: TimeStamp({}), reason: \"lock\", lock: Some({}) }})", rng.below(1 << 58), key(rng)))
        .number("duration_to_last_update_safe_ts", rng.below(100_000))
        .number("min_memory_lock", rng.below(1 << 40))
        .number("region_id", region(rng));
}

fn config_dump(text: &mut Text, rng: &mut Rng) {
    let mut config = String::from("{");
    for n in 0..60 {
        config.push_str(&format!(
            "\"option-{n}\":{{\"value\":\"{}\",\"path\":\"C:\\\\data\\\\tikv\"}},",
            rng.below(100_000)
        ));
    }
    text.head("[INFO] [common.rs:117]", "using config")
        .field("config", &config)
        .number("thread_id", 1);
}

fn conf_change<const N: usize>(text: &mut Text, rng: &mut Rng) {
    const HEADS: [(&str, &str); 3] = [
        ("[INFO] [peer.rs:3301]", "propose conf change peer"),
        ("[INFO] [apply.rs:2474]", "conf change successfully"),
        ("[INFO] [peer.rs:4055]", "notify pd with change peer region"),
    ];
    let (head, message) = HEADS[N];
    let id = region(rng);
    text.head(head, message)
        .field("region", &format!("id: {id} start_key: {} end_key: {} region_epoch {{ conf_ver: 6 version: 575 }} peers {{ id: {} store_id: 1 }}", key(rng), key(rng), id + 1))
        .number("peer_id", id + 1)
        .number("region_id", id)
        .number("thread_id", 60 + rng.below(40));
}

fn split(text: &mut Text, rng: &mut Rng) {
    let id = region(rng);
    text.head("[INFO] [apply.rs:2415]", "split region")
        .field("keys", &format!("key {}", key(rng)))
        .field("region", &format!("id: {id} start_key: {} region_epoch {{ conf_ver: 1 version: 23 }} peers {{ id: {} store_id: 1 }}", key(rng), id + 1))
        .number("peer_id", id + 1)
        .number("region_id", id);
}

fn snapshot_life(text: &mut Text, rng: &mut Rng) {
    text.head("[INFO] [peer_storage.rs:607]", "begin to apply snapshot")
        .number("peer_id", rng.below(1 << 30))
        .number("region_id", region(rng));
}

fn vote_text(rng: &mut Rng, verb: &str) -> String {
    let (a, b) = (term(rng), region(rng));
    format!("[logterm: {a}, index: {b}, vote: 0] {verb} {b} [logterm: {a}, index: {b}] at term {a}")
}

fn vote_cast(text: &mut Text, rng: &mut Rng) {
    let message = vote_text(rng, "cast vote for");
    text.head("[INFO] [raft.rs:1450]", &message)
        .field("msg type", "MsgRequestVote")
        .number("term", term(rng))
        .number("from", region(rng))
        .raft(rng);
}

fn vote_rejected(text: &mut Text, rng: &mut Rng) {
    let message = vote_text(rng, "rejected vote from");
    text.head("[INFO] [raft.rs:1480]", &message)
        .field("msg type", "MsgRequestPreVote")
        .number("term", term(rng))
        .number("from", region(rng))
        .raft(rng);
}

fn vote_asked(text: &mut Text, rng: &mut Rng) {
    text.head("[INFO] [raft.rs:1306]", "broadcasting vote request")
        .field("to", "[33, 34]")
        .number("log_index", rng.below(100_000))
        .number("term", term(rng))
        .field("type", "MsgRequestVote")
        .raft(rng);
}

fn vote_answered(text: &mut Text, rng: &mut Rng) {
    text.head("[INFO] [raft.rs:2219]", "received votes response")
        .number("term", term(rng))
        .field("type", "MsgRequestVoteResponse")
        .number("approvals", 2)
        .number("rejections", 0)
        .number("from", region(rng))
        .field("vote", "true")
        .raft(rng);
}

fn higher_term(text: &mut Text, rng: &mut Rng) {
    let message = format!("received a message with higher term from {}", region(rng));
    text.head("[INFO] [raft.rs:1362]", &message)
        .field("msg type", "MsgRequestVote")
        .number("message_term", term(rng))
        .number("term", term(rng))
        .raft(rng);
}

fn election_started(text: &mut Text, rng: &mut Rng) {
    text.head("[INFO] [raft.rs:1550]", "starting a new election")
        .number("term", term(rng))
        .raft(rng);
}

fn became<const N: usize>(text: &mut Text, rng: &mut Rng) {
    const ROLES: [&str; 4] = ["follower", "leader", "candidate", "pre-candidate"];
    let term = term(rng);
    text.head(
        "[INFO] [raft.rs:1177]",
        &format!("became {} at term {term}", ROLES[N]),
    )
    .number("term", term)
    .raft(rng);
}

fn stepped_down(text: &mut Text, rng: &mut Rng) {
    text.head(
        "[WARN] [raft.rs:1000]",
        "stepped down to follower since quorum is not active",
    )
    .raft(rng);
}

fn timeout_now(text: &mut Text, rng: &mut Rng) {
    let (term, from) = (term(rng), region(rng));
    let message = format!(
        "[term {term}] received MsgTimeoutNow from {from} and starts an election to get leadership."
    );
    text.head("[INFO] [raft.rs:2369]", &message)
        .number("from", from)
        .number("term", term)
        .raft(rng);
}

fn transfer_started(text: &mut Text, rng: &mut Rng) {
    let (term, to) = (term(rng), region(rng));
    text.head(
        "[INFO] [raft.rs:1930]",
        &format!("[term {term}] starts to transfer leadership to {to}"),
    )
    .number("lead_transferee", to)
    .number("term", term)
    .raft(rng);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_one_line_in_a_hundred_is_about_leaders() {
        let bulk = Bulk {
            bytes: 3_000_000,
            ..Bulk::default()
        };
        let write = |bulk: Bulk| {
            let mut text = Vec::new();
            let report = bulk.write(&mut text).expect("memory");
            (text, report)
        };
        let (text, report) = write(bulk);
        assert_eq!(
            (report.bytes, report.lines),
            (
                text.len() as u64,
                text.iter().filter(|&&byte| byte == b'\n').count() as u64
            )
        );
        assert!(
            (5..20).contains(&(report.seven_phrases * 1_000 / report.lines)),
            "{report:?}"
        );
        assert!(
            (300..420).contains(&(report.bytes / report.lines)),
            "{report:?}"
        );
        assert_eq!(write(bulk).0, text);
        assert_ne!(write(Bulk { seed: 2, ..bulk }).0, text);
    }
}
