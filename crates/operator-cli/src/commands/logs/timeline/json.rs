//! The story for programs.

use std::collections::BTreeMap;

use operator_tikv::log_parser::{
    Election, EventKind, Finding, Hopeless, Outage, Reign, Rejection, Restart, Server, Stamp,
};
use serde::Serialize;

use super::Story;
use super::gaps::{NoLeader, gaps};
use super::page::kind;
use super::weight::{self, Weight};
use super::words::words;
use crate::commands::logs::account::Account;
use crate::report::SCHEMA;

#[derive(Debug, Serialize)]
pub(super) struct Whole {
    schema: &'static str,
    logs: Vec<LogOf>,
    from: Option<String>,
    until: Option<String>,
    window: WindowOf,
    findings: Vec<FindingOf>,
    elections: Vec<ElectionOf>,
    gaps: Vec<GapOf>,
    leaders: Vec<ReignOf>,
    missing: Vec<String>,
    read: Account,
}

#[derive(Debug, Serialize)]
struct LogOf {
    log: String,
    store_id: Option<u64>,
    files: Vec<String>,
}

#[derive(Debug, Serialize)]
struct WindowOf {
    since: Option<String>,
    until: Option<String>,
}

impl Whole {
    pub(super) fn of(story: &Story) -> Self {
        let limit = story.limit.unwrap_or(usize::MAX);
        let timeline = &story.read.timeline;
        let elections = timeline.elections().iter();
        let elections = elections.filter(|election| {
            let won = election
                .leader
                .as_ref()
                .map_or(election.first_seen, |(.., at)| *at);
            story.is_about(election.region) && story.is_within(election.first_seen, Some(won))
        });
        let reigns = timeline.regions().filter(|region| story.is_about(*region));
        let reigns = reigns
            .flat_map(|region| timeline.reigns_of(region))
            .filter(|reign| story.is_within(reign.from, reign.until));
        let findings = story.weightiest(limit);
        let gaps = gaps(story);
        Self {
            schema: SCHEMA,
            logs: story
                .logs
                .iter()
                .map(|log| LogOf {
                    log: log.name.to_string(),
                    store_id: log.store,
                    files: log
                        .files
                        .iter()
                        .map(|file| file.display().to_string())
                        .collect(),
                })
                .collect(),
            from: story.read.span.map(|(first, _)| first.to_string()),
            until: story.read.span.map(|(_, last)| last.to_string()),
            window: WindowOf {
                since: text(story.window.from),
                until: text(story.window.until),
            },
            findings: findings.into_iter().map(FindingOf::of).collect(),
            elections: elections.take(limit).map(ElectionOf::of).collect(),
            gaps: gaps.iter().take(limit).map(GapOf::of).collect(),
            leaders: reigns.take(limit).map(ReignOf::of).collect(),
            missing: timeline.missing().iter().map(ToString::to_string).collect(),
            read: Account::of(&story.read.tally, &story.read.failed),
        }
    }
}

fn text(time: Option<Stamp>) -> Option<String> {
    time.map(|time| time.to_string())
}

#[derive(Debug, Serialize)]
struct ServerOf {
    store_id: Option<u64>,
    log: String,
}

impl ServerOf {
    fn of(server: &Server) -> Self {
        Self {
            store_id: server.store,
            log: server.log.to_string(),
        }
    }
}

#[derive(Debug, Serialize)]
struct FindingOf {
    at: String,
    until: Option<String>,
    finding: &'static str,
    weight: &'static str,
    text: String,
    #[serde(flatten)]
    numbers: Numbers,
}

/// What a finding is about; each has some of these.
#[derive(Debug, Default, Serialize)]
struct Numbers {
    #[serde(skip_serializing_if = "Option::is_none")]
    store_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<ServerOf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    how: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    witnesses: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    regions: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    elections: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leaders_moved: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    told_to_stop: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    restarts: Vec<RestartOf>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<CandidateOf>,
}

impl FindingOf {
    fn of(finding: &Finding) -> Self {
        let (at, until) = weight::lasts(finding);
        Self {
            at: at.to_string(),
            until: text(until),
            finding: weight::name(finding),
            weight: Weight::of(finding).as_str(),
            text: words(finding),
            numbers: Numbers::of(finding),
        }
    }
}

impl Numbers {
    fn of(finding: &Finding) -> Self {
        match finding {
            Finding::StoreLost(outage) => Self::of_outage(outage),
            Finding::Storm(storm) => Self {
                server: storm.lost.as_ref().map(ServerOf::of),
                how: storm.outage.as_ref().map(|outage| outage.kind.to_string()),
                regions: Some(storm.regions),
                elections: Some(storm.elections),
                ..Self::default()
            },
            Finding::Evicted(eviction) => Self {
                store_id: Some(eviction.store),
                leaders_moved: Some(eviction.moved),
                ..Self::default()
            },
            Finding::Restarted(restart) => Self {
                store_id: Some(restart.store),
                restarts: vec![RestartOf::of(restart)],
                ..Self::default()
            },
            Finding::RollingRestart { restarts } => Self {
                restarts: restarts.iter().map(RestartOf::of).collect(),
                ..Self::default()
            },
            Finding::CutOff {
                candidate,
                candidates,
            }
            | Finding::NoQuorum {
                candidate,
                candidates,
            } => Self {
                server: Some(ServerOf::of(candidate)),
                regions: Some(candidates.len()),
                candidates: candidates.iter().map(CandidateOf::of).collect(),
                ..Self::default()
            },
            Finding::Flapping(flapping) => Self {
                region_id: Some(flapping.region),
                elections: Some(flapping.elections),
                ..Self::default()
            },
            Finding::Births { regions, .. } => Self {
                regions: Some(*regions),
                ..Self::default()
            },
            Finding::Told {
                log, kind, lines, ..
            } => Self::of_told(log, *kind, *lines),
            Finding::PdLeads { member, .. } => Self {
                server: Some(ServerOf::of(member)),
                ..Self::default()
            },
            Finding::PdGone {
                member,
                told_to_stop,
                ..
            } => Self {
                server: Some(ServerOf::of(member)),
                told_to_stop: Some(*told_to_stop),
                ..Self::default()
            },
            _ => Self::default(),
        }
    }

