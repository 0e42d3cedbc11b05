//! Splits and merges, as the peers' stores and PD write them.

use crate::cluster::event::{PeerRef, RegionRef};

use super::Lines;
use super::line::info;
use super::raft::{Round, campaign, deregister};
use super::stores::Born;

/// Terms and log of a region at its birth (`RAFT_INIT_LOG_TERM`, `RAFT_INIT_LOG_INDEX`).
const INIT_TERM: u32 = 5;
const INIT_INDEX: u64 = 5;

/// A region in TiKV's words.
fn said(region: &RegionRef) -> String {
    let key = |name: &str, key: &str| match key {
        "" => String::new(),
        key => format!(" {name}: {key}"),
    };
    format!(
        "id: {}{}{} region_epoch {{ conf_ver: {} version: {} }}{}",
        region.region,
        key("start_key", &region.start_key),
        key("end_key", &region.end_key),
        region.conf_ver,
        region.version,
        peers(region, |peer| format!(" peers {{ {} }}", named(peer)))
    )
}

/// The same in PD's.
fn said_by_pd(region: &RegionRef) -> String {
    let key = |name: &str, key: &str| match key {
        "" => String::new(),
        key => format!(" {name}:\"{key}\""),
    };
    format!(
        "id:{}{}{} region_epoch:<conf_ver:{} version:{} >{}",
        region.region,
        key("start_key", &region.start_key),
        key("end_key", &region.end_key),
        region.conf_ver,
        region.version,
        peers(region, |peer| format!(
            " peers:<id:{} store_id:{} >",
            peer.peer, peer.store
        ))
    )
}

fn named(peer: PeerRef) -> String {
    format!("id: {} store_id: {}", peer.peer, peer.store)
}

fn peers(region: &RegionRef, say: impl Fn(PeerRef) -> String) -> String {
    region.peers.iter().map(|peer| say(*peer)).collect()
}

/// A region is split: its leader asks PD for ids, every peer carries it out, and the new region elects its first
/// leader where the old one is led.
pub(super) fn split(lines: &mut Lines<'_>, parent: &RegionRef, born: &RegionRef) {
    let (region, leader) = (parent.region, parent.leader);
    let own = |line: super::line::Line, peer: PeerRef, thread: u64| {
        line.with("peer_id", peer.peer)
            .with("region_id", region)
            .with("thread_id", thread)
    };
    let keys = format!("key {}", born.end_key);
    let on_split = info("peer.rs:6236", "on split")
        .with("source", "split checker")
        .with("split_keys", &keys);
    lines.store(leader.store, 0, own(on_split, leader, 80));
    let ids: String = peers(born, |peer| format!(" new_peer_ids: {}", peer.peer));
    let ids = format!("new_region_id: {}{ids}", born.region);
    let ask = info("pd.rs:1062", "try to batch split region")
        .with("task", "batch_split")
        .with("region", said(parent))
        .with("new_region_ids", format!("[{ids}]"))
        .with("region_id", region);
    lines.store(leader.store, 2, ask.with("thread_id", 27));
    let peer_ids: Vec<String> = born.peers.iter().map(|p| p.peer.to_string()).collect();
    let alloc = info("cluster_worker.go:168", "alloc ids for region split")
        .with("region-id", born.region)
        .with("peer-ids", format!("[{}]", peer_ids.join(",")));
    lines.pd(2, alloc);
    let command = format!(
        "cmd_type: BatchSplit splits {{ requests {{ split_key: {} {ids} }} right_derive: true }}",
        born.end_key
    );
    for peer in &parent.peers {
        let after = if *peer == leader { 8 } else { 17 };
        let execute = info("apply.rs:1712", "execute admin command")
            .with("command", &command)
            .with("term", INIT_TERM + 1);
        lines.store(peer.store, after, own(execute, *peer, 81));
        let split = info("apply.rs:2578", "split region")
            .with("keys", &keys)
            .with("region", said(parent));
        lines.store(peer.store, after, own(split, *peer, 81));
        if *peer == leader {
            let notify = info("peer.rs:4390", "notify pd with split").with("split_count", 2);
            lines.store(peer.store, after + 4, own(notify, *peer, 80));
        }
        let Some(own_born) = born.peers.iter().find(|b| b.store == peer.store) else {
            continue;
        };
        let insert = info("peer.rs:4472", "insert new region")
            .with("store_id", peer.store)
            .with("is_uninitialized_peer_exist", false)
            .with("region", said(born))
            .with("region_id", born.region);
        lines.store(peer.store, after + 4, insert.with("thread_id", 80));
        let voters: Vec<u64> = born.peers.iter().map(|p| p.peer).collect();
        let born_peer = Born {
            region: born.region,
            peer: own_born.peer,
            voters: &voters,
            term: INIT_TERM,
            index: INIT_INDEX,
            thread: 80,
        };
        born_peer.lines(lines, peer.store, after + 4);
    }
    let generate = info(
        "cluster_worker.go:268",
        "region batch split, generate new regions",
    )
    .with("region-id", region)
    .with("origin", said_by_pd(born))
    .with("total", 1);
    lines.pd(16, generate);
    deregister(lines, region, leader.store, 20);
    let voters: Vec<PeerRef> = born
        .peers
        .iter()
        .filter(|peer| **peer != born.leader)
        .copied()
        .collect();
    let first = Round {
        region: born.region,
        term: INIT_TERM + 1,
        from: born.leader,
        to: born.leader,
        voters: &voters,
        index: INIT_INDEX,
    };
    campaign(lines, &first, 22);
    let again = info("endpoint.rs:701", "register observe region").with("region", said(parent));
    lines.store(leader.store, 26, again.with("thread_id", 48));
}

