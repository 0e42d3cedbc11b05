//! Stores, schedulers, configuration and operators, field by field.

use std::time::Duration;

use operator_bench::real::{Load, PdMembers, Server, eventually, loopback};
use operator_core::{Entity, Store, StoreId, StoreState};
use operator_tikv::PdClient;
use serde_json::Value;

use crate::support::{Programs, Watched, client, plain, post, texts};

/// As many bytes as PD's words for them say.
fn bytes(text: &Value) -> f64 {
    let text = text.as_str().expect("a size");
    let end = text.find(char::is_alphabetic).expect("a unit");
    let power = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        .iter()
        .position(|unit| *unit == &text[end..])
        .expect("a unit");
    let number: f64 = text[..end].parse().expect("a number");
    number * 1024_f64.powi(i32::try_from(power).expect("few"))
}

pub(crate) fn same_store(ours: &Store, theirs: &Value) {
    let (store, status) = (&theirs["store"], &theirs["status"]);
    assert_eq!(ours.id.0, store["id"]);
    assert_eq!(ours.address, store["address"]);
    assert_eq!(
        ours.status_address.as_deref(),
        store["status_address"].as_str()
    );
    let version = store["version"].as_str();
    assert_eq!(
        ours.version.as_deref(),
        version.map(|text| text.trim_start_matches('v'))
    );
    let expected = match store["state_name"].as_str() {
        Some("Up") => StoreState::Up,
        Some("Disconnected") => StoreState::Disconnected,
        Some("Down") => StoreState::Down,
        Some("Offline") => StoreState::Offline,
        other => panic!("{other:?}"),
    };
    assert_eq!(ours.state, Some(expected));
    assert_eq!(ours.leader_count, status["leader_count"].as_u64());
    let weight = ours.leader_weight_permille.expect("a weight");
    let expected = status["leader_weight"].as_f64().expect("a number");
    assert!((weight as f64 / 1000.0 - expected).abs() < 0.001);
    assert_eq!(ours.region_count, status["region_count"].as_u64());
    for (ours, theirs) in [
        (ours.capacity_bytes, &status["capacity"]),
        (ours.available_bytes, &status["available"]),
    ] {
        let ours = ours.expect("a size") as f64;
        assert!((ours - bytes(theirs)).abs() < 1.0, "{ours} and {theirs}");
    }
    // It is the nanoseconds since 1970, of which we keep the milliseconds.
    if let Some(heartbeat) = store["last_heartbeat"].as_i64() {
        let at = ours.last_heartbeat.expect("a heartbeat").unix_millis();
        assert_eq!(at, heartbeat / 1_000_000);
    }
}

/// The stores as PD and as the client tell them, between the same two reports.
pub(crate) async fn same_stores(pd: &PdMembers, client: &PdClient, count: usize) -> Vec<Store> {
    let member = pd.names().next().expect("a member").to_owned();
    let still = eventually(Duration::from_secs(60), || async {
        let before = plain(pd, &member, "/stores");
        let ours = client.stores().await.ok()?;
        let after = plain(pd, &member, "/stores");
        let beat = |told: &Value| {
            let stores = told["stores"].as_array().expect("a list").iter();
            let mut beats: Vec<String> = stores
                .map(|one| format!("{} {}", one["store"]["id"], one["store"]["last_heartbeat"]))
                .collect();
            beats.sort();
            beats
        };
        let settled =
            ours.gaps.is_empty() && ours.items.iter().all(|one| one.capacity_bytes.is_some());
        (settled && beat(&before) == beat(&after)).then_some((before, ours))
    });
    let (theirs, ours) = still.await.expect("a moment without a report");
    assert_eq!(theirs["count"], count);
    assert_eq!(ours.items.len(), count);
    for ours in &ours.items {
        let list = theirs["stores"].as_array().expect("a list");
        let known = list.iter().find(|one| one["store"]["id"] == ours.id.0);
        same_store(ours, known.expect("PD knows it"));
    }
    ours.items
}

