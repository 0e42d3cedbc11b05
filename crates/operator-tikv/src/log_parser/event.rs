//! From a line to what it says.

use std::borrow::Cow;

use super::catalogue::{ElectionTerm, Row, Writer, keeps_reason};
use super::classify::{MAX_WORDS, classify, is_go};
use super::kind::{EventClass, EventKind};
use super::level::Level;
use super::line::{Field, LogLine};
use super::mention::{self, Body};
use super::stamp::Stamp;
use super::text::{Text, leading_number};

/// Who wrote an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A store.
    Tikv,
    /// PD itself.
    Pd,
    /// etcd inside PD: the same raft words, but no region of the cluster.
    Etcd,
}

/// Which kind of vote a message asks for or answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ballot {
    /// Would you vote for me?
    PreVote,
    /// Vote for me.
    Vote,
    /// The message is something else.
    Other,
}

/// What a line says, owned and small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEvent {
    /// What happened.
    pub kind: EventKind,
    /// Who wrote it.
    pub origin: Origin,
    /// When it was written.
    pub time: Option<Stamp>,
    /// How severe.
    pub level: Option<Level>,
    /// The region it is about.
    pub region: Option<u64>,
    /// The raft peer that wrote it.
    pub peer: Option<u64>,
    /// The term as the line says.
    pub term: Option<u64>,
    /// The term of the election it is part of, which the line's own term may precede by one.
    pub election: Option<u64>,
    /// A peer; in a line of PD a store.
    pub from: Option<u64>,
    /// A peer; in a line of PD a store.
    pub to: Option<u64>,
    /// The store it is about: the one that cannot be reached, the one that starts.
    pub store: Option<u64>,
    /// The kind of vote, where one is asked for or answered.
    pub ballot: Option<Ballot>,
    /// Whether the peer was the leader until now, where the line says so (8.5.2 and later).
    pub was_leader: Option<bool>,
    /// Why, in the line's words, where a person would ask.
    pub reason: Option<Box<str>>,
}

impl LogEvent {
    /// The event that a line is, if it is one.
    ///
    /// ```
    /// use operator_tikv::log_parser::{EventKind, LogEvent, parse_line};
    /// let line = parse_line(r#"[2024/08/14 16:25:23.105 +08:00] [INFO] [raft.rs:1500] ["starting a new election"] [term=5] [raft_id=9] [region_id=8]"#)?;
    /// let event = LogEvent::of(&line).expect("an event");
    /// assert_eq!(event.kind, EventKind::ElectionStarted);
    /// assert_eq!((event.region, event.peer), (Some(8), Some(9)));
    /// assert_eq!((event.term, event.election), (Some(5), Some(6)), "the campaign is for the next term");
    /// # Ok::<(), operator_tikv::log_parser::Fault>(())
    /// ```
    #[must_use]
    pub fn of(line: &LogLine<'_>) -> Option<LogEvent> {
        let row = classify(line)?;
        let mut gathered = Gathered::default();
        line.fields().for_each(|field| gathered.take(&field));
        gathered.finish(row, line)
    }

    /// The class of the event.
    #[must_use]
    pub const fn class(&self) -> EventClass {
        self.kind.class()
    }
}

/// The events of these lines, read leniently, in their order.
///
/// ```
/// use operator_tikv::log_parser::{EventKind, events};
/// let log = "[2024/08/14 16:25:23.105 +08:00] [INFO] [lib.rs:90] [\"Welcome to TiKV\"]\nnot a line of a log\n";
/// let kinds: Vec<_> = events(log.lines()).map(|event| event.kind).collect();
/// assert_eq!(kinds, [EventKind::Started]);
/// ```
pub fn events<L: AsRef<[u8]>>(
    lines: impl IntoIterator<Item = L>,
) -> impl Iterator<Item = LogEvent> {
    let mut scratch = Vec::new();
    lines
        .into_iter()
        .filter_map(move |line| LogEvent::of(&super::parse_lenient(&line, &mut scratch).ok()?))
}

/// The region that a line is about: its field, else what its text says.
///
/// It answers for every line, not for events only.
#[must_use]
pub fn region_of(line: &LogLine<'_>) -> Option<u64> {
    let field = line
        .field("region_id")
        .or_else(|| line.field("region-id"))
        .and_then(Text::number);
    field
        .or_else(|| {
            line.message()
                .and_then(|text| mention::region(&text.bytes()))
        })
        .or_else(|| mention::region(line.trailing))
}