    fn of_outage(outage: &Outage) -> Self {
        Self {
            store_id: Some(outage.store),
            how: Some(outage.kind.to_string()),
            witnesses: Some(outage.witnesses),
            ..Self::default()
        }
    }

    fn of_told(log: &Server, kind: EventKind, lines: u64) -> Self {
        Self {
            server: Some(ServerOf::of(log)),
            event: Some(kind.as_str()),
            lines: Some(lines),
            ..Self::default()
        }
    }
}

#[derive(Debug, Serialize)]
struct RestartOf {
    store_id: u64,
    stopped: String,
    started: String,
    leaders_moved_before: u64,
    leaders_at_stop: u64,
    timeouts: u64,
    good: bool,
}

impl RestartOf {
    fn of(restart: &Restart) -> Self {
        Self {
            store_id: restart.store,
            stopped: restart.stopped.to_string(),
            started: restart.started.to_string(),
            leaders_moved_before: restart.evicted,
            leaders_at_stop: restart.led_at_stop,
            timeouts: restart.timeouts,
            good: restart.is_good(),
        }
    }
}

#[derive(Debug, Serialize)]
struct CandidateOf {
    region_id: u64,
    term: u64,
    tries: u32,
    first: String,
    last: String,
    leader: Option<ServerOf>,
}

impl CandidateOf {
    fn of(hopeless: &Hopeless) -> Self {
        Self {
            region_id: hopeless.region,
            term: hopeless.term,
            tries: hopeless.tries,
            first: hopeless.first.to_string(),
            last: hopeless.last.to_string(),
            leader: hopeless.leader.as_ref().map(ServerOf::of),
        }
    }
}

#[derive(Debug, Serialize)]
struct ElectionOf {
    region_id: u64,
    term: u64,
    why: &'static str,
    first_seen: String,
    started: Option<String>,
    won: Option<String>,
    took_ms: Option<u64>,
    leader: Option<ServerOf>,
    leader_peer_id: Option<u64>,
    starter: Option<ServerOf>,
    before: Option<ServerOf>,
    tries: u32,
    votes: u32,
    rejections: BTreeMap<&'static str, u32>,
}

impl ElectionOf {
    fn of(election: &Election) -> Self {
        let rejections = election.rejections.iter().map(|(reason, count)| {
            let word = match reason {
                Rejection::LeaseNotExpired => "lease_not_expired",
                Rejection::LogBehindOrVoted => "log_behind_or_voted",
                Rejection::PendingConfChange => "pending_conf_change",
            };
            (word, *count)
        });
        let leader = election.leader.as_ref();
        Self {
            region_id: election.region,
            term: election.term,
            why: kind(election.kind),
            first_seen: election.first_seen.to_string(),
            started: text(election.started),
            won: leader.map(|(.., at)| at.to_string()),
            took_ms: election.took_ms(),
            leader: leader.map(|(server, ..)| ServerOf::of(server)),
            leader_peer_id: leader.and_then(|(_, peer, _)| *peer),
            starter: election
                .starter
                .as_ref()
                .map(|(server, _)| ServerOf::of(server)),
            before: election.previous.as_ref().map(ServerOf::of),
            tries: election.tries,
            votes: election.votes,
            rejections: rejections.collect(),
        }
    }
}

#[derive(Debug, Serialize)]
struct GapOf {
    region_id: u64,
    from: String,
    until: Option<String>,
    ms: i64,
    before: ServerOf,
    after: Option<ServerOf>,
}

impl GapOf {
    fn of(gap: &NoLeader<'_>) -> Self {
        Self {
            region_id: gap.region,
            from: gap.from.to_string(),
            until: text(gap.until),
            ms: gap.ms(),
            before: ServerOf::of(gap.before),
            after: gap.after.map(ServerOf::of),
        }
    }
}

#[derive(Debug, Serialize)]
struct ReignOf {
    region_id: u64,
    term: u64,
    leader: ServerOf,
    peer_id: Option<u64>,
    from: String,
    until: Option<String>,
    end: Option<&'static str>,
}

impl ReignOf {
    fn of(reign: &Reign) -> Self {
        use operator_tikv::log_parser::ReignEnd as E;
        Self {
            region_id: reign.region,
            term: reign.term,
            leader: ServerOf::of(&reign.leader),
            peer_id: reign.peer,
            from: reign.from.to_string(),
            until: text(reign.until),
            end: reign.end.map(|end| match end {
                E::Followed => "followed",
                E::SteppedDown => "stepped_down",
                E::Died => "died",
                E::Stopped => "stopped",
                E::OutOfReach => "out_of_reach",
                E::Replaced => "replaced",
            }),
        }
    }
}
