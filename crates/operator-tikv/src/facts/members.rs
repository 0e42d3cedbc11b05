//! PD's own members, and what they say of the cluster as a whole.

use operator_core::{Entity, Listing, Timestamp};

/// One member of PD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PdMember {
    /// Its name, unique among members.
    pub name: String,
    /// Its identity: a number beyond 2^53.
    pub id: u64,
    /// Where it tells clients to reach it; from outside its network they may not.
    pub client_urls: Vec<String>,
    /// Where it tells other members to reach it.
    pub peer_urls: Vec<String>,
    /// The version it runs, without a leading `v`.
    pub version: Option<String>,
    /// How much it wants to lead; zero where nobody has said.
    pub leader_priority: i64,
}

impl PdMember {
    /// The entity that verdicts about this member name.
    pub fn entity(&self) -> Entity {
        Entity::named("pd", self.name.as_str())
    }
}

/// The members of PD, and who leads them.
#[derive(Debug, Clone, PartialEq)]
pub struct PdMembers {
    /// The cluster that they are of.
    pub cluster_id: u64,
    /// All of them.
    pub members: Listing<PdMember>,
    /// Who leads; nobody does between the loss of one leader and the election of the next.
    pub leader: Option<PdMember>,
    /// Who leads the store beneath PD. For moments it is somebody else.
    pub etcd_leader: Option<PdMember>,
    /// What time it was for whoever answered.
    pub server_time: Option<Timestamp>,
}

/// How one member found another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PdHealth {
    /// The member's name.
    pub name: String,
    /// Its identity.
    pub id: u64,
    /// Whether it answered when the member that was asked called it. One that hangs in part still may.
    pub healthy: bool,
}

impl PdHealth {
    /// The entity that verdicts about this member name.
    pub fn entity(&self) -> Entity {
        Entity::named("pd", self.name.as_str())
    }
}

/// How far the cluster has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterStatus {
    /// When it was made; none while it has not been.
    pub bootstrapped_at: Option<Timestamp>,
    /// Whether it has more than one region, or all replicas of the first.
    pub initialized: bool,
}
