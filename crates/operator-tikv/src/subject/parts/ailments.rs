//! How many regions ail.

use std::time::Duration;

use operator_core::{Ailment, Due, Gap, Measured, Part, Reading, Regions, Result};

use super::TikvSubject;
use crate::facts::{Ailments, HowMany};

/// PD goes through all its regions for each of these lists.
const LISTS: Duration = Duration::from_secs(60);
/// So many are counted: more of them tell nobody more.
const MOST: usize = 1000;

impl TikvSubject {
    pub(super) fn ailments_part(&self) -> Part<'_> {
        Part::new("ailments", |_: Due<_>| self.ailments())
            .every(LISTS)
            .from_source("PD /regions/check")
    }

    async fn ailments(&self) -> Result<Ailments> {
        Ok(Ailments {
            missing_peer: self.listed(Ailment::MissingPeer, "miss-peer").await?,
            down_peer: self.listed(Ailment::DownPeer, "down-peer").await?,
            pending_peer: self.listed(Ailment::PendingPeer, "pending-peer").await?,
        })
    }

    async fn listed(&self, ailment: Ailment, word: &'static str) -> Result<Reading<HowMany>> {
        let list = self.pd.ailing(ailment, MOST).await?;
        if let Some(gap) = list.gaps.first() {
            return Ok(Reading::Blind(Gap::new(word, gap.why().clone())));
        }
        let many = HowMany {
            counted: list.items.len() as u64,
            exactly: list.next.is_none(),
        };
        let source = format!("PD /regions/check/{word}");
        Ok(Reading::Seen(Measured::new(many, self.pd.now(), source)))
    }
}
