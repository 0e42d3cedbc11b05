//! Takes events, keeps what elections need.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::super::event::{Ballot, LogEvent, Origin};
use super::super::kind::{EventClass, EventKind};
use super::super::stamp::Stamp;
use super::election::{Election, ElectionKind, Peer, Rejection};
use super::finding::Thresholds;
use super::outage::{Outage, OutageKind, outages};
use super::reign::{Reign, ReignEnd, close_open};
use super::restart::{self, PdOrder};
use super::{Missing, PdMove, Timeline, Told, finding};

/// A log that was announced to the builder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogId(usize);

/// The term of a region before its first election.
const BIRTH_TERM: u64 = 5;

/// A first election follows the making of its peer by less than this.
const BIRTH_MS: i64 = 1_000;

/// The grain in which a log's own activity is remembered.
const GRAIN_MS: i64 = 10_000;

/// Reports about one store by one log this close together are remembered once.
const SAME_REPORT_MS: i64 = 3_000;

/// A process that ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProcessEnd {
    /// Its last event.
    pub(super) last: Stamp,
    /// When it was told to stop.
    pub(super) told_to_stop: Option<Stamp>,
    /// When the next one began to write.
    pub(super) restarted: Option<Stamp>,
}

/// A log says that a store cannot be reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    pub(super) store: u64,
    pub(super) by: usize,
    pub(super) at: Stamp,
    /// Whether the connection ended as that of a process that died (or hung), where it was said.
    pub(super) died: Option<bool>,
}

/// What is known of one log.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) name: Arc<str>,
    pub(super) store: Option<u64>,
    pub(super) is_pd: bool,
    pub(super) ends: Vec<ProcessEnd>,
    last: Option<Stamp>,
    stop: Option<Stamp>,
    /// The first event of each ten seconds.
    active: BTreeMap<i64, Stamp>,
    /// When it lost quorums or campaigned, in the same grain.
    in_trouble: BTreeSet<i64>,
    leading: HashMap<u64, usize>,
    made: HashMap<u64, Stamp>,
    stepped_down: HashMap<u64, Stamp>,
}

impl Log {
    /// Whether it stepped down or campaigned about when others reported it, and until when.
    pub(super) fn trouble_near(&self, at: Stamp) -> Option<Stamp> {
        let grain = at.utc_ms.div_euclid(GRAIN_MS);
        let mut last = *self.in_trouble.range(grain - 1..=grain + 3).next()?;
        // Each region campaigns again after at most twenty seconds.
        for &next in self.in_trouble.range(last..) {
            if next - last > 3 {
                break;
            }
            last = next;
        }
        Some(Stamp::utc((last + 1) * GRAIN_MS))
    }

    /// Its first event after it had been silent from this moment on.
    pub(super) fn heard_again(&self, from: Stamp) -> Option<Stamp> {
        let grain = from.utc_ms.div_euclid(GRAIN_MS);
        self.active.range(grain + 1..).next().map(|(_, &at)| at)
    }
}

/// Builds a [`Timeline`] out of events.
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
    thresholds: Thresholds,
    logs: Vec<Log>,
    elections: BTreeMap<(u64, u64), Gathering>,
    reigns: Vec<Reign>,
    reports: Vec<Report>,
    last_report: HashMap<(u64, usize), Stamp>,
    hints: HashMap<(u64, usize), (Stamp, bool)>,
    pd_moves: Vec<PdMove>,
    pd_orders: Vec<PdOrder>,
    pd_leaders: Vec<(usize, Stamp)>,
    told: BTreeMap<(usize, EventKind), Told>,
    forced: BTreeSet<u64>,
    timeless: u64,
}

