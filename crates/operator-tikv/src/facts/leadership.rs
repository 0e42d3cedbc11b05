//! Whether PD has a leader, and how long ago that changed.

use std::time::Duration;

use operator_core::{Gap, Timestamp, Why};

use super::PdMember;

/// Whether PD's members have a leader, and since when it is this one.
#[derive(Debug, Clone, PartialEq)]
pub struct PdLeadership {
    /// Who leads; `None` where members answer and none leads them.
    pub leader: Option<PdMember>,
    /// What members said where none leads.
    pub told: Option<String>,
    /// When it was last seen that the leader changed. A change before the first look
    /// is not known of.
    pub changed_at: Option<Timestamp>,
}

impl PdLeadership {
    /// For so long after a change of leaders counts are low, and schedulers may not be there yet.
    pub const SETTLES_WITHIN: Duration = Duration::from_secs(100);

    /// Whether what the leader counts can be believed when it says that all is well: nothing where it can.
    ///
    /// # Errors
    /// The gap, while the leader is too young, or there is none.
    pub fn settled(&self, at: Timestamp) -> Result<(), Gap> {
        let because = match (&self.leader, self.changed_at) {
            (None, _) => "no member leads PD".into(),
            (Some(_), Some(changed)) if at.since(changed) < Self::SETTLES_WITHIN => {
                let ago = at.since(changed).as_secs();
                format!("PD's leader changed {ago} s ago: it has not counted everything yet")
            }
            _ => return Ok(()),
        };
        let why = Why::Distrusted {
            because: because.into(),
        };
        Err(Gap::new("what PD counts", why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_young_leader_has_not_counted_everything() {
        let member = PdMember {
            name: "pd-0".into(),
            id: 1,
            client_urls: Vec::new(),
            peer_urls: Vec::new(),
            version: None,
            leader_priority: 0,
        };
        let since = |changed_at, leader| PdLeadership {
            leader,
            told: None,
            changed_at,
        };
        let at = Timestamp::from_unix_seconds(1000);
        let ago = |seconds: i64| Some(Timestamp::from_unix_seconds(1000 - seconds));
        let member = Some(member);
        assert!(since(ago(99), member.clone()).settled(at).is_err());
        assert!(since(ago(100), member.clone()).settled(at).is_ok());
        assert!(since(None, member).settled(at).is_ok());
        assert!(since(None, None).settled(at).is_err());
    }
}
