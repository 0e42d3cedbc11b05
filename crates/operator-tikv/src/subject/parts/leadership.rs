//! Whether PD has a leader, remembered from look to look.

use std::time::Duration;

use operator_core::{Due, Result, within};

use super::TikvSubject;
use crate::facts::PdLeadership;
use crate::says_no_leader;

/// Nobody was seen to lead for so long: whoever leads now may have lost and won in between.
const OUT_OF_SIGHT: Duration = Duration::from_secs(30);

impl TikvSubject {
    pub(super) async fn leadership(&self, due: Due<PdLeadership>) -> Result<PdLeadership> {
        // A leader that answers does so within this time, also through a member that was asked second.
        let through = self.pd.patience() * 5 / 4;
        let stores = within(through, self.shared_stores());
        let (named, stores) = futures_util::future::join(self.pd.leader(), stores).await;
        // What takes too long says nothing about who leads.
        let somebody_leads = matches!(stores, Some(Ok(_)));
        // A leader that died is named until its lease ends, and nobody gets through to it.
        let unreachable = stores.and_then(Result::err).filter(says_no_leader);
        let last = || due.last.as_ref().and_then(|last| last.value.leader.clone());
        let (leader, told) = match named {
            // Only through a leader are stores read: whoever names none is cut off from it.
            Ok(None) if somebody_leads && last().is_some() => (last(), None),
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