/// An election while its lines come in.
#[derive(Debug)]
struct Gathering {
    election: Election,
    starter: Option<(usize, Option<u64>)>,
    winner: Option<(usize, Option<u64>, Stamp)>,
    transfer: bool,
    pre_vote: bool,
    birth: bool,
    forced: bool,
    /// Campaigns of each log: how many, the first, the last.
    campaigns: BTreeMap<usize, (u32, Stamp, Stamp)>,
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
        self.logs.push(Log {
            name: Arc::from(name),
            store: None,
            is_pd: false,
            ends: Vec::new(),
            last: None,
            stop: None,
            active: BTreeMap::new(),
            in_trouble: BTreeSet::new(),
            leading: HashMap::new(),
            made: HashMap::new(),
            stepped_down: HashMap::new(),
        });
        LogId(self.logs.len() - 1)
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
        log.active
            .entry(at.utc_ms.div_euclid(GRAIN_MS))
            .or_insert(at);
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
                log.in_trouble.insert(at.utc_ms.div_euclid(GRAIN_MS));
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
                self.logs[index]
                    .in_trouble
                    .insert(at.utc_ms.div_euclid(GRAIN_MS));
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
        let leader = Peer {
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

    fn peer(&self, index: usize) -> Peer {
        Peer {
            store: self.logs[index].store,
            log: Arc::clone(&self.logs[index].name),
        }
    }

    /// Puts everything together.
    #[must_use]
    pub fn finish(mut self) -> Timeline {
        for log in &mut self.logs {
            // A log that ends with its process: stopped, if it says so. A last line that is
            // merely the last does not say that the process died.
            if let (Some(stop), Some(last)) = (log.stop, log.last) {
                log.ends.push(ProcessEnd {
                    last,
                    told_to_stop: Some(stop),
                    restarted: None,
                });
            }
        }
        let outages = outages(&self.logs, &self.reports);
        self.end_with_process(&outages);
        for index in 0..self.reigns.len() {
            self.reigns[index].leader = self.peer(self.reigns[index].log);
        }
        let mut reigns: BTreeMap<u64, Vec<Reign>> = BTreeMap::new();
        for reign in std::mem::take(&mut self.reigns) {
            reigns.entry(reign.region).or_default().push(reign);
        }
        reigns.values_mut().for_each(|reigns| close_open(reigns));
        end_out_of_reach(&mut reigns, &outages);
        let missing = self.missing();
        let hopeless = self.hopeless(&reigns);
        let elections = self.take_elections();
        let restarts = restart::restarts(&self.logs, &elections, &self.pd_orders, &reigns);
        let evictions = restart::evictions(&self.pd_orders, &elections);
        let told = std::mem::take(&mut self.told);
        let told: BTreeMap<_, _> = told
            .into_iter()
            .map(|((log, kind), told)| ((self.peer(log), kind), told))
            .collect();
        let pd_leaders = self
            .pd_leaders
            .iter()
            .map(|&(log, at)| (self.peer(log), at))
            .collect();
        let mut timeline = Timeline {
            elections,
            reigns,
            pd_moves: std::mem::take(&mut self.pd_moves),
            told,
            outages,
            restarts,
            evictions,
            findings: Vec::new(),
            missing,
        };
        timeline.findings = finding::findings(
            &timeline,
            &self.thresholds,
            hopeless,
            pd_leaders,
            self.pd_ends(),
        );
        timeline
    }

    /// Ends the leaderships of processes that ended.
    fn end_with_process(&mut self, outages: &[Outage]) {
        for reign in &mut self.reigns {
            let log = &self.logs[reign.log];
            let Some(end) = log.ends.iter().find(|end| {
                reign.from <= end.last && (reign.until.is_none() || reign.until > Some(end.last))
            }) else {
                continue;
            };
            let end_kind = if end.told_to_stop.is_some() {
                ReignEnd::Stopped
            } else {
                ReignEnd::Died
            };
            let told = outages.iter().find(|outage| {
                Some(outage.store) == log.store
                    && outage.until == end.restarted
                    && matches!(outage.kind, OutageKind::Killed | OutageKind::Stopped)
            });
            reign.close(told.map_or(end.last, |outage| outage.from), end_kind);
        }
    }

    fn take_elections(&mut self) -> Vec<Election> {
        let mut previous: Option<(u64, Option<Peer>)> = None;
        let mut elections = Vec::with_capacity(self.elections.len());
        for ((region, _), gathering) in std::mem::take(&mut self.elections) {
            let mut election = gathering.election;
            election.kind = if gathering.forced {
                ElectionKind::Forced
            } else if gathering.transfer {
                ElectionKind::Transfer
            } else if gathering.birth {
                ElectionKind::Birth
            } else if gathering.pre_vote {
                ElectionKind::Timeout
            } else {
                ElectionKind::Unknown
            };
            election.starter = gathering.starter.map(|(log, peer)| (self.peer(log), peer));
            election.leader = gathering
                .winner
                .map(|(log, peer, at)| (self.peer(log), peer, at));
            election.previous = previous
                .take()
                .filter(|(of, _)| *of == region)
                .and_then(|(_, peer)| peer);
            let leader = election.leader.as_ref().map(|(peer, ..)| peer.clone());
            previous = Some((region, leader.or_else(|| election.previous.clone())));
            elections.push(election);
        }
        elections
    }

    /// Campaigns for one term, again and again, that came to nothing.
    fn hopeless(&self, reigns: &BTreeMap<u64, Vec<Reign>>) -> Vec<finding::Hopeless> {
        let mut found = Vec::new();
        for (&(region, term), gathering) in &self.elections {
            for (&log, &(tries, first, last)) in &gathering.campaigns {
                let won = gathering.winner.is_some_and(|(winner, ..)| winner == log);
                if tries < self.thresholds.hopeless_tries || won {
                    continue;
                }
                let middle = Stamp::utc(first.utc_ms + (last.utc_ms - first.utc_ms) / 2);
                let reigning = |reign: &&Reign| {
                    reign.log != log
                        && reign.from <= middle
                        && reign.until.is_none_or(|until| until > middle)
                };
                let leader = reigns
                    .get(&region)
                    .and_then(|all| all.iter().rev().find(reigning))
                    .map(|reign| reign.leader.clone());
                found.push(finding::Hopeless {
                    region,
                    term,
                    candidate: self.peer(log),
                    tries,
                    first,
                    last,
                    leader,
                });
            }
        }
        found
    }

    fn pd_ends(&self) -> Vec<(Peer, ProcessEnd)> {
        let pds = self.logs.iter().enumerate().filter(|(_, log)| log.is_pd);
        pds.flat_map(|(index, log)| log.ends.iter().map(move |end| (self.peer(index), *end)))
            .collect()
    }

    fn missing(&self) -> Vec<Missing> {
        let mut missing = BTreeSet::new();
        let known: BTreeSet<u64> = self.logs.iter().filter_map(|log| log.store).collect();
        let named = self.reports.iter().map(|report| report.store);
        let moved = self
            .pd_moves
            .iter()
            .flat_map(|one| [one.from, one.to])
            .flatten();
        missing.extend(
            named
                .chain(moved)
                .filter(|store| !known.contains(store))
                .map(Missing::StoreLog),
        );
        let nameless = self
            .logs
            .iter()
            .filter(|log| log.store.is_none() && !log.is_pd);
        missing.extend(nameless.map(|log| Missing::StoreId(log.name.to_string())));
        if !self.logs.iter().any(|log| log.is_pd) {
            missing.insert(Missing::PdLog);
        }
        let starts = self
            .elections
            .values()
            .filter(|gathering| gathering.election.started.is_none())
            .count();
        let mut first = BTreeMap::new();
        for (&(region, _), gathering) in &self.elections {
            first.entry(region).or_insert(gathering.birth);
        }
        let strangers = first.values().filter(|&&birth| !birth).count();
        for (count, what) in [
            (starts, Missing::Starts as fn(u64) -> Missing),
            (strangers, Missing::FirstLeaders),
        ] {
            missing.extend((count > 0).then(|| what(count as u64)));
        }
        missing.extend((self.timeless > 0).then_some(Missing::Times(self.timeless)));
        missing.into_iter().collect()
    }
}

/// A leader that hangs writes nothing: it leads until it is reported, if others then elect.
fn end_out_of_reach(reigns: &mut BTreeMap<u64, Vec<Reign>>, outages: &[Outage]) {
    for reign in reigns.values_mut().flatten() {
        let hung = outages.iter().find(|outage| {
            matches!(
                outage.kind,
                OutageKind::Hung | OutageKind::Unknown | OutageKind::CutOff
            ) && Some(outage.store) == reign.leader.store
                && reign.from <= outage.from
                && reign.until.is_some_and(|until| {
                    outage.from < until && outage.until.is_none_or(|back| until <= back)
                })
        });
        if let Some(outage) = hung.filter(|_| {
            reign.end == Some(ReignEnd::Replaced) || reign.end == Some(ReignEnd::Followed)
        }) {
            reign.until = Some(outage.from);
            reign.end = Some(ReignEnd::OutOfReach);
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
