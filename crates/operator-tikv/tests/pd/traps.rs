//! What surprises who reads PD: a test for each surprise, named after it.

use std::time::Duration;

use operator_core::{
    Ailment, Entity, Fault, KeyRange, PeerRole, RegionId, Regions, StoreId, StoreState, Timestamp,
    Why,
};
use operator_tikv::{MoveKind, PdClient};

use crate::support::fake;
use crate::support::{Reply, Server};

/// A member that leads alone and answers every path with this.
async fn answering(reply: Reply) -> (Server, PdClient) {
    let server = fake::alone(move |_| reply.clone()).await;
    let pd = fake::client(&server.url());
    (server, pd)
}

async fn saying(body: &str) -> (Server, PdClient) {
    answering(Reply::json(body)).await
}

const REGION: &str = r#"{"id":12,"start_key":"61","end_key":"","epoch":{"conf_ver":5,"version":7},
    "peers":[{"role_name":"Voter","id":21,"store_id":1},
             {"role_name":"Learner","is_learner":true,"id":22,"store_id":4,"role":1},
             {"role_name":"DemotingVoter","id":23,"store_id":5,"role":3,"is_witness":true},
             {"role_name":"Oracle","id":24,"store_id":6}],
    "leader":{"role_name":"Voter","id":21,"store_id":1},
    "down_peers":[{"peer":{"role_name":"Learner","id":22,"store_id":4,"role":1},"down_seconds":9},
                  {"peer":{"role_name":"Voter","id":21,"store_id":1}}],
    "pending_peers":[{"role_name":"Learner","id":22,"store_id":4,"role":1}],
    "written_bytes":100,"read_bytes":0,"written_keys":3,"read_keys":0,
    "approximate_size":96,"approximate_keys":5000,"bucket_version":3,"buckets":["61"]}"#;

#[tokio::test]
async fn fields_that_are_zero_are_absent_and_read_as_zero() {
    let body = r#"{"id":3,"start_key":"","end_key":"","epoch":{"version":2},
        "peers":[{"role_name":"Voter","id":4,"store_id":1}],"leader":{"role_name":"Voter","id":4,"store_id":1},
        "approximate_size":1}"#;
    let (_server, pd) = saying(body).await;
    let region = pd.one(RegionId(3)).await.unwrap();
    assert_eq!(region.range, KeyRange::ALL);
    assert_eq!(
        region.epoch.map(|epoch| (epoch.conf_ver, epoch.version)),
        Some((0, 2))
    );
    assert_eq!((region.size_bytes, region.keys), (Some(1 << 20), Some(0)));
    assert!(region.down_peers.is_empty() && region.pending_peers.is_empty());
    // What a version does not send is unknown, and no zero.
    assert_eq!(region.flow.written_bytes, None);
}

#[tokio::test]
async fn a_region_is_read_whole_with_all_its_roles() {
    let (_server, pd) = saying(REGION).await;
    let region = pd.one(RegionId(12)).await.unwrap();
    let roles: Vec<_> = region.peers.iter().map(|peer| peer.role.clone()).collect();
    let expected = [
        PeerRole::Voter,
        PeerRole::Learner,
        PeerRole::DemotingVoter,
        PeerRole::Unknown("Oracle".into()),
    ];
    assert_eq!(roles, expected);
    assert!(region.peers[2].witness && !region.peers[0].witness);
    assert_eq!(
        region.leader.as_ref().map(|leader| leader.store),
        Some(StoreId(1))
    );
    let down: Vec<_> = region
        .down_peers
        .iter()
        .map(|down| down.down_seconds)
        .collect();
    assert_eq!(down, [9, 0]);
    assert_eq!(region.pending_peers[0].store, StoreId(4));
    assert_eq!(region.size_bytes, Some(96 << 20));
    assert_eq!(
        (region.flow.written_bytes, region.flow.read_bytes),
        (Some(100), Some(0))
    );
    assert_eq!(
        region.range,
        KeyRange {
            start: b"a".to_vec(),
            end: Vec::new()
        }
    );
}