/// A region is merged into its neighbour: the source prepares, the target commits.
pub(super) fn merged(lines: &mut Lines<'_>, source: &RegionRef, target: &RegionRef) {
    let pair = format!("{{merge: region {} to {}}}", source.region, target.region);
    for region in [source, target] {
        let add = info("operator_controller.go:561", "add operator")
            .with("region-id", region.region)
            .with(
                "operator",
                format!(
                    "\"merge-region {pair} (kind:merge, region:{}({}, {}), currentStep:0, size:0, steps:[0:{{merge region {} into region {}}}], timeout:[10m0s])\"",
                    region.region, region.version, region.conf_ver, source.region, target.region
                ),
            )
            .with("additional-info", "");
        lines.pd(0, add);
    }
    let own = |line: super::line::Line, region: &RegionRef, peer: PeerRef, thread: u64| {
        line.with("peer_id", peer.peer)
            .with("region_id", region.region)
            .with("thread_id", thread)
    };
    let try_merge = info("pd.rs:1561", "try to merge")
        .with("merge", format!("target {{ {} }}", said(target)))
        .with("region_id", source.region);
    lines.store(source.leader.store, 1, try_merge.with("thread_id", 27));
    for peer in &source.peers {
        let prepare = info("apply.rs:1712", "execute admin command").with(
            "command",
            format!(
                "cmd_type: PrepareMerge prepare_merge {{ target {{ {} }} }}",
                said(target)
            ),
        );
        lines.store(peer.store, 5, own(prepare, source, *peer, 81));
    }
    for peer in &target.peers {
        let commit = info("apply.rs:1712", "execute admin command").with(
            "command",
            format!(
                "cmd_type: CommitMerge commit_merge {{ source {{ {} }} }}",
                said(source)
            ),
        );
        lines.store(peer.store, 24, own(commit, target, *peer, 81));
        if *peer == target.leader {
            let notify = info("peer.rs:4746", "notify pd with merge")
                .with("source_region", said(source))
                .with("target_region", said(target));
            lines.store(peer.store, 30, own(notify, target, *peer, 80));
        }
    }
    for peer in &source.peers {
        let finished = info("peer.rs:4866", "merge finished").with("target_region", said(target));
        lines.store(peer.store, 31, own(finished, source, *peer, 80));
    }
    deregister(lines, source.region, source.leader.store, 31);
    for region in [source, target] {
        let finish = info("operator_controller.go:724", "operator finish")
            .with("region-id", region.region)
            .with("takes", "40ms")
            .with("operator", format!("\"merge-region {pair} finished\""))
            .with("additional-info", "");
        lines.pd(40, finish);
    }
}
