//! Stretches in which regions had no leader.

use operator_tikv::log_parser::{Missing, Reign, ReignEnd, Server, Stamp};

use super::Story;

/// A region without a leader.
#[derive(Debug, Clone)]
pub(super) struct NoLeader<'a> {
    pub(super) region: u64,
    pub(super) from: Stamp,
    /// None where it had none when the logs end.
    pub(super) until: Option<Stamp>,
    pub(super) before: &'a Server,
    pub(super) after: Option<&'a Server>,
    lasts_ms: i64,
}

impl NoLeader<'_> {
    /// How long, as far as the logs reach.
    pub(super) fn ms(&self) -> i64 {
        self.lasts_ms
    }
}

/// A handover is no gap: shorter stretches than this are the rule.
const HANDOVER_MS: i64 = 1_000;
/// An election takes so long: before that, a region whose leader went is no news.
const ELECTION_MS: i64 = 30_000;

/// All that touch the window, the longest first.
pub(super) fn gaps(story: &Story) -> Vec<NoLeader<'_>> {
    let timeline = &story.read.timeline;
    let end = story
        .read
        .span
        .map(|(_, last)| last)
        .filter(|_| is_whole(story));
    let mut found: Vec<NoLeader<'_>> = timeline
        .regions()
        .filter(|region| story.is_about(*region))
        .flat_map(|region| {
            let reigns = timeline.reigns_of(region);
            between(reigns).chain(end.and_then(|end| behind(reigns, end)))
        })
        .filter(|gap| gap.ms() >= HANDOVER_MS && story.is_within(gap.from, gap.until))
        .collect();
    found.sort_by_key(|gap| (std::cmp::Reverse(gap.ms()), gap.from, gap.region));
    found
}

/// Whether every store's log was read: else a leader may be in one that was not.
fn is_whole(story: &Story) -> bool {
    let lacks = |missing: &Missing| matches!(missing, Missing::StoreLog(_) | Missing::StoreId(_));
    story.read.failed.is_empty() && !story.read.timeline.missing().iter().any(lacks)
}

fn between(reigns: &[Reign]) -> impl Iterator<Item = NoLeader<'_>> {
    let pairs = reigns.iter().zip(reigns.iter().skip(1));
    pairs.filter_map(|(before, after)| {
        let from = before.until?;
        (from < after.from).then_some(NoLeader {
            region: before.region,
            from,
            until: Some(after.from),
            before: &before.leader,
            after: Some(&after.leader),
            lasts_ms: after.from.utc_ms - from.utc_ms,
        })
    })
}

/// The last leader went, and the logs go on for long without another.
fn behind(reigns: &[Reign], end: Stamp) -> Option<NoLeader<'_>> {
    let last = reigns.last()?;
    let from = last.until?;
    let lasts_ms = end.utc_ms - from.utc_ms;
    // One that followed another term has a leader somewhere.
    let went = !matches!(last.end, Some(ReignEnd::Followed | ReignEnd::Replaced));
    (went && lasts_ms >= ELECTION_MS).then_some(NoLeader {
        region: last.region,
        from,
        until: None,
        before: &last.leader,
        after: None,
        lasts_ms,
    })
}