#[tokio::test]
async fn nobody_leads_where_only_a_role_name_is_given() {
    let body = r#"{"id":3,"start_key":"","end_key":"","leader":{"role_name":""}}"#;
    let (_server, pd) = saying(body).await;
    let region = pd.one(RegionId(3)).await.unwrap();
    assert_eq!((region.leader, region.epoch), (None, None));
}

#[tokio::test]
async fn a_region_of_unknown_size_has_no_size_and_no_flow() {
    let body = r#"{"id":3,"start_key":"","end_key":"","written_bytes":0,"approximate_size":0,"approximate_keys":0}"#;
    let (_server, pd) = saying(body).await;
    let region = pd.one(RegionId(3)).await.unwrap();
    assert_eq!(
        (region.size_bytes, region.keys, region.flow.written_bytes),
        (None, None, None)
    );
}

#[tokio::test]
async fn a_region_that_is_not_found_is_so_in_all_three_forms() {
    let zero =
        r#"{"id":0,"start_key":"","end_key":"","leader":{"role_name":""},"approximate_size":0}"#;
    let coded = "\"[PD:region:ErrRegionNotFound]region 9 not found\"\n";
    for reply in [
        Reply::json("null"),
        Reply::json(zero),
        Reply::answer(404, "application/json", coded),
    ] {
        let (_server, pd) = answering(reply.clone()).await;
        let error = pd.one(RegionId(9)).await.unwrap_err();
        assert_eq!(
            *error.fault,
            Fault::NotFound(Entity::Region(RegionId(9))),
            "{reply:?}"
        );
    }
}

#[tokio::test]
async fn a_path_that_is_not_there_is_no_region_that_is_not_there() {
    let (_server, pd) = answering(Reply::text(404, "404 page not found\n")).await;
    let error = pd.one(RegionId(9)).await.unwrap_err();
    assert!(!error.is_not_found(), "{error:#}");
}

