//! Bodies of real servers and of their encoders, where the folder with them is there. They are read from
//! outside of the project and belong to others.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use operator_core::{
    Ailment, Flow, ManualClock, RegionId, Regions, StoreId, StoreState, Timestamp,
};
use operator_tikv::{MoveKind, PdClient, PdOptions};

use crate::common::shared;
use crate::support::{Reply, Request, Server, fake};

/// The folder, or why these tests say nothing here.
fn samples(folder: &str) -> Option<PathBuf> {
    shared(&format!("samples/{folder}"))
}

fn body(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Answers each path with the file that is named after it.
async fn playing(folder: PathBuf) -> (Server, PdClient) {
    let server = fake::alone(move |request: &Request| {
        let name = match request
            .target
            .strip_prefix("/pd/api/v1/")
            .unwrap_or_default()
        {
            "regions/key?key=&limit=3" => "regions-key-limit-3.json".to_owned(),
            target if target.starts_with("stats/region?") => "stats-region.json".to_owned(),
            "regions/store/1" => "regions.json".to_owned(),
            "region/id/1012" => "region-1012.json".to_owned(),
            target if target.starts_with("schedulers?") => return Reply::json("[]"),
            target => format!(
                "{}.json",
                target
                    .split('?')
                    .next()
                    .unwrap_or_default()
                    .replace('/', "-")
            ),
        };
        match std::fs::read(folder.join(&name)) {
            Ok(body) => Reply::json(body),
            Err(error) => Reply::text(500, &format!("{name}: {error}")),
        }
    })
    .await;
    let pd = fake::client(&server.url());
    (server, pd)
}

#[tokio::test]
async fn a_live_cluster_is_read_whole() {
    let Some(folder) = samples("pd-live") else {
        return;
    };
    let (_server, pd) = playing(folder.clone()).await;

    let stores = pd.stores().await.unwrap();
    assert!(stores.is_whole(), "{:?}", stores.gaps);
    assert_eq!(
        stores
            .items
            .iter()
            .map(|store| store.id)
            .collect::<Vec<_>>(),
        [1, 2, 3].map(StoreId)
    );
    for store in &stores.items {
        assert_eq!(store.state, Some(StoreState::Up));
        assert!(store.capacity_bytes > store.available_bytes, "{store:?}");
        assert!(
            store.last_heartbeat > store.started_at && store.labels.contains_key("zone"),
            "{store:?}"
        );
    }

    // Every region has a peer on every store. The order is that of a map.
    let all = pd.regions_on(StoreId(1), 1000).await.unwrap();
    assert!(all.is_whole(), "{:?}", all.gaps);
    assert_eq!(all.items.len(), 24);
    assert_eq!(all.items.len() as u64, pd.region_count().await.unwrap());
    let leaders = all
        .items
        .iter()
        .filter(|region| region.leader.is_some())
        .count();
    assert_eq!(leaders, 24);
    assert!(
        all.items
            .iter()
            .all(|region| region.peers.len() == 3 && region.size_bytes > Some(0))
    );
    let counted = stores
        .items
        .iter()
        .map(|store| store.leader_count.unwrap_or(0))
        .sum::<u64>();
    assert_eq!(counted, 24);

    let first = pd.page(None, 3).await.unwrap();
    assert_eq!((first.items.len(), first.next.is_some()), (3, true));
    assert!(first.gaps.is_empty(), "{:?}", first.gaps);
    assert!(first.items.iter().all(|region| all.items.contains(region)));

    let one = pd.one(RegionId(1012)).await.unwrap();
    assert_eq!(one.id, RegionId(1012));
    assert!(
        one.flow.written_bytes > Some(0),
        "it is one of the two that are written to"
    );

    // A follower's copy knows no sizes, and that is what is said of it.
    let copy = body(&folder, "region-1012-follower.json");
    let follower = fake::alone(move |_| Reply::json(copy.clone())).await;
    let copy = fake::client(&follower.url())
        .one(RegionId(1012))
        .await
        .unwrap();
    assert_eq!(
        (copy.peers, copy.size_bytes, copy.keys),
        (one.peers, None, None)
    );

    let hot = pd.hot_writes().await.unwrap();
    assert!(hot.gaps.is_empty());
    let regions: Vec<_> = hot
        .by_leader
        .values()
        .flat_map(|store| &store.peers)
        .map(|peer| peer.region.0)
        .collect();
    assert!(
        regions.contains(&1012) && regions.contains(&1040),
        "{regions:?}"
    );
    let hot = pd.hot_reads().await.unwrap();
    let regions: Vec<_> = hot
        .by_leader
        .values()
        .flat_map(|store| &store.peers)
        .map(|peer| peer.region.0)
        .collect();
    assert!(
        regions.contains(&1020) && regions.contains(&1044),
        "{regions:?}"
    );
    let flows = pd.store_flows().await.unwrap();
    assert_eq!(
        flows[&StoreId(1)].written_bytes_per_second,
        Some(30_000_000.0)
    );

    let undersized = pd.ailing(Ailment::Undersized, 1000).await.unwrap();
    assert_eq!((undersized.items.len(), undersized.next), (24, None));
    for ailment in [
        Ailment::MissingPeer,
        Ailment::ExtraPeer,
        Ailment::DownPeer,
        Ailment::PendingPeer,
        Ailment::LearnerPeer,
        Ailment::OfflinePeer,
        Ailment::Empty,
        Ailment::Oversized,
    ] {
        assert!(
            pd.ailing(ailment, 10).await.unwrap().items.is_empty(),
            "{ailment:?}"
        );
    }

    let health = pd.health().await.unwrap();
    assert_eq!(
        health.items.iter().filter(|member| member.healthy).count(),
        3
    );
    assert!(pd.cluster_status().await.unwrap().initialized);
    assert_eq!(
        pd.version().await.unwrap(),
        None,
        "these servers carry no stamp"
    );
    let schedulers = pd.schedulers().await.unwrap();
    assert_eq!(
        (schedulers.present.len(), schedulers.missing().count()),
        (5, 0)
    );
    let config = pd.schedule_config().await.unwrap();
    assert_eq!(
        (config.leader_schedule_limit, config.region_schedule_limit),
        (Some(4), Some(2048))
    );
    assert_eq!(
        config.max_store_down_time,
        Some(std::time::Duration::from_secs(1800))
    );
    assert_eq!(pd.replication_config().await.unwrap().max_replicas, Some(3));
    assert_eq!(
        pd.placement_rules().await.unwrap().unwrap().items[0].count,
        3
    );
    assert!(pd.operators().await.unwrap().is_whole());
    let operator = &pd.recent_operators().await.unwrap().items[0];
    assert_eq!(
        (operator.region, operator.finished_at.is_some()),
        (RegionId(1044), true)
    );
}

#[tokio::test]
async fn live_members_are_read_with_their_leader() {
    let Some(folder) = samples("pd-live") else {
        return;
    };
    let files = ["members", "leader"].map(|name| body(&folder, &format!("{name}.json")));
    let server = Server::start(move |request| match request.path() {
        "/pd/api/v1/cluster" => fake::cluster_id(7_710_415_091_665_373_336),
        "/pd/api/v1/members" => Reply::json(files[0].clone()),
        _ => Reply::json(files[1].clone()),
    })
    .await;
    let pd = fake::client(&server.url());
    let members = pd.members().await.unwrap();
    assert_eq!(members.members.items.len(), 3);
    assert_eq!(members.cluster_id, 7_710_415_091_665_373_336);
    assert_eq!(
        members.leader.as_ref().map(|leader| leader.id),
        Some(16_887_263_637_638_116_382)
    );
    assert_eq!(
        members.leader.map(|leader| leader.name),
        pd.leader().await.unwrap().map(|leader| leader.name)
    );
}

#[tokio::test]
async fn every_shape_of_the_encoders_is_read() {
    let Some(folder) = samples("pd-api") else {
        return;
    };
    let reply_with = |name: &'static str| {
        let body = body(&folder, name);
        async move {
            let server = fake::alone(move |_| Reply::json(body.clone())).await;
            let pd = fake::client(&server.url());
            (server, pd)
        }
    };
    for (name, up) in [
        ("store.json", true),
        ("store-head.json", true),
        ("store-after-pd-leader-change.json", false),
        ("store-never-heartbeat.json", false),
    ] {
        let (_server, pd) = reply_with(name).await;
        let listing = pd.store(StoreId(1)).await.unwrap();
        assert_eq!(listing.items[0].state == Some(StoreState::Up), up, "{name}");
        assert_eq!(
            listing.items[0].capacity_bytes.is_some(),
            up,
            "{name}: 0B is no capacity"
        );
        let silenced = name == "store-after-pd-leader-change.json";
        assert_eq!(!listing.gaps.is_empty(), silenced, "{name}");
    }
    for name in ["stores.json", "stores-check.json"] {
        let (_server, pd) = reply_with(name).await;
        let listing = pd.stores().await.unwrap();
        assert!(listing.items.len() > 1, "{name}");
    }
    for (name, peers, led) in [
        ("region.json", 3, true),
        ("region-head.json", 3, true),
        ("region-no-leader.json", 3, false),
        ("region-down-pending.json", 3, true),
        ("region-joint-learner-witness.json", 5, true),
    ] {
        let (_server, pd) = reply_with(name).await;
        let region = pd.one(RegionId(1)).await.unwrap();
        assert_eq!(
            (region.peers.len(), region.leader.is_some()),
            (peers, led),
            "{name}"
        );
    }
    let (_server, pd) = reply_with("region-not-found-200.json").await;
    assert!(pd.one(RegionId(1)).await.unwrap_err().is_not_found());
    // A list with a region of zeros, which stands for the neighbour that is not there.
    let (_server, pd) = reply_with("regions-sibling-of-first.json").await;
    let siblings = pd.hottest(Flow::Read, 10).await.unwrap();
    assert_eq!((siblings.items.len(), siblings.gaps.len()), (1, 1));
    let (_server, pd) = reply_with("regions-range-holes.json").await;
    assert_eq!(pd.range_holes().await.unwrap().items.len(), 1);
    let (_server, pd) = reply_with("stats-region-count.json").await;
    assert_eq!(pd.region_count().await.unwrap(), 83_217);
    let (_server, pd) = reply_with("hotspot-stores-empty.json").await;
    assert!(pd.store_flows().await.unwrap().is_empty());
    let (_server, pd) = reply_with("hotspot-regions-write-store-without-stats.json").await;
    assert!(pd.hot_writes().await.unwrap().by_peer.is_empty());
    for name in ["stores-progress-id.json", "stores-progress-action.json"] {
        let (_server, pd) = reply_with(name).await;
        let progress = pd
            .progress_of_all(MoveKind::Removing)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(progress.done_ratio, 0.41);
    }
    let (_server, pd) = reply_with("operators.json").await;
    assert!(pd.operators().await.unwrap().items[0].finished_at.is_none());
    let (_server, pd) = reply_with("operators-records.json").await;
    assert!(pd.operators().await.unwrap().items[0].took.is_some());
    let (_server, pd) = reply_with("config-rules.json").await;
    assert_eq!(pd.placement_rules().await.unwrap().unwrap().items.len(), 2);
    let (_server, pd) = reply_with("config-replicate.json").await;
    assert_eq!(
        pd.replication_config().await.unwrap().location_labels,
        ["zone", "host"]
    );
    let (_server, pd) = reply_with("cluster-status-not-bootstrapped.json").await;
    assert_eq!(pd.cluster_status().await.unwrap().bootstrapped_at, None);
}