pub(crate) async fn stores_and_schedulers_are_told_as_pd_tells_them(programs: &Programs) {
    let pd = PdMembers::started(programs.path("pd-server"), 1);
    let pd = pd.await.expect("it starts");
    let address = pd.address("pd-0").expect("an address");
    let load = Load::start(programs.path("pd-heartbeat-bench"), address, 5, 500);
    let load = load.expect("it starts");
    load.regions_known().await.expect("regions");
    let reading = client(&pd);
    let stores = same_stores(&pd, &reading, 5).await;
    let peers: u64 = stores.iter().filter_map(|store| store.region_count).sum();
    assert_eq!(peers, 1500, "{stores:?}");

    let (exit, told) = programs.operator(&["stores", "--pd", &pd.endpoints()]);
    assert_eq!(exit, Some(0), "{told}");
    assert_eq!(told["stores"].as_array().map(Vec::len), Some(5));

    // Configuration.
    let theirs = plain(&pd, "pd-0", "/config/schedule");
    let ours = reading.schedule_config().await.expect("configuration");
    for (ours, key) in [
        (ours.leader_schedule_limit, "leader-schedule-limit"),
        (ours.region_schedule_limit, "region-schedule-limit"),
        (ours.replica_schedule_limit, "replica-schedule-limit"),
        (ours.merge_schedule_limit, "merge-schedule-limit"),
        (ours.hot_region_schedule_limit, "hot-region-schedule-limit"),
        (ours.max_merge_region_size_mib, "max-merge-region-size"),
    ] {
        assert!(ours.is_some(), "{key}");
        assert_eq!(ours, theirs[key].as_u64(), "{key}");
    }
    assert_eq!(ours.low_space_ratio, theirs["low-space-ratio"].as_f64());
    assert_eq!(theirs["max-store-down-time"], "30m0s");
    assert_eq!(ours.max_store_down_time, Some(Duration::from_secs(1800)));
    assert_eq!(
        ours.items.len(),
        theirs.as_object().expect("an object").len()
    );
    let theirs = plain(&pd, "pd-0", "/config/replicate");
    let ours = reading.replication_config().await.expect("configuration");
    assert_eq!(ours.max_replicas, theirs["max-replicas"].as_u64());
    assert_eq!(theirs["enable-placement-rules"], "true", "a word");
    assert_eq!(ours.placement_rules, Some(true));

    // Schedulers: none evicts, then one does, and then it does no more.
    let schedulers = || async {
        let mut theirs = texts(&plain(&pd, "pd-0", "/schedulers"));
        let ours = reading.schedulers().await.expect("schedulers");
        let mut present = ours.present.clone();
        theirs.sort();
        present.sort();
        assert_eq!(present, theirs);
        ours
    };
    assert_eq!(schedulers().await.evicting, []);
    let body = r#"{"name":"evict-leader-scheduler","store_id":2}"#;
    post(&pd, "pd-0", "/schedulers", body);
    assert_eq!(schedulers().await.evicting, [StoreId(2)]);
    post(
        &pd,
        "pd-0",
        "/schedulers/evict-leader-scheduler",
        r#"{"delay":300}"#,
    );
    let paused = schedulers().await.paused;
    assert_eq!(paused.len(), 1);
    assert_eq!(paused[0].name, "evict-leader-scheduler");
    let lasts = paused[0]
        .until
        .expect("an end")
        .since(paused[0].since.expect("a beginning"));
    assert_eq!(lasts, Duration::from_secs(300));

    // A store on its way out.
    assert_eq!(
        reading.progress_of(StoreId(5)).await.expect("an answer"),
        None
    );
    let said = pd
        .ask("pd-0", "DELETE", "/pd/api/v1/store/5", "")
        .expect("an answer");
    assert_eq!(said.status, 200, "{said:?}");
    let stores = same_stores(&pd, &reading, 5).await;
    let leaving = stores.iter().find(|store| store.id == StoreId(5));
    assert_eq!(
        leaving.expect("it is there").state,
        Some(StoreState::Offline)
    );

    let mut watched = Watched::new(client(&pd));
    let (evicted, leaving) = (Entity::Store(StoreId(2)), Entity::Store(StoreId(5)));
    let both = watched.until(Duration::from_secs(60), |watched| {
        watched.is_pending("leftover_evict_leader", &evicted)
            && watched.is_pending("store_offline_stuck", &leaving)
    });
    assert!(
        both.await,
        "{:?}",
        watched.monitor.engine().pending().collect::<Vec<_>>()
    );
    assert_eq!(watched.blamed(), []);
}

pub(crate) async fn operators_at_work_are_read_whole(programs: &Programs) {
    let pd = PdMembers::started(programs.path("pd-server"), 1);
    let pd = pd.await.expect("it starts");
    let client = client(&pd);
    let config = pd.folder().join("simulator.toml");
    std::fs::write(
        &config,
        "total-store = 4\ntotal-region = 60\nstore-version = \"8.5.7\"\n",
    )
    .expect("a file");
    let arguments = [
        format!("--pd-endpoints={}", pd.endpoints()),
        "--case=balance-leader".to_owned(),
        format!("--config={}", config.display()),
        format!("--status-addr={}:20180", loopback()),
    ];
    let log = pd.folder().join("simulator.log");
    let simulator = Server::start(programs.path("pd-simulator"), arguments, &log);
    let simulator = simulator.expect("it starts");
    // What is under way is over in a moment, what is over is listed for ten minutes.
    let seen = eventually(Duration::from_secs(180), || async {
        let recent = client.recent_operators().await.ok()?;
        (recent.items.len() >= 3).then_some(recent)
    });
    let recent = seen
        .await
        .unwrap_or_else(|| panic!("{}", simulator.last_words()));
    assert!(recent.gaps.is_empty(), "{:?}", recent.gaps);
    for operator in &recent.items {
        assert!(!operator.description.is_empty(), "{operator:?}");
        assert!(operator.region.0 > 0, "{operator:?}");
        assert!(operator.created_at.is_some(), "{operator:?}");
        assert!(operator.finished_at.is_some(), "{operator:?}");
    }
    let under_way = client.operators().await.expect("operators");
    assert!(under_way.gaps.is_empty(), "{:?}", under_way.gaps);
}
