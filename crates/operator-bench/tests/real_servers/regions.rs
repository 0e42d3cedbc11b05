//! As many regions as it takes for memory to matter.

use std::process::Command;
use std::time::Duration;

use operator_bench::real::{Load, PdMembers, eventually};
use operator_core::StoreId;

use crate::support::{Programs, client, plain, say};

const REGIONS: u64 = 100_000;
const MOST_KIB: u64 = 64 << 10;

pub(crate) async fn a_hundred_thousand_regions_are_scanned_in_little_memory(programs: &Programs) {
    let pd = PdMembers::started(programs.path("pd-server"), 1);
    let pd = pd.await.expect("it starts");
    let address = pd.address("pd-0").expect("an address");
    let load = Load::start(programs.path("pd-heartbeat-bench"), address, 10, REGIONS);
    let load = load.expect("it starts");
    load.regions_known().await.expect("regions");

    let count = plain(&pd, "pd-0", "/regions/count")["count"].as_u64();
    let client = client(&pd);
    let tally = client.tally(|_| {}).await.expect("a scan");
    assert_eq!(Some(tally.regions), count);
    assert_eq!((tally.unread, tally.seen_again), (0, 0));
    assert_eq!(tally.holes, []);
    assert_eq!(Some(client.region_count().await.expect("a count")), count);
    // PD's counts by store come after its count of all while it is busy.
    let settled = eventually(Duration::from_secs(120), || async {
        let told = plain(&pd, "pd-0", "/stores");
        let sum = |of: &str| -> Option<u64> {
            let stores = told["stores"].as_array()?.iter();
            stores.map(|one| one["status"][of].as_u64()).sum()
        };
        let whole = (sum("leader_count"), sum("region_count"));
        (whole == (Some(REGIONS), Some(3 * REGIONS))).then_some(told)
    });
    let theirs = settled.await.expect("every region is counted");
    let mut mib = 0;
    for one in theirs["stores"].as_array().expect("a list") {
        let id = StoreId(one["store"]["id"].as_u64().expect("a number"));
        let ours = tally.stores.get(&id).copied().unwrap_or_default();
        assert_eq!(
            one["status"]["leader_count"], ours.leaders,
            "leaders of {id}"
        );
        assert_eq!(one["status"]["region_count"], ours.peers, "peers of {id}");
        mib += one["status"]["leader_size"].as_u64().expect("a number");
    }
    assert_eq!(tally.size_bytes, mib << 20);

    // The most that a process of its own held.
    let mut scan = Command::new(env!("CARGO_BIN_EXE_pd"));
    let output = scan.args(["scan-from", &pd.endpoints()]).output();
    let output = output.expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<&str> = text.split_whitespace().collect();
    let [_, kib, regions] = figures[..] else {
        panic!("{output:?}");
    };
    assert_eq!(regions.parse(), Ok(tally.regions));
    let kib: u64 = kib.parse().expect("a number");
    assert!(kib < MOST_KIB, "{kib} KiB");
    say(&format!(
        "{regions} regions were scanned within {} MiB",
        kib >> 10
    ));
}
