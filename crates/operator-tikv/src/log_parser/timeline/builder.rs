//! Takes events, keeps what elections need.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::super::event::{Ballot, LogEvent, Origin};
use super::super::kind::{EventClass, EventKind};
use super::super::stamp::Stamp;
use super::election::{Election, ElectionKind, Rejection, Server};
use super::finding::Thresholds;
use super::log::{Log, ProcessEnd, Report};
use super::reign::{Reign, ReignEnd};
use super::restart::PdOrder;
use super::{PdMove, Told};

/// A log that was announced to the builder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogId(usize);

/// The term of a region before its first election.
const BIRTH_TERM: u64 = 5;

/// A first election follows the making of its peer by less than this.
const BIRTH_MS: i64 = 1_000;

/// Reports about one store by one log this close together are remembered once.
const SAME_REPORT_MS: i64 = 3_000;

/// Builds a [`Timeline`](super::Timeline) out of events.
///
/// ```
/// use operator_tikv::log_parser::{TimelineBuilder, events};
/// let log = "[2024/08/14 16:25:23.100 +08:00] [INFO] [node.rs:1] [\"start raft store thread\"] [store_id=4]\n\
///            [2024/08/14 16:25:23.105 +08:00] [INFO] [raft.rs:1] [\"starting a new election\"] [term=6] [raft_id=21] [region_id=20]\n\
///            [2024/08/14 16:25:23.118 +08:00] [INFO] [raft.rs:2] [\"became leader at term 7\"] [term=7] [raft_id=21] [region_id=20]\n";
/// let mut builder = TimelineBuilder::default();
/// let tikv = builder.add_log("tikv-0");
/// events(log.lines()).for_each(|event| builder.push(tikv, &event));
/// let timeline = builder.finish();
/// let election = &timeline.elections()[0];
/// assert_eq!((election.region, election.term, election.took_ms()), (20, 7, Some(13)));
/// assert_eq!(timeline.reigns_of(20)[0].leader.store, Some(4));
/// ```
#[derive(Debug, Default)]
pub struct TimelineBuilder {
    pub(super) thresholds: Thresholds,
    pub(super) logs: Vec<Log>,
    pub(super) elections: BTreeMap<(u64, u64), Gathering>,
    pub(super) reigns: Vec<Reign>,
    pub(super) reports: Vec<Report>,
    pub(super) last_report: HashMap<(u64, usize), Stamp>,
    pub(super) hints: HashMap<(u64, usize), (Stamp, bool)>,
    pub(super) pd_moves: Vec<PdMove>,
    pub(super) pd_orders: Vec<PdOrder>,
    pub(super) pd_leaders: Vec<(usize, Stamp)>,
    pub(super) told: BTreeMap<(usize, EventKind), Told>,
    pub(super) forced: BTreeSet<u64>,
    pub(super) timeless: u64,
}

/// An election while its lines come in.
#[derive(Debug)]
pub(super) struct Gathering {
    pub(super) election: Election,
    pub(super) starter: Option<(usize, Option<u64>)>,
    pub(super) winner: Option<(usize, Option<u64>, Stamp)>,
    pub(super) transfer: bool,
    pub(super) pre_vote: bool,
    pub(super) birth: bool,
    pub(super) forced: bool,
    /// Campaigns of each log: how many, the first, the last.
    pub(super) campaigns: BTreeMap<usize, (u32, Stamp, Stamp)>,
}

impl TimelineBuilder {
    /// A builder that calls it a storm, flapping or hopeless from other counts on.
    #[must_use]
    pub fn with_thresholds(thresholds: Thresholds) -> Self {
        TimelineBuilder {
            thresholds,
            ..Self::default()
        }
    }

    /// Announces a log: one server's, with everything it was rotated into. Whose it is its lines
    /// say; the name is for people.
    pub fn add_log(&mut self, name: &str) -> LogId {
        self.logs.push(Log::new(name));
        LogId(self.logs.len() - 1)
    }

    /// Announces a log whose store is known from elsewhere: what its lines say goes before that.
    pub fn add_log_of(&mut self, name: &str, store: u64) -> LogId {
        let id = self.add_log(name);
        if let Some(log) = self.logs.last_mut() {
            log.store = Some(store);
        }
        id
    }

