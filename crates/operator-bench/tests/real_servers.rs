//! Real servers: PD with one member and with three, its tools, and TiKV, where their programs are in the
//! folder that `OPERATOR_TEST_BIN` names or on the `PATH`. What they say over plain HTTP is what the client
//! must read. A program that is absent is named, with what it cost.

#[path = "real_servers/leaders.rs"]
mod leaders;
#[path = "real_servers/members.rs"]
mod members;
#[path = "real_servers/regions.rs"]
mod regions;
#[path = "real_servers/secured.rs"]
mod secured;
#[path = "real_servers/stores.rs"]
mod stores;
#[path = "real_servers/support.rs"]
mod support;
#[path = "real_servers/tikv.rs"]
mod tikv;
#[path = "real_servers/unmade.rs"]
mod unmade;

use std::collections::BTreeMap;

use support::{Programs, say};

/// Every test, with the programs that it needs.
macro_rules! real {
    ($($name:ident in $module:ident needs [$($program:literal),*],)*) => {
        $(#[tokio::test]
        async fn $name() {
            match Programs::found(&[$($program),*]) {
                Ok(programs) => $module::$name(&programs).await,
                Err(missing) => say(&format!(
                    "nothing was judged by `{}`: there is no {}",
                    stringify!($name),
                    missing.join(", no ")
                )),
            }
        })*

        const TESTED: &[(&str, &[&str])] = &[$((stringify!($name), &[$($program),*])),*];
    };
}

real! {
    a_cluster_that_was_not_made_yet_is_not_called_healthy in unmade needs ["pd-server", "operator"],
    one_member_and_three_are_told_as_pd_tells_them in members needs ["pd-server", "operator"],
    what_pd_ctl_prints_is_what_is_read in members needs ["pd-server", "pd-ctl"],
    a_leader_that_moves_is_followed in leaders needs ["pd-server"],
    a_killed_leader_is_a_member_and_no_store in leaders needs ["pd-server", "pd-heartbeat-bench"],
    a_frozen_leader_delays_reads_and_does_not_end_them in leaders needs ["pd-server"],
    with_all_members_stopped_nothing_is_seen_and_started_again_all_is in leaders needs ["pd-server"],
    members_that_demand_certificates_are_read_with_one_and_not_without in secured needs ["pd-server", "operator"],
    stores_and_schedulers_are_told_as_pd_tells_them in stores needs ["pd-server", "pd-heartbeat-bench", "operator"],
    a_hundred_thousand_regions_are_scanned_in_little_memory in regions needs ["pd-server", "pd-heartbeat-bench"],
    operators_at_work_are_read_whole in stores needs ["pd-server", "pd-simulator"],
    three_stores_are_told_one_dies_and_comes_back in tikv needs ["pd-server", "tikv-server"],
}

#[test]
fn what_is_missing_is_said_with_what_it_costs() {
    let mut cost: BTreeMap<String, usize> = BTreeMap::new();
    let mut judged = 0;
    for (_, needed) in TESTED {
        match Programs::found(needed) {
            Ok(_) => judged += 1,
            Err(missing) => {
                for program in missing {
                    *cost.entry(program).or_default() += 1;
                }
            }
        }
    }
    say(&format!("{judged} of {} tests are judged", TESTED.len()));
    for (program, tests) in &cost {
        say(&format!(
            "there is no {program}, which costs {tests} of them"
        ));
    }
    if cost.contains_key("`tikv-server`") {
        say("of TiKV itself, recordings of real incidents stand in");
    }
    assert!(judged + cost.values().sum::<usize>() >= TESTED.len());
}