#[tokio::test]
async fn no_region_has_the_id_zero() {
    let (server, pd) = answering(Reply::json("{}")).await;
    assert!(pd.one(RegionId(0)).await.unwrap_err().is_not_found());
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_store_that_is_not_found_is_so_with_and_without_a_code() {
    for body in [
        "\"[PD:core:ErrStoreNotFound]store 9 not found\"\n",
        "\"store 9 not found\"\n",
    ] {
        let (_server, pd) = answering(Reply::answer(404, "application/json", body)).await;
        assert!(pd.store(StoreId(9)).await.unwrap_err().is_not_found());
    }
}

#[tokio::test]
async fn a_removed_store_is_read_all_the_same() {
    let body = r#"{"store":{"id":9,"address":"a:1","state":2,"node_state":3,"state_name":"Tombstone"},"status":{}}"#;
    let (server, pd) = saying(body).await;
    assert_eq!(
        pd.store(StoreId(9)).await.unwrap().items[0].state,
        Some(StoreState::Tombstone)
    );
    let list = format!(r#"{{"count":1,"stores":[{body}]}}"#);
    drop(server);
    let (server, pd) = saying(&list).await;
    assert_eq!(pd.tombstones().await.unwrap().items.len(), 1);
    assert!(
        server
            .asked()
            .iter()
            .any(|request| request.target == "/pd/api/v1/stores?state=2")
    );
}

#[tokio::test]
async fn null_is_an_empty_list_wherever_go_writes_it() {
    let (_server, pd) = saying("null").await;
    assert!(pd.operators().await.unwrap().items.is_empty());
    assert!(pd.range_holes().await.unwrap().items.is_empty());
    assert!(pd.health().await.unwrap().items.is_empty());
    assert_eq!(
        pd.placement_rules()
            .await
            .unwrap()
            .map(|rules| rules.items.len()),
        Some(0)
    );
    let schedulers = pd.schedulers().await.unwrap();
    assert!(schedulers.present.is_empty() && schedulers.paused.is_empty());
    assert_eq!(schedulers.missing().count(), 3);

    let server = Server::start(|request| match request.path() {
        "/pd/api/v1/cluster" => fake::cluster_id(fake::CLUSTER),
        _ => Reply::json("null"),
    })
    .await;
    assert_eq!(fake::client(&server.url()).leader().await.unwrap(), None);

    let (_server, pd) = saying(r#"{"count":0,"regions":null}"#).await;
    assert!(pd.ailing(Ailment::Empty, 10).await.unwrap().is_whole());
    let (_server, pd) = saying(r#"{"as_peer":{"9":null},"as_leader":null}"#).await;
    let spots = pd.hot_writes().await.unwrap();
    assert!(spots.by_peer.is_empty() && spots.by_leader.is_empty());
    let (_server, pd) = saying(r#"{"count":83217,"store_leader_count":null}"#).await;
    assert_eq!(pd.region_count().await.unwrap(), 83_217);
}

#[tokio::test]
async fn truths_are_words_durations_are_go_s_and_labels_are_one_text() {
    let body = r#"{"leader-schedule-limit":4,"region-schedule-limit":2048,"low-space-ratio":0.8,
        "max-store-down-time":"30m0s","halt-scheduling":"true","enable-debug-metrics":false,
        "store-limit":{"1":{"add-peer":15}},"not-yet-invented":{"a":[1]}}"#;
    let (_server, pd) = saying(body).await;
    let config = pd.schedule_config().await.unwrap();
    assert_eq!(config.leader_schedule_limit, Some(4));
    assert_eq!(config.low_space_ratio, Some(0.8));
    assert_eq!(config.max_store_down_time, Some(Duration::from_secs(1800)));
    assert_eq!(
        (config.halted, config.replica_schedule_limit),
        (Some(true), None)
    );
    assert_eq!(config.items["enable-debug-metrics"], "false");
    assert_eq!(config.items["not-yet-invented"], r#"{"a":[1]}"#);

    let body = r#"{"max-replicas":3,"location-labels":"zone, host","enable-placement-rules":"true",
        "strictly-match-label":false,"isolation-level":""}"#;
    let (_server, pd) = saying(body).await;
    let config = pd.replication_config().await.unwrap();
    assert_eq!(config.max_replicas, Some(3));
    assert_eq!(config.location_labels, ["zone", "host"]);
    assert_eq!(
        (config.placement_rules, config.strictly_match_label),
        (Some(true), Some(false))
    );
    assert_eq!(config.isolation_level, None);
}

#[tokio::test]
async fn numbers_beyond_2_to_the_53_keep_their_last_digit() {
    let server = fake::alone(|_| Reply::text(404, "404 page not found")).await;
    let members = fake::client(&server.url()).members().await.unwrap();
    assert_eq!(members.cluster_id, 7_710_000_000_000_000_001);
    assert_eq!(members.leader.unwrap().id, 17_000_000_000_000_000_001);
    let body = format!(r#"{{"id":{},"start_key":"","end_key":""}}"#, u64::MAX);
    let (_server, pd) = saying(&body).await;
    assert_eq!(
        pd.one(RegionId(u64::MAX)).await.unwrap().id,
        RegionId(u64::MAX)
    );
}

#[tokio::test]
async fn content_types_say_nothing() {
    for kind in ["application/octet-stream", "text/plain", "nonsense"] {
        let (_server, pd) = answering(Reply::answer(200, kind, REGION)).await;
        assert_eq!(pd.one(RegionId(12)).await.unwrap().id, RegionId(12));
    }
}

#[tokio::test]
async fn records_that_are_500_when_empty_are_an_empty_list() {
    for body in [
        "\"[PD:operator:ErrOperatorNotFound]operator not found\"\n",
        "\"operator not found\"\n",
    ] {
        let (server, pd) = answering(Reply::answer(500, "application/json", body)).await;
        assert!(pd.recent_operators().await.unwrap().is_whole());
        // It is an answer, for which no other endpoint is asked.
        assert_eq!(server.count("/pd/api/v1/operators/records"), 1);
    }
}

#[tokio::test]
async fn progress_that_is_404_is_none_and_an_endless_guess_is_none_either() {
    let (_server, pd) = answering(Reply::answer(
        404,
        "application/json",
        "\"no progress found\"\n",
    ))
    .await;
    assert_eq!(pd.progress_of(StoreId(5)).await.unwrap(), None);
    let body = r#"{"action":"removing","store_id":5,"progress":0.25,"current_speed":12.5,"left_seconds":1.7976931348623157e+308}"#;
    let (server, pd) = saying(body).await;
    let progress = pd.progress_of(StoreId(5)).await.unwrap().unwrap();
    assert_eq!(
        (progress.kind, progress.store),
        (MoveKind::Removing, Some(StoreId(5)))
    );
    assert_eq!((progress.done_ratio, progress.left), (0.25, None));
    pd.progress_of_all(MoveKind::Removing).await.unwrap();
    assert!(
        server
            .asked()
            .iter()
            .any(|request| request.target == "/pd/api/v1/stores/progress?action=removing")
    );
}

#[tokio::test]
async fn rules_that_are_switched_off_are_412_and_none() {
    for body in [
        "\"[PD:placement:ErrPlacementDisabled]placement rules feature is disabled\"\n",
        "\"placement rules feature is disabled\"\n",
    ] {
        let (_server, pd) = answering(Reply::answer(412, "application/json", body)).await;
        assert_eq!(pd.placement_rules().await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_bad_rule_costs_itself_and_hexadecimal_comes_in_either_case() {
    let body = r#"[{"group_id":"pd","id":"default","start_key":"","end_key":"7a","role":"voter","count":3},
        {"group_id":"a","id":"b","start_key":"7Aff","end_key":"","role":"learner","count":1,"location_labels":["zone"],
         "label_constraints":[{"key":"engine","op":"in","values":["tiflash"]}]},
        {"group_id":"a","id":"c","start_key":"xyz","end_key":"","role":"learner","count":1}]"#;
    let (_server, pd) = saying(body).await;
    let rules = pd.placement_rules().await.unwrap().unwrap();
    assert_eq!(rules.items[0].range.end, b"z");
    assert_eq!(rules.items[1].range.start, [0x7a, 0xff]);
    assert_eq!(rules.items[1].constraints[0].values, ["tiflash"]);
    assert_eq!((rules.items.len(), rules.gaps.len()), (2, 1));
}

#[tokio::test]
async fn evicted_stores_are_listed_and_without_the_scheduler_there_is_not_even_a_path() {
    let server = fake::alone(|request| match request.target.as_str() {
        "/pd/api/v1/schedulers" => Reply::json(r#"["evict-leader-scheduler","balance-leader-scheduler"]"#),
        "/pd/api/v1/schedulers?status=paused" => Reply::json(r#"["balance-leader-scheduler"]"#),
        "/pd/api/v1/schedulers?status=paused&timestamp" => Reply::json(
            r#"[{"name":"balance-leader-scheduler","paused_at":"2026-06-17T21:35:24+08:00","resume_at":"2026-06-17T21:40:24+08:00"}]"#,
        ),
        _ => Reply::json(r#"{"store-id-ranges":{"10":[{"start-key":"","end-key":""}],"4":[]},"batch":3}"#),
    })
    .await;
    let schedulers = fake::client(&server.url()).schedulers().await.unwrap();
    assert_eq!(schedulers.evicting, [StoreId(4), StoreId(10)]);
    assert_eq!(
        schedulers.present,
        ["balance-leader-scheduler", "evict-leader-scheduler"]
    );
    assert_eq!(schedulers.paused[0].name, "balance-leader-scheduler");
    let until: Timestamp = "2026-06-17T13:40:24Z".parse().unwrap();
    assert_eq!(schedulers.paused[0].until, Some(until));
    let missing: Vec<_> = schedulers.missing().collect();
    assert_eq!(
        missing,
        ["balance-hot-region-scheduler", "balance-region-scheduler"]
    );

    let server = fake::alone(|request| match request.target.as_str() {
        "/pd/api/v1/schedulers" => Reply::json(r#"["evict-leader-scheduler"]"#),
        "/pd/api/v1/schedulers?status=paused" => Reply::json(r#"["evict-leader-scheduler"]"#),
        // A pause whose times are not to be had is still one.
        "/pd/api/v1/schedulers?status=paused&timestamp" => Reply::text(501, "what times?"),
        _ => Reply::text(404, "404 page not found\n"),
    })
    .await;
    let schedulers = fake::client(&server.url()).schedulers().await.unwrap();
    assert!(schedulers.evicting.is_empty());
    assert_eq!(schedulers.paused[0].since, None);
}

#[tokio::test]
async fn operators_are_lines_and_one_that_cannot_be_made_out_is_a_gap() {
    let body = r#"["admin-transfer-leader {transfer leader: store 1 to 4} (kind:admin,leader, region:12(7, 5), createAt:2026-06-17 21:35:24.5 +0800 CST m=+604823.1, startAt:0001-01-01 00:00:00 +0000 UTC, currentStep:0, size:97, steps:[0:{transfer leader from store 1 to store 4}], timeout:[1m0s]) finished (finishAt:2026-06-17 13:35:25 +0000 UTC m=+1.5, duration:776.5ms)",
        "something else"]"#;
    let (_server, pd) = saying(body).await;
    let operators = pd.operators().await.unwrap();
    let operator = &operators.items[0];
    assert_eq!(operator.description, "admin-transfer-leader");
    assert_eq!(operator.brief, "transfer leader: store 1 to 4");
    assert_eq!(operator.kinds, ["admin", "leader"]);
    assert_eq!(
        (
            operator.region,
            operator.epoch.map(|e| (e.version, e.conf_ver))
        ),
        (RegionId(12), Some((7, 5)))
    );
    assert_eq!(operator.created_at, "2026-06-17T13:35:24.5Z".parse().ok());
    assert_eq!(operator.started_at, None);
    assert_eq!(operator.finished_at, "2026-06-17T13:35:25Z".parse().ok());
    assert_eq!(operator.took, Some(Duration::from_micros(776_500)));
    assert!(
        operators.gaps[0]
            .to_string()
            .contains("found `something else`")
    );
}

#[tokio::test]
async fn hot_spots_come_with_rates_per_second_and_a_bad_one_costs_itself() {
    let body = r#"{"as_leader":{},"as_peer":{
        "4":{"store_bytes":10.5,"store_keys":2,"store_query":1e3,"total_flow_bytes":5,"total_flow_keys":1,
             "total_flow_query":500,"regions_count":2,"statistics":[
             {"store_id":4,"stores":[1,4],"is_leader":true,"region_id":12,"hot_degree":27,"flow_bytes":5,
              "flow_keys":1,"flow_query":500,"last_update_time":"2026-06-17T21:35:24.1+08:00"},
             {"store_id":4,"region_id":13,"flow_bytes":"many"}]},
        "5":7}}"#;
    let (_server, pd) = saying(body).await;
    let spots = pd.hot_reads().await.unwrap();
    let store = &spots.by_peer[&StoreId(4)];
    assert_eq!(
        (store.store.bytes_per_second, store.store.queries_per_second),
        (10.5, 1000.0)
    );
    assert_eq!(store.hot.queries_per_second, 500.0);
    assert_eq!(
        (
            store.peers.len(),
            store.peers[0].region,
            store.peers[0].degree
        ),
        (1, RegionId(12), 27)
    );
    assert!(store.peers[0].updated_at.is_some());
    let about: Vec<_> = spots.gaps.iter().filter_map(|gap| gap.entity()).collect();
    assert_eq!(
        about,
        [&Entity::Region(RegionId(13)), &Entity::Store(StoreId(5))]
    );
}

#[tokio::test]
async fn store_flows_are_absent_where_pd_leaves_them_out() {
    let body = r#"{"bytes-write-rate":{"1":5312211.5,"4":0},"query-read-rate":{"4":12}}"#;
    let (_server, pd) = saying(body).await;
    let flows = pd.store_flows().await.unwrap();
    assert_eq!(
        flows[&StoreId(1)].written_bytes_per_second,
        Some(5_312_211.5)
    );
    assert_eq!(flows[&StoreId(4)].written_bytes_per_second, Some(0.0));
    assert_eq!(flows[&StoreId(1)].read_queries_per_second, None);
}

#[tokio::test]
async fn a_cluster_that_was_not_made_yet_says_the_year_one() {
    let body = r#"{"raft_bootstrap_time":"0001-01-01T00:00:00Z","is_initialized":false,"replication_status":""}"#;
    let (_server, pd) = saying(body).await;
    let status = pd.cluster_status().await.unwrap();
    assert_eq!((status.bootstrapped_at, status.initialized), (None, false));
}

#[tokio::test]
async fn a_version_comes_without_its_v_and_is_none_where_it_was_not_stamped() {
    for (body, expected) in [
        ("v8.5.7", Some("8.5.7")),
        ("6.5.12", Some("6.5.12")),
        ("None", None),
        ("", None),
    ] {
        let (_server, pd) = saying(&format!(r#"{{"version":"{body}","hash":""}}"#)).await;
        assert_eq!(pd.version().await.unwrap().as_deref(), expected);
    }
}

#[tokio::test]
async fn health_names_each_member_and_a_bad_one_costs_itself() {
    let body = r#"[{"name":"pd-0","member_id":12719365824127457648,"client_urls":[],"health":true},
        {"name":"pd-1","health":"maybe"},{"name":"pd-2","member_id":1,"health":false}]"#;
    let (_server, pd) = saying(body).await;
    let health = pd.health().await.unwrap();
    let seen: Vec<_> = health
        .items
        .iter()
        .map(|member| (member.id, member.healthy))
        .collect();
    assert_eq!(seen, [(12_719_365_824_127_457_648, true), (1, false)]);
    assert!(health.gap_about(&Entity::named("pd", "pd-1")).is_some());
}

#[tokio::test]
async fn what_time_it_is_for_pd_comes_with_its_members() {
    let server = fake::alone(|_| Reply::text(404, "")).await;
    let members = fake::client(&server.url()).members().await.unwrap();
    assert_eq!(members.server_time, "2026-11-21T12:00:00Z".parse().ok());
    assert!(members.members.is_whole());
}

#[tokio::test]
async fn the_two_requests_that_harm_pd_are_never_sent() {
    let server = fake::alone(|request| match request.path() {
        "/pd/api/v1/stats/region" => Reply::json(r#"{"count":1}"#),
        _ => Reply::json(r#"{"count":0,"regions":[]}"#),
    })
    .await;
    let pd = fake::client(&server.url());
    pd.region_count().await.unwrap();
    pd.regions_on(StoreId(1), 10).await.unwrap();
    pd.tally(|_| {}).await.unwrap();
    for request in server.asked() {
        let target = &request.target;
        assert!(!target.contains("type="), "{target}");
        assert!(
            !target.contains("/stats/region") || target.ends_with("&count"),
            "{target}"
        );
    }
}

#[tokio::test]
async fn a_bad_region_costs_itself_wherever_it_stands_and_is_named() {
    let bad = r#"{"id":9,"start_key":5}"#;
    let keyless = r#"{"id":8,"start_key":"6G","end_key":""}"#;
    let body = format!(r#"{{"count":5,"regions":[{bad},{REGION},7,{keyless},{{"id":0}}]}}"#);
    let (_server, pd) = saying(&body).await;
    let listing = pd.ailing(Ailment::DownPeer, 10).await.unwrap();
    assert_eq!(listing.items.len(), 1);
    assert_eq!(listing.gaps.len(), 4);
    let gap = listing.gap_about(&Entity::Region(RegionId(9))).unwrap();
    assert!(matches!(gap.why(), Why::Unusable { .. }), "{gap}");
    assert!(listing.gap_about(&Entity::Region(RegionId(8))).is_some());
    assert!(
        listing.gaps[1]
            .to_string()
            .starts_with("region number 3 of the list not seen")
    );
}

#[tokio::test]
async fn a_list_of_nothing_but_bad_items_is_no_list() {
    let items = "7,".repeat(5000) + "7";
    let lists = [
        format!(r#"{{"regions":[{items}]}}"#),
        format!(r#"{{"stores":[{items}]}}"#),
    ];
    for (list, kind) in lists.iter().zip(["region", "store"]) {
        let (_server, pd) = saying(list).await;
        let error = match kind {
            "region" => pd.ailing(Ailment::Empty, 10_000).await.unwrap_err(),
            _ => pd.stores().await.unwrap_err(),
        };
        let expected = format!(
            "expected a {kind} in each item of the list, found more than 1000 that are none"
        );
        assert!(format!("{error:#}").ends_with(&expected), "{error:#}");
    }
}

#[tokio::test]
async fn a_list_without_regions_is_no_list_of_regions() {
    for body in [
        "{}",
        "[]",
        "null",
        "\"no\"",
        r#"{"count":0}"#,
        r#"{"regions":{}}"#,
        r#"{"regions":[}"#,
        r#"{"regions":[]"#,
        r#"{"regions":[]}x"#,
        r#"{"regions":[{"id":1}"#,
        r#"{"regions":[{"id":1},"#,
        "",
    ] {
        let (_server, pd) = saying(body).await;
        let error = format!("{:#}", pd.ailing(Ailment::Empty, 10).await.unwrap_err());
        assert!(
            error.contains("expected an object with `regions`"),
            "{body}: {error}"
        );
    }
}

#[tokio::test]
async fn fields_around_the_regions_do_not_matter() {
    for body in [
        r#" { "regions" : [ ] , "count" : 0 } "#,
        r#"{"header":{"regions":[1]},"notes":["a,}"],"text":"}],","none":null,"yes":true,"regions":[]}"#,
    ] {
        let (_server, pd) = saying(body).await;
        assert!(
            pd.ailing(Ailment::Empty, 10).await.unwrap().is_whole(),
            "{body}"
        );
    }
}

#[tokio::test]
async fn an_endless_list_is_read_up_to_the_limit_and_says_at_least() {
    let mut begun = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let regions = format!(
        r#"{{"count":1000000,"regions":[{}"#,
        format!("{REGION},").repeat(100)
    );
    begun.extend(format!("{:x}\r\n{regions}\r\n", regions.len()).into_bytes());
    // The rest never comes, and is not waited for.
    let (_server, pd) = answering(Reply::RawThenSilence(begun)).await;
    let listing = pd.ailing(Ailment::LearnerPeer, 50).await.unwrap();
    assert_eq!(listing.items.len(), 50);
    assert!(listing.next.is_some(), "it is not whole and must say so");
    let listing = pd.regions_on(StoreId(1), 0).await.unwrap();
    assert!(listing.items.is_empty() && listing.next.is_some());
}