#[tokio::test]
async fn every_error_of_the_encoders_is_an_error_that_says_what_pd_said() {
    let Some(folder) = samples("pd-api") else {
        return;
    };
    let files = std::fs::read_dir(folder.join("errors")).unwrap();
    let mut seen = 0;
    for file in files {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let status: u16 = name.split('-').next().unwrap().parse().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let reply = Reply::answer(status, "text/plain", text.clone());
        let server = fake::alone(move |_| reply.clone()).await;
        let error = format!(
            "{:#}",
            fake::client(&server.url()).stores().await.unwrap_err()
        );
        // The last words of the message, without quotes, braces and escapes.
        let words: Vec<_> = text
            .split(['"', '\n', '\\', ']'])
            .map(str::trim)
            .filter(|part| part.len() > 8)
            .collect();
        assert!(
            words.iter().any(|words| error.contains(words)),
            "{name}: {error}"
        );
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}

#[tokio::test]
async fn every_region_of_a_real_cluster_is_read_before_and_after_each_incident() {
    let Some(folder) = shared("recordings") else {
        return;
    };
    let mut read = 0;
    for incident in std::fs::read_dir(folder).unwrap() {
        for name in ["regions-begin.json", "regions-end.json"] {
            let path = incident.as_ref().unwrap().path().join(name);
            let Ok(body) = std::fs::read(&path) else {
                continue;
            };
            let server = fake::alone(move |_| Reply::json(body.clone())).await;
            let pd = fake::client(&server.url());
            // The order is that of a map, so this is a list and no page.
            let list = pd.regions_on(StoreId(1), 1000).await.unwrap();
            assert!(list.is_whole(), "{}: {:?}", path.display(), list.gaps);
            assert!(list.items.len() > 40, "{}", path.display());
            let mut ranges: Vec<_> = list
                .items
                .iter()
                .map(|region| region.range.clone())
                .collect();
            ranges.sort();
            let ends: Vec<_> = ranges.iter().map(|range| &range.end).collect();
            let starts: Vec<_> = ranges.iter().skip(1).map(|range| &range.start).collect();
            assert_eq!(ends[..ends.len() - 1], starts, "{}", path.display());
            assert!(list.items.iter().all(|region| !region.peers.is_empty()));
            read += 1;
        }
    }
    assert!(read > 20, "{read}");
}

/// What members said of stores in a recorded incident: when, and the body.
fn stores_said(incident: &Path) -> Vec<(f64, String)> {
    let file = std::fs::File::open(incident.join("pd.jsonl.gz")).unwrap();
    let lines = BufReader::new(flate2::read::GzDecoder::new(file)).lines();
    let mut last = BTreeMap::new();
    let mut said = Vec::new();
    for line in lines {
        let row: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        if row["path"] != "/pd/api/v1/stores" {
            continue;
        }
        let member = row["pd"].as_u64();
        if row["same"] != true {
            let answer = (row["status"] == 200).then(|| row["body"].as_str().map(str::to_owned));
            last.insert(member, answer.flatten());
        }
        if let Some(Some(body)) = last.get(&member) {
            said.push((row["t"].as_f64().unwrap(), body.clone()));
        }
    }
    said
}

#[tokio::test]
async fn while_pd_changes_its_leader_or_is_away_no_living_store_is_called_silent() {
    let Some(folder) = shared("recordings") else {
        return;
    };
    for (incident, changes) in [
        ("pd-leader-killed", true),
        ("pd-all-down", true),
        ("healthy", false),
        ("hot-key", false),
    ] {
        let said = stores_said(&folder.join(incident));
        let (say, next) = std::sync::mpsc::channel::<String>();
        let next = std::sync::Mutex::new(next);
        let server = fake::alone(move |_| Reply::json(next.lock().unwrap().recv().unwrap())).await;
        let hand = ManualClock::new(Timestamp::EPOCH);
        let options = PdOptions {
            clock: hand.clone().into(),
            ..fake::patient()
        };
        let pd = PdClient::with(&server.url(), options).unwrap();
        let mut unseen = 0;
        for (at, body) in &said {
            let moment = Duration::from_secs_f64(*at);
            hand.set(Timestamp::EPOCH + moment);
            say.send(body.clone()).unwrap();
            for store in pd.stores().await.unwrap().items {
                match store.state {
                    None => unseen += 1,
                    Some(state) => assert_eq!(state, StoreState::Up, "{incident} at {at}"),
                }
            }
        }
        assert!(said.len() > 50, "{incident}: {}", said.len());
        assert_eq!(unseen > 0, changes, "{incident}");
    }
}
