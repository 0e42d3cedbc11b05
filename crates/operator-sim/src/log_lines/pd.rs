//! What PD writes: its orders, its members, its leader.

use super::line::{at_level, info};
use super::{Lines, LogFile};

fn operator(region: u64, from: u64, to: u64, step: u8) -> String {
    format!(
        "\"transfer-leader {{transfer leader: store {from} to {to}}} (kind:leader, region:{region}(45, 5), currentStep:{step}, size:96, steps:[0:{{transfer leader from store {from} to store {to}}}], timeout:[1m0s])\""
    )
}

/// PD decides on a transfer, and sends it.
pub(super) fn order(lines: &mut Lines<'_>, region: u64, from: u64, to: u64) {
    let add = info("operator_controller.go:561", "add operator")
        .with("region-id", region)
        .with("operator", operator(region, from, to, 0))
        .with("additional-info", "");
    lines.pd(0, add);
    let send = info("operator_controller.go:816", "send schedule command")
        .with("region-id", region)
        .with(
            "step",
            format!("transfer leader from store {from} to store {to}"),
        )
        .with("source", "create");
    lines.pd(0, send);
}

pub(super) fn done(lines: &mut Lines<'_>, region: u64, from: u64, to: u64) {
    let finish = info("operator_controller.go:724", "operator finish")
        .with("region-id", region)
        .with("takes", "8ms")
        .with("operator", operator(region, from, to, 1))
        .with("additional-info", "");
    lines.pd(8, finish);
}

pub(super) fn peer_moved(lines: &mut Lines<'_>, region: u64, from: u64, to: u64) {
    let operator = format!(
        "\"replace-rule-peer {{mv peer: store [{from}] to [{to}]}} (kind:replica,region, region:{region}(45, 5), currentStep:3, size:96, steps:[0:{{add learner peer on store {to}}}, 1:{{promote learner peer on store {to} to voter}}, 2:{{remove peer on store {from}}}], timeout:[11m0s]) finished\""
    );
    let finish = info("operator_controller.go:724", "operator finish")
        .with("region-id", region)
        .with("takes", "3s")
        .with("operator", operator)
        .with("additional-info", "");
    lines.pd(0, finish);
}

pub(super) fn member(lines: &mut Lines<'_>, name: &str, running: bool) {
    // A killed member writes nothing.
    if running {
        let welcome = info("versioninfo.go:115", "Welcome to Placement Driver (PD)");
        lines.push(LogFile::Member(name.to_owned()), 0, welcome);
    }
}

/// A new leader says so itself; the stores follow it a second later.
pub(super) fn leader(lines: &mut Lines<'_>, name: Option<&str>) {
    let Some(name) = name else {
        return;
    };
    let file = LogFile::Member(name.to_owned());
    let campaign =
        info("server.go:1724", "campaign PD leader ok").with("campaign-leader-name", name);
    lines.push(file.clone(), 0, campaign);
    let ready = info("server.go:1778", "PD leader is ready to serve").with("leader-name", name);
    lines.push(file, 25, ready);
    let members = &lines.cluster.pd.members;
    let url = members
        .iter()
        .find(|member| member.name == name)
        .map(|member| member.client_url.clone());
    let stores: Vec<u64> = lines
        .cluster
        .stores
        .iter()
        .filter(|s| s.is_running() && s.is_tikv())
        .map(|s| s.id)
        .collect();
    for store in stores {
        let update = info("util.rs:303", "update pd client")
            .with("via", "")
            .with("leader", url.as_deref().unwrap_or_default())
            .with("prev_via", "")
            .with("prev_leader", "");
        lines.store(store, 900, update.with("thread_id", 9));
    }
}

pub(super) fn store_state(lines: &mut Lines<'_>, store: u64, state: &str) {
    let place = lines.cluster.store_place(store);
    let found = place.and_then(|place| lines.cluster.store(place));
    let (address, destroyed) = found.map_or((String::new(), false), |found| {
        (found.address(), found.destroyed)
    });
    let line = if state == "Offline" {
        at_level("WARN", "cluster.go:1516", "store has been offline")
            .with("store-id", store)
            .with("store-address", address)
    } else {
        at_level("WARN", "cluster.go:1625", "store has been Tombstone")
            .with("store-id", store)
            .with("store-address", address)
            .with("state", "Offline")
    };
    lines.pd(0, line.with("physically-destroyed", destroyed));
}