    /// Takes the next event of a log. Events of one log come in the order of its lines; how those
    /// of several logs are mixed does not matter.
    pub fn push(&mut self, log: LogId, event: &LogEvent) {
        let Some(at) = event.time else {
            self.timeless += 1;
            return;
        };
        let index = log.0;
        let Some(log) = self.logs.get_mut(index) else {
            return;
        };
        if event.kind == EventKind::Started {
            self.process_began(index, at);
        } else {
            log.last = Some(log.last.map_or(at, |last| last.max(at)));
        }
        let log = &mut self.logs[index];
        log.was_active(at);
        log.is_pd |= event.origin != Origin::Tikv;
        match event.origin {
            Origin::Tikv => self.push_tikv(index, at, event),
            Origin::Pd => self.push_pd(index, at, event),
            Origin::Etcd => {}
        }
        if event.class() == EventClass::Pressure
            || matches!(event.kind, EventKind::Panicked | EventKind::ClockJump)
        {
            let told = self.told.entry((index, event.kind)).or_insert(Told {
                lines: 0,
                first: Some(at),
                last: None,
            });
            told.lines += 1;
            told.last = Some(at);
        }
    }

    fn push_tikv(&mut self, index: usize, at: Stamp, event: &LogEvent) {
        let log = &mut self.logs[index];
        match event.kind {
            EventKind::StoreStarted => log.store = event.store.or(log.store),
            EventKind::StopSignal => log.stop = Some(at),
            EventKind::StoreUnreachable => self.report(index, at, event.store),
            EventKind::ConnectionLost => self.hint(index, at, event),
            EventKind::ForceLeader => {
                self.forced.extend(event.region);
            }
            _ => {}
        }
        let Some(region) = event.region else { return };
        let log = &mut self.logs[index];
        match event.kind {
            EventKind::BecameFollower => {
                if event.term == Some(BIRTH_TERM) {
                    log.made.insert(region, at);
                }
                let end = if log.stepped_down.remove(&region).is_some() {
                    ReignEnd::SteppedDown
                } else {
                    ReignEnd::Followed
                };
                self.end_reign(index, region, at, end);
            }
            EventKind::SteppedDown | EventKind::ForcedStepDown => {
                log.stepped_down.insert(region, at);
                log.was_in_trouble(at);
                self.end_reign(index, region, at, ReignEnd::SteppedDown);
            }
            EventKind::LeaderReleased | EventKind::LeaderObserved => {
                if let Some(&reign) = log.leading.get(&region) {
                    self.reigns[reign].released =
                        (event.kind == EventKind::LeaderReleased).then_some(at);
                }
            }
            _ => {}
        }
        if let Some(term) = event.election {
            self.push_election(index, at, region, term, event);
        }
    }

    fn push_election(&mut self, index: usize, at: Stamp, region: u64, term: u64, event: &LogEvent) {
        // A follower line says that a term exists, not that there was a campaign for it.
        if event.kind == EventKind::BecameFollower {
            return;
        }
        let made = self.logs[index].made.get(&region).copied();
        let forced = self.forced.contains(&region);
        let gathering = self
            .elections
            .entry((region, term))
            .or_insert_with(|| Gathering::new(region, term, at));
        let election = &mut gathering.election;
        election.first_seen = election.first_seen.min(at);
        match event.kind {
            EventKind::ElectionStarted => {
                election.tries += 1;
                // The last one counts: earlier ones of the same term were in vain.
                if election.started.is_none_or(|started| started <= at)
                    && gathering.winner.is_none_or(|(_, _, won)| at <= won)
                {
                    election.started = Some(at);
                    gathering.starter = Some((index, event.peer));
                }
                let campaign = gathering.campaigns.entry(index).or_insert((0, at, at));
                campaign.0 += 1;
                campaign.2 = at;
                gathering.birth |= term == BIRTH_TERM + 1
                    && made.is_some_and(|made| at.utc_ms - made.utc_ms < BIRTH_MS);
                gathering.forced |= forced;
                self.logs[index].was_in_trouble(at);
            }
            EventKind::BecamePreCandidate => gathering.pre_vote = true,
            EventKind::TransferStarted | EventKind::TimeoutNowReceived => gathering.transfer = true,
            EventKind::VoteCast if event.ballot == Some(Ballot::Vote) => election.votes += 1,
            EventKind::VoteRejected => {
                *election
                    .rejections
                    .entry(Rejection::LogBehindOrVoted)
                    .or_default() += 1;
            }
            EventKind::VoteIgnored => {
                *election
                    .rejections
                    .entry(Rejection::LeaseNotExpired)
                    .or_default() += 1;
            }
            EventKind::CampaignBlocked => {
                *election
                    .rejections
                    .entry(Rejection::PendingConfChange)
                    .or_default() += 1;
            }
            EventKind::BecameLeader => {
                gathering.winner = Some((index, event.peer, at));
                gathering.birth |= term == BIRTH_TERM + 1
                    && made.is_some_and(|made| at.utc_ms - made.utc_ms < BIRTH_MS);
                self.begin_reign(index, region, term, event.peer, at);
            }
            _ => {}
        }
    }