/// The term that a line carries: its field, else what its text says.
#[must_use]
pub fn term_of(line: &LogLine<'_>) -> Option<u64> {
    let field = line.field("term").and_then(Text::number);
    field
        .or_else(|| line.message().and_then(|text| mention::term(&text.bytes())))
        .or_else(|| mention::term(line.trailing))
}

/// The region that is named in a text that is no record.
#[must_use]
pub fn region_in_text(text: &[u8]) -> Option<u64> {
    mention::region(text)
}

/// The fields that events are made of, picked up in one pass.
#[derive(Debug, Default)]
pub(super) struct Gathered<'a> {
    region: Option<u64>,
    term: Option<u64>,
    peer: Option<u64>,
    from: Option<u64>,
    to: Option<u64>,
    store: Option<u64>,
    unreachable: Option<u64>,
    message_type: Option<Text<'a>>,
    message_term: Option<u64>,
    was_leader: Option<bool>,
    reason: Option<Text<'a>>,
    step: Option<Text<'a>>,
}

impl<'a> Gathered<'a> {
    #[inline]
    pub(super) fn take(&mut self, field: &Field<'a>) {
        let value = field.value;
        match field.key.raw() {
            b"region_id" | b"region-id" => set(&mut self.region, value.number()),
            b"raft_id" => self.peer = value.number().or(self.peer),
            b"term" => set(&mut self.term, value.number()),
            b"from" => set(&mut self.from, value.number()),
            b"to" | b"lead_transferee" | b"transferee_peer_id" => {
                set(&mut self.to, value.number().or_else(|| id_in(value)));
            }
            b"region" => set(&mut self.region, id_in(value)),
            b"peer_id" => set(&mut self.peer, value.number()),
            b"from_peer" => set(&mut self.from, id_in(value)),
            b"peer" | b"to_peer" => set(&mut self.to, id_in(value)),
            b"msg type" | b"type" | b"msg" => self.message_type = self.message_type.or(Some(value)),
            b"message_term" => set(&mut self.message_term, value.number()),
            b"store_id" | b"store-id" => set(&mut self.store, value.number()),
            b"unreachable_store_id" => self.unreachable = value.number(),
            b"from_role" => self.was_leader = Some(value.is("Leader")),
            b"reason" | b"err" | b"receiver_err" => self.reason = self.reason.or(Some(value)),
            b"step" => self.step = Some(value),
            _ => {}
        }
    }

    /// The event; `None` where a row says less than it seemed to, as an order of PD that moves no
    /// leader.
    pub(super) fn finish(self, row: &'static Row, line: &LogLine<'_>) -> Option<LogEvent> {
        let message = line.message.map_or(Cow::Borrowed(line.trailing), |text| {
            text.start(MAX_WORDS).bytes()
        });
        let body = Body::of(&message);
        let origin = match (row.writer, line.source) {
            (Writer::Pd, _) => Origin::Pd,
            (Writer::Raft, Some(source)) if is_go(source) => Origin::Etcd,
            _ => Origin::Tikv,
        };
        let in_text = origin != Origin::Etcd;
        let mut event = LogEvent {
            kind: row.kind,
            origin,
            time: line.time,
            level: line.level,
            region: self.region.or(body.region).or_else(|| {
                if in_text {
                    mention::region(&message)
                } else {
                    None
                }
            }),
            peer: self.peer.or(body.peer),
            term: self.term.or_else(|| {
                if row.writer == Writer::Raft {
                    mention::term(&message)
                } else {
                    None
                }
            }),
            election: None,
            from: self.from,
            to: self.to,
            store: self.unreachable.or(self.store),
            ballot: None,
            was_leader: self.was_leader,
            reason: None,
        };
        if keeps_reason(row.kind) {
            event.reason = Some(
                self.reason
                    .map_or_else(|| String::from_utf8_lossy(body.text), Text::to_str)
                    .into(),
            );
        }
        if row.writer == Writer::Pd {
            self.finish_pd(&mut event, body.text)?;
        } else if row.writer == Writer::Raft {
            self.finish_raft(row, &mut event, body.text);
        }
        Some(event)
    }

