//! Whether PD has a leader, remembered from look to look.

use std::time::Duration;

use operator_core::{Due, Result};

use super::TikvSubject;
use crate::facts::PdLeadership;
use crate::says_no_leader;

/// Nobody was seen to lead for so long: whoever leads now may have lost and won in between.
const OUT_OF_SIGHT: Duration = Duration::from_secs(30);

impl TikvSubject {
    pub(super) async fn leadership(&self, due: Due<PdLeadership>) -> Result<PdLeadership> {
        let (named, stores) =
            futures_util::future::join(self.pd.leader(), self.shared_stores()).await;
        // A leader that died is named until its lease ends, and nobody gets through to it.
        let unreachable = stores.err().filter(says_no_leader);
        let (leader, told) = match named {
            Ok(None) => (None, Some("no leader is named".to_owned())),
            Ok(leader) => match unreachable {
                None => (leader, None),
                Some(error) => (None, Some(format!("{error:#}"))),
            },
            Err(error) if says_no_leader(&error) => (None, Some(format!("{error:#}"))),
            Err(error) => return Err(error),
        };
        let changed_at = match &due.last {
            None => None,
            Some(last) => {
                let same = last.value.leader.as_ref().map(|leader| leader.id)
                    == leader.as_ref().map(|leader| leader.id);
                let in_sight = due.at.since(last.sampled_at) < OUT_OF_SIGHT;
                match same && in_sight {
                    true => last.value.changed_at,
                    false => Some(due.at),
                }
            }
        };
        Ok(PdLeadership {
            leader,
            told,
            changed_at,
        })
    }
}
