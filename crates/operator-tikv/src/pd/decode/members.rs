//! `/cluster`, `/members`, `/leader`, `/health`, `/cluster/status`, `/version`.

use operator_core::{Entity, Fault, Gap, Listing};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{json, listing, or_empty};
use crate::facts::{ClusterStatus, PdHealth, PdMember, PdMembers};
use crate::pd::units;

#[derive(Deserialize)]
struct WireMembers<'a> {
    header: WireHeader,
    #[serde(borrow, default, deserialize_with = "or_empty")]
    members: Vec<&'a RawValue>,
    leader: Option<WireMember>,
    etcd_leader: Option<WireMember>,
}

#[derive(Deserialize)]
struct WireHeader {
    cluster_id: u64,
}

/// Everything but the name may be absent: Go leaves zeros and empty lists out.
#[derive(Deserialize)]
struct WireMember {
    name: String,
    #[serde(default)]
    member_id: u64,
    #[serde(default, deserialize_with = "or_empty")]
    client_urls: Vec<String>,
    #[serde(default, deserialize_with = "or_empty")]
    peer_urls: Vec<String>,
    binary_version: Option<String>,
    #[serde(default)]
    leader_priority: i64,
}

impl From<WireMember> for PdMember {
    fn from(wire: WireMember) -> Self {
        Self {
            name: wire.name,
            id: wire.member_id,
            client_urls: wire.client_urls,
            peer_urls: wire.peer_urls,
            version: wire.binary_version.as_deref().and_then(stamped),
            leader_priority: wire.leader_priority,
        }
    }
}

/// The members of PD, and which cluster they are of.
pub(crate) fn members(body: &[u8]) -> Result<PdMembers, Fault> {
    let wire: WireMembers<'_> = json(body, "the members of PD")?;
    let named = |member: WireMember| (!member.name.is_empty()).then(|| member.into());
    Ok(PdMembers {
        cluster_id: wire.header.cluster_id,
        members: listing(&wire.members, "member", name, |wire: WireMember, _| {
            Some(wire.into())
        })?,
        leader: wire.leader.and_then(named),
        etcd_leader: wire.etcd_leader.and_then(named),
        server_time: None,
    })
}

/// Which cluster a member is of.
pub(crate) fn cluster_id(body: &[u8]) -> Result<u64, Fault> {
    #[derive(Deserialize)]
    struct Wire {
        id: u64,
    }
    let wire: Wire = json(body, "a cluster id")?;
    Ok(wire.id)
}

/// Who leads; `null` is nobody.
pub(crate) fn leader(body: &[u8]) -> Result<Option<PdMember>, Fault> {
    let wire: Option<WireMember> = json(body, "a member of PD")?;
    Ok(wire
        .filter(|member| !member.name.is_empty())
        .map(Into::into))
}

/// How one member found the others.
pub(crate) fn health(body: &[u8]) -> Result<Listing<PdHealth>, Fault> {
    #[derive(Deserialize)]
    struct Wire {
        name: String,
        #[serde(default)]
        member_id: u64,
        health: bool,
    }
    let wire: Option<Vec<&RawValue>> = json(body, "a list of members with their health")?;
    let health = |wire: Wire, _: &mut Vec<Gap>| {
        Some(PdHealth {
            name: wire.name,
            id: wire.member_id,
            healthy: wire.health,
        })
    };
    listing(&wire.unwrap_or_default(), "member", name, health)
}

fn name(item: &RawValue) -> Option<Entity> {
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    let Named { name } = serde_json::from_str(item.get()).ok()?;
    Some(Entity::named("pd", name))
}

/// How far the cluster has come.
pub(crate) fn cluster_status(body: &[u8]) -> Result<ClusterStatus, Fault> {
    #[derive(Deserialize)]
    struct Wire {
        raft_bootstrap_time: Option<String>,
        is_initialized: bool,
    }
    let wire: Wire = json(body, "the status of the cluster")?;
    let at = wire.raft_bootstrap_time;
    Ok(ClusterStatus {
        bootstrapped_at: at.as_deref().and_then(units::rfc3339),
        initialized: wire.is_initialized,
    })
}

/// The version that whoever answered runs.
pub(crate) fn version(body: &[u8]) -> Result<Option<String>, Fault> {
    #[derive(Deserialize)]
    struct Wire {
        version: String,
    }
    let wire: Wire = json(body, "an object with `version`")?;
    Ok(stamped(&wire.version))
}

/// A version without its `v`. A server that was built without a stamp says `None`.
fn stamped(version: &str) -> Option<String> {
    let version = version.strip_prefix('v').unwrap_or(version);
    (!matches!(version, "" | "None")).then(|| version.to_owned())
}
