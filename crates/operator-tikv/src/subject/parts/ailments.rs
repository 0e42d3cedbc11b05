//! How many regions ail: as PD's leader exports it where somebody scrapes that, else by PD's lists.

use std::time::Duration;

use futures_util::future::join3;
use operator_core::{
    Ailment, Due, Error, Gap, Measured, Part, Reading, Regions, Result, Timestamp, Why, within,
};

use super::TikvSubject;
use crate::RegionHealth;
use crate::facts::{Ailments, HowMany};

/// PD goes through all its regions for each of its lists: they are read no more often than this.
const LISTS: Duration = Duration::from_secs(60);
/// So many are counted: more of them tell nobody more.
const MOST: usize = 1000;

/// One of PD's lists, and what is kept of it.
struct List {
    ailment: Ailment,
    path: &'static str,
    of: fn(&Ailments) -> &Reading<HowMany>,
}

const MISSING: List = List {
    ailment: Ailment::MissingPeer,
    path: "PD /regions/check/miss-peer",
    of: |ailments| &ailments.missing_peer,
};
const DOWN: List = List {
    ailment: Ailment::DownPeer,
    path: "PD /regions/check/down-peer",
    of: |ailments| &ailments.down_peer,
};
const PENDING: List = List {
    ailment: Ailment::PendingPeer,
    path: "PD /regions/check/pending-peer",
    of: |ailments| &ailments.pending_peer,
};

impl TikvSubject {
    pub(super) fn ailments_part(&self) -> Part<'_> {
        Part::new("ailments", |due| self.ailments(due))
            .from_source("Prometheus, else PD /regions/check")
    }

    /// Counts cost next to nothing and are whole. Lists are read where there are none.
    async fn ailments(&self, due: Due<Ailments>) -> Result<Ailments> {
        let health = match self.measuring("count regions") {
            Ok(prometheus) => {
                // Then the lists are read in its place, for which there must be time.
                let counts = prometheus.patience() / 2;
                let health = within(counts, prometheus.region_health()).await;
                health.and_then(Result::ok)
            }
            Err(_) => None,
        };
        let counted = |of: fn(&RegionHealth) -> &Reading<u64>| {
            let count = of(health.as_ref()?).measured().ok()??;
            Some(Reading::Seen(count.map(|counted| HowMany {
                counted: *counted,
                exactly: true,
            })))
        };
        let missing = counted(|health| &health.miss_peer_count);
        let down = counted(|health| &health.down_peer_count);
        let pending = counted(|health| &health.pending_peer_count);
        let (missing_peer, down_peer, pending_peer) = join3(
            self.or_listed(missing, &due, MISSING),
            self.or_listed(down, &due, DOWN),
            self.or_listed(pending, &due, PENDING),
        )
        .await;
        // Where nothing was counted and nothing listed, nothing was read.
        if let [Some(Why::Failed(error)), Some(_), Some(_)] =
            [&missing_peer, &down_peer, &pending_peer].map(|reading| reading.gap().map(Gap::why))
        {
            return Err(Error::clone(error));
        }
        Ok(Ailments {
            missing_peer,
            down_peer,
            pending_peer,
        })
    }

    /// What was counted, else what was listed not long ago, else what is listed now.
    async fn or_listed(
        &self,
        counted: Option<Reading<HowMany>>,
        due: &Due<Ailments>,
        list: List,
    ) -> Reading<HowMany> {
        if let Some(counted) = counted {
            return counted;
        }
        let last = due.last.as_ref().map(|last| (list.of)(&last.value));
        match last.filter(|last| stands(last, due.at, list.path)) {
            Some(last) => last.clone(),
            None => self.listed(list).await,
        }
    }

    async fn listed(&self, List { ailment, path, .. }: List) -> Reading<HowMany> {
        let list = match self.pd.ailing(ailment, MOST).await {
            Ok(list) => list,
            Err(error) => return Reading::Blind(Gap::new(path, error.into())),
        };
        // A region that cannot be made out is one more; where there is nothing else, nobody can tell.
        match list.gaps.first() {
            Some(gap) if list.items.is_empty() => {
                return Reading::Blind(Gap::new(path, gap.why().clone()));
            }
            _ => {}
        }
        let many = HowMany {
            counted: list.items.len() as u64,
            exactly: list.next.is_none() && list.gaps.is_empty(),
        };
        Reading::Seen(Measured::new(many, self.pd.now(), path))
    }
}

/// Whether a list that was read earlier is young enough to be used once more.
fn stands(last: &Reading<HowMany>, at: Timestamp, path: &str) -> bool {
    let last = last.measured().ok().flatten();
    last.is_some_and(|last| last.source.as_str() == path && at.since(last.sampled_at) < LISTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_stands_for_a_minute_and_a_count_is_no_list() {
        let at = Timestamp::from_unix_seconds(1000);
        let reading = |ago: i64, source: &'static str| {
            let many = HowMany {
                counted: 1,
                exactly: true,
            };
            let read = Timestamp::from_unix_seconds(1000 - ago);
            Reading::Seen(Measured::new(many, read, source))
        };
        assert!(stands(&reading(59, DOWN.path), at, DOWN.path));
        assert!(!stands(&reading(60, DOWN.path), at, DOWN.path));
        assert!(!stands(&reading(5, "pd_regions_status"), at, DOWN.path));
        let blind = Reading::Blind(Gap::new("it", operator_core::Why::Unsaid));
        assert!(!stands(&blind, at, DOWN.path));
    }
}
