//! Puts together what was gathered.

use std::collections::{BTreeMap, BTreeSet};

use super::super::stamp::Stamp;
use super::builder::TimelineBuilder;
use super::election::{Election, ElectionKind, Server};
use super::finding::Hopeless;
use super::log::ProcessEnd;
use super::outage::{Outage, OutageKind, outages};
use super::reign::{Reign, ReignEnd, close_open};
use super::{Missing, Timeline, findings, restart};

impl TimelineBuilder {
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
        timeline.findings = findings::findings(
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
            // One that died and never came back is known from the others alone.
            let dead = outages.iter().find(|outage| {
                outage.kind == OutageKind::Killed
                    && outage.until.is_none()
                    && Some(outage.store) == log.store
                    && reign.from <= outage.from
            });
            if let Some(dead) = dead {
                reign.close(dead.from, ReignEnd::Died);
            }
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
        let mut previous: Option<(u64, Option<Server>)> = None;
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
    fn hopeless(&self, reigns: &BTreeMap<u64, Vec<Reign>>) -> Vec<Hopeless> {
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
                found.push(Hopeless {
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

    fn pd_ends(&self) -> Vec<(Server, ProcessEnd)> {
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