    fn finish_raft(&self, row: &Row, event: &mut LogEvent, body: &[u8]) {
        event.ballot = match row.election {
            ElectionTerm::ByVote | ElectionTerm::Message => Some(
                self.message_type
                    .map_or_else(|| ballot_in_text(body), |text| ballot(text.raw())),
            ),
            _ if matches!(row.kind, EventKind::VoteIgnored | EventKind::LowerTerm) => Some(
                self.message_type
                    .map_or_else(|| ballot_in_text(body), |text| ballot(text.raw())),
            ),
            _ => None,
        };
        if event.from.is_none() && names_sender(row.kind) {
            let words = [" from ", " for "];
            event.from = words
                .iter()
                .find_map(|word| mention::number_after(body, word));
        }
        if event.to.is_none() && names_receiver(row.kind) {
            event.to = mention::number_after(body, " to ");
        }
        let next = event.term.and_then(|term| term.checked_add(1));
        event.election = match (row.election, event.ballot) {
            (ElectionTerm::Same, _) | (ElectionTerm::ByVote, Some(Ballot::Vote)) => event.term,
            (ElectionTerm::Next, _) | (ElectionTerm::ByVote, Some(Ballot::PreVote)) => next,
            (ElectionTerm::Message, Some(Ballot::Vote)) => {
                self.message_term.or_else(|| last_term(body))
            }
            _ => None,
        };
    }

    fn finish_pd(&self, event: &mut LogEvent, body: &[u8]) -> Option<()> {
        if let Some(step) = self
            .step
            .filter(|_| event.kind == EventKind::TransferOrdered)
        {
            let step = step.bytes();
            let stores = step.strip_prefix(b"transfer leader")?;
            event.from = mention::number_after(stores, "from store ");
            event.to = mention::number_after(stores, "to store ");
        } else if event.kind == EventKind::TransferOrdered {
            return None;
        }
        if event.kind == EventKind::RegionLeaderChanged && event.from.is_none() {
            let half = memchr::memmem::find(body, b" to ").unwrap_or(body.len());
            let store = |text| {
                mention::number_after(text, "store_id:")
                    .or_else(|| mention::number_after(text, "store {"))
            };
            event.from = store(&body[..half]);
            event.to = store(&body[half..]);
        }
        Some(())
    }
}

fn set(slot: &mut Option<u64>, value: Option<u64>) {
    if slot.is_none() {
        *slot = value;
    }
}

/// The id at the start of a struct in Rust's protobuf text: `id: 5 store_id: 1`.
fn id_in(value: Text<'_>) -> Option<u64> {
    leading_number(value.raw().strip_prefix(b"id: ")?).map(|(id, _)| id)
}

/// The kind of vote by the name of a message.
fn ballot(name: &[u8]) -> Ballot {
    if name.starts_with(b"MsgRequestPreVote") || name.starts_with(b"MsgPreVote") {
        Ballot::PreVote
    } else if name.starts_with(b"MsgRequestVote") || name.starts_with(b"MsgVote") {
        Ballot::Vote
    } else {
        Ballot::Other
    }
}

/// The kind of vote by the first name of a message in a text.
fn ballot_in_text(text: &[u8]) -> Ballot {
    memchr::memmem::find(text, b"Msg").map_or(Ballot::Other, |at| ballot(&text[at..]))
}

/// Whether the words of the message name the peer it came from.
const fn names_sender(kind: EventKind) -> bool {
    use EventKind as K;
    matches!(
        kind,
        K::VoteAnswered
            | K::VoteCast
            | K::VoteRejected
            | K::VoteIgnored
            | K::HigherTerm
            | K::LowerTerm
            | K::TimeoutNowReceived
            | K::TransferRefused
    )
}

/// Whether the words of the message name the peer it goes to.
const fn names_receiver(kind: EventKind) -> bool {
    use EventKind as K;
    matches!(
        kind,
        K::VoteRequested
            | K::TransferStarted
            | K::TimeoutNowSent
            | K::TransferRepeated
            | K::TransferAborted
    )
}

/// The last `[term: N]` of a text: that of the message, after the peer's own.
fn last_term(text: &[u8]) -> Option<u64> {
    let at = memchr::memmem::rfind(text, b"[term: ")?;
    mention::number_after(&text[at..], "[term: ")
}