    fn push_pd(&mut self, index: usize, at: Stamp, event: &LogEvent) {
        match event.kind {
            EventKind::RegionLeaderChanged => {
                if let Some(region) = event.region {
                    self.pd_moves.push(PdMove {
                        region,
                        from: event.from,
                        to: event.to,
                        at: Some(at),
                    });
                }
            }
            EventKind::EvictionBegan | EventKind::EvictionEnded => {
                if let Some(store) = event.store {
                    self.pd_orders.push(PdOrder {
                        store,
                        at,
                        begins: event.kind == EventKind::EvictionBegan,
                    });
                }
            }
            EventKind::PdLeaderReady => self.pd_leaders.push((index, at)),
            EventKind::StopSignal => self.logs[index].stop = Some(at),
            _ => {}
        }
    }

    fn report(&mut self, by: usize, at: Stamp, store: Option<u64>) {
        let Some(store) = store else { return };
        let last = self.last_report.insert((store, by), at);
        if last.is_none_or(|last| at.utc_ms - last.utc_ms > SAME_REPORT_MS) {
            let hint = self
                .hints
                .get(&(store, by))
                .filter(|(when, _)| at.utc_ms - when.utc_ms <= SAME_REPORT_MS);
            self.reports.push(Report {
                store,
                by,
                at,
                died: hint.map(|(_, died)| *died),
            });
        }
    }

    /// How a connection ended says whether the process died or hangs.
    fn hint(&mut self, by: usize, at: Stamp, event: &LogEvent) {
        let (Some(store), Some(reason)) = (event.store, &event.reason) else {
            return;
        };
        if reason.contains("keepalive watchdog") {
            self.hints.insert((store, by), (at, false));
        } else if reason.contains("Socket closed")
            || reason.contains("reset")
            || reason.contains("refused")
        {
            self.hints.insert((store, by), (at, true));
        }
    }

    /// A new process in the same log: what the old one led, it leads no more.
    fn process_began(&mut self, index: usize, at: Stamp) {
        let log = &mut self.logs[index];
        let told_to_stop = log.stop.take();
        if let Some(last) = log.last {
            log.ends.push(ProcessEnd {
                last,
                told_to_stop,
                restarted: Some(at),
            });
        }
        log.last = Some(at);
        log.made.clear();
        log.stepped_down.clear();
        // When it died the other logs know better; `finish` asks them.
        log.leading.clear();
    }

    fn begin_reign(
        &mut self,
        index: usize,
        region: u64,
        term: u64,
        peer: Option<u64>,
        from: Stamp,
    ) {
        self.end_reign(index, region, from, ReignEnd::Followed);
        let leader = Server {
            store: None,
            log: Arc::clone(&self.logs[index].name),
        };
        self.logs[index].leading.insert(region, self.reigns.len());
        self.reigns.push(Reign {
            region,
            term,
            leader,
            peer,
            from,
            until: None,
            end: None,
            released: None,
            log: index,
        });
    }

    fn end_reign(&mut self, index: usize, region: u64, at: Stamp, end: ReignEnd) {
        if let Some(reign) = self.logs[index].leading.remove(&region) {
            self.reigns[reign].close(at, end);
        }
    }

    pub(super) fn peer(&self, index: usize) -> Server {
        Server {
            store: self.logs[index].store,
            log: Arc::clone(&self.logs[index].name),
        }
    }
}

impl Gathering {
    fn new(region: u64, term: u64, at: Stamp) -> Self {
        Gathering {
            election: Election {
                region,
                term,
                kind: ElectionKind::Unknown,
                starter: None,
                first_seen: at,
                started: None,
                tries: 0,
                leader: None,
                votes: 0,
                rejections: BTreeMap::new(),
                previous: None,
            },
            starter: None,
            winner: None,
            transfer: false,
            pre_vote: false,
            birth: false,
            forced: false,
            campaigns: BTreeMap::new(),
        }
    }
}
