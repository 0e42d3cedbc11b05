//! Stretches in which regions had no leader.

use operator_tikv::log_parser::{Reign, Server, Stamp};

use super::Story;

/// A region without a leader between two that it had.
#[derive(Debug, Clone)]
pub(super) struct NoLeader<'a> {
    pub(super) region: u64,
    pub(super) from: Stamp,
    pub(super) until: Stamp,
    pub(super) before: &'a Server,
    pub(super) after: &'a Server,
}

impl NoLeader<'_> {
    pub(super) fn ms(&self) -> i64 {
        self.until.utc_ms - self.from.utc_ms
    }
}

/// A handover is no gap: shorter stretches than this are the rule.
const HANDOVER_MS: i64 = 1_000;

/// All that touch the window, the longest first.
pub(super) fn gaps(story: &Story) -> Vec<NoLeader<'_>> {
    let timeline = &story.read.timeline;
    let mut found: Vec<NoLeader<'_>> = timeline
        .regions()
        .filter(|region| story.is_about(*region))
        .flat_map(|region| between(timeline.reigns_of(region)))
        .filter(|gap| gap.ms() >= HANDOVER_MS && story.is_within(gap.from, Some(gap.until)))
        .collect();
    found.sort_by_key(|gap| (std::cmp::Reverse(gap.ms()), gap.from, gap.region));
    found
}

fn between(reigns: &[Reign]) -> impl Iterator<Item = NoLeader<'_>> {
    reigns
        .iter()
        .zip(reigns.iter().skip(1))
        .filter_map(|(before, after)| {
            let from = before.until?;
            (from < after.from).then_some(NoLeader {
                region: before.region,
                from,
                until: after.from,
                before: &before.leader,
                after: &after.leader,
            })
        })
}
