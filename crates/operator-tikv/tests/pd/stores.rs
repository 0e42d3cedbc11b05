//! `/stores`: shapes and traps, over HTTP as they come.

use std::time::Duration;

use httpmock::MockServer;
use operator_core::{
    Entity, Fault, Listing, ManualClock, Store, StoreId, StoreState, Timestamp, Why,
};
use operator_tikv::{PdClient, PdOptions};

use crate::support::fake;

const UP: &str = r#"{"store":{"id":4,"address":"tikv-4:20160","status_address":"tikv-4:20180",
    "version":"v8.5.0","labels":[{"key":"zone","value":"a"},{"key":"spare"}],"start_timestamp":1700000000,
    "last_heartbeat":1700000600123456789,"node_state":1,"state_name":"Up"},
    "status":{"capacity":"1.5GiB","available":"512MiB","leader_count":7,"leader_weight":0.5,"region_count":21,"slow_score":1}}"#;

fn body(stores: &[&str]) -> String {
    format!(
        r#"{{"count":{},"stores":[{}]}}"#,
        stores.len(),
        stores.join(",")
    )
}

/// As a PD leader says it that no store has reported to.
fn silent(id: u64) -> String {
    format!(
        r#"{{"store":{{"id":{id},"address":"tikv-{id}:20160","last_heartbeat":1700000300000000000,
        "state_name":"Disconnected"}},"status":{{"capacity":"0B","available":"0B","leader_count":0}}}}"#
    )
}

/// A member of a cluster.
async fn pd() -> MockServer {
    let server = MockServer::start_async().await;
    server
        .mock_async(|when, then| {
            when.path("/pd/api/v1/cluster")
                .header("pd-allow-follower-handle", "true");
            then.status(200).body(r#"{"id":7,"max_peer_count":3}"#);
        })
        .await;
    server
}

async fn listed(stores: &[&str]) -> Listing<Store> {
    let server = pd().await;
    server
        .mock_async(|when, then| {
            when.path("/pd/api/v1/stores");
            then.status(200).body(body(stores));
        })
        .await;
    let pd = fake::client(&server.address().to_string());
    pd.stores().await.unwrap()
}

#[tokio::test]
async fn a_store_is_read_whole() {
    let listing = listed(&[UP]).await;
    assert!(listing.is_whole());
    let expected = Store {
        status_address: Some("tikv-4:20180".into()),
        state: Some(StoreState::Up),
        version: Some("8.5.0".into()),
        labels: [("zone".into(), "a".into()), ("spare".into(), String::new())].into(),
        capacity_bytes: Some(3 << 29),
        available_bytes: Some(512 << 20),
        leader_count: Some(7),
        leader_weight_permille: Some(500),
        region_count: Some(21),
        last_heartbeat: Some(Timestamp::from_unix_millis(1_700_000_600_123)),
        started_at: Some(Timestamp::from_unix_seconds(1_700_000_000)),
        slow_score: Some(1),
        busy: Some(false),
        ..Store::new(StoreId(4), "tikv-4:20160")
    };
    assert_eq!(listing.items, [expected]);
}

#[tokio::test]
async fn a_bad_store_costs_itself_and_is_named() {
    let listing = listed(&[r#"{"store":{"id":9,"address":5}}"#, UP, "true"]).await;
    assert_eq!(listing.items.len(), 1);
    let gap = listing.gap_about(&Entity::Store(StoreId(9))).unwrap();
    assert!(
        gap.to_string()
            .starts_with("store of store/9 not seen: expected a store, found `{\"store\"")
    );
    assert!(
        listing.gaps[1]
            .to_string()
            .starts_with("store number 3 of the list not seen")
    );
}

#[tokio::test]
async fn a_size_that_is_none_costs_itself() {
    let store =
        r#"{"store":{"id":4,"address":"a:1","state_name":"Up"},"status":{"capacity":"lots"}}"#;
    let listing = listed(&[store]).await;
    assert_eq!(listing.items[0].state, Some(StoreState::Up));
    assert_eq!(
        listing.gaps[0].to_string(),
        "capacity of store/4 not seen: expected a size such as 1.5GiB, found `lots`"
    );
}

#[tokio::test]
async fn null_is_an_empty_list() {
    let server = pd().await;
    server
        .mock_async(|when, then| {
            when.path("/pd/api/v1/stores");
            then.status(200).body(r#"{"count":0,"stores":null}"#);
        })
        .await;
    let pd = fake::client(&server.base_url());
    assert!(pd.stores().await.unwrap().items.is_empty());
}

#[tokio::test]
async fn every_store_silent_with_0b_is_unseen_for_a_minute_and_then_believed() {
    let server = pd().await;
    let (a, b) = (silent(1), silent(2));
    server
        .mock_async(|when, then| {
            when.path("/pd/api/v1/stores");
            then.status(200).body(body(&[&a, &b]));
        })
        .await;
    let hand = ManualClock::new(Timestamp::from_unix_seconds(1_700_000_700));
    let options = PdOptions {
        clock: hand.clone().into(),
        ..fake::patient()
    };
    let pd = PdClient::with(&server.base_url(), options).unwrap();

    for _ in 0..2 {
        let listing = pd.stores().await.unwrap();
        assert_eq!(listing.items.len(), 2);
        for store in &listing.items {
            assert_eq!(
                (&store.state, store.last_heartbeat, store.capacity_bytes),
                (&None, None, None)
            );
            let gap = listing
                .known(&store.entity(), "state", store.state.clone())
                .unwrap_err();
            assert!(matches!(gap.why(), Why::Distrusted { .. }));
        }
        hand.advance(Duration::from_secs(59));
        // Looking at other lists in between does not begin the minute anew.
        pd.tombstones().await.unwrap();
    }
    let listing = pd.stores().await.unwrap();
    assert_eq!(listing.items[0].state, Some(StoreState::Disconnected));
    assert_eq!(listing.items[0].capacity_bytes, None);
}

#[tokio::test]
async fn stores_that_have_not_yet_reported_to_a_new_pd_leader_are_unseen_for_a_minute_each() {
    // Heartbeats are a hundred seconds old, as a new leader may find them written down.
    let hand = ManualClock::new(Timestamp::from_unix_seconds(1_700_000_400));
    let looks = [
        // at, those that seem silent, those that are not believed
        (0, vec![5, 6], vec![5, 6]),
        (10, vec![6], vec![6]),
        (59, vec![6], vec![6]),
        (60, vec![6], vec![]),
        (70, vec![5, 6], vec![5]),
    ];
    let options = PdOptions {
        clock: hand.clone().into(),
        ..fake::patient()
    };
    let (say, said) = std::sync::mpsc::channel::<String>();
    let said = std::sync::Mutex::new(said);
    let server =
        fake::alone(move |_| crate::support::Reply::json(said.lock().unwrap().recv().unwrap()))
            .await;
    let pd = PdClient::with(&server.url(), options).unwrap();
    for (at, silent_ones, unseen) in looks {
        hand.set(Timestamp::from_unix_seconds(1_700_000_400 + at));
        let stores: Vec<_> = silent_ones.iter().map(|id| silent(*id)).collect();
        let stores: Vec<_> = stores.iter().map(String::as_str).chain([UP]).collect();
        say.send(body(&stores)).unwrap();
        let listing = pd.stores().await.unwrap();
        let blank: Vec<_> = listing
            .items
            .iter()
            .filter(|store| store.state.is_none())
            .map(|store| store.id.0)
            .collect();
        assert_eq!(blank, unseen, "after {at} s");
    }
}

#[tokio::test]
async fn after_all_pds_were_away_for_long_those_that_report_last_are_not_believed_dead() {
    // Everyone's heartbeat is older than what a leader change alone explains.
    let hand = ManualClock::new(Timestamp::from_unix_seconds(1_700_009_000));
    let options = PdOptions {
        clock: hand.clone().into(),
        ..fake::patient()
    };
    let (say, said) = std::sync::mpsc::channel::<String>();
    let said = std::sync::Mutex::new(said);
    let server =
        fake::alone(move |_| crate::support::Reply::json(said.lock().unwrap().recv().unwrap()))
            .await;
    let pd = PdClient::with(&server.url(), options).unwrap();
    for stores in [[&silent(4)[..], &silent(5)], [UP, &silent(5)]] {
        say.send(body(&stores)).unwrap();
        let listing = pd.stores().await.unwrap();
        assert_eq!(listing.items[1].state, None);
        hand.advance(Duration::from_secs(5));
    }
}

#[tokio::test]
async fn one_store_among_others_that_is_silent_for_long_is_believed() {
    let listing = listed(&[UP, &silent(5)]).await;
    assert_eq!(listing.items[1].state, Some(StoreState::Disconnected));
    assert!(listing.items[1].last_heartbeat.is_some());
}

#[tokio::test]
async fn a_store_that_never_reported_is_down_and_has_no_heartbeat() {
    let never = r#"{"store":{"id":9,"address":"a:1","state_name":"Down"},"status":{"capacity":"0B","available":"0B"}}"#;
    let listing = listed(&[never]).await;
    assert_eq!(listing.items[0].state, Some(StoreState::Down));
    assert_eq!(listing.items[0].last_heartbeat, None);
    assert_eq!(listing.items[0].capacity_bytes, None);
    assert!(
        listing.is_whole(),
        "nothing of it is missing: there is nothing"
    );
}

#[tokio::test]
async fn a_full_disk_has_a_capacity_and_nothing_available() {
    let full = r#"{"store":{"id":9,"address":"a:1","state_name":"Up"},"status":{"capacity":"1GiB","available":"0B"}}"#;
    assert_eq!(listed(&[full]).await.items[0].available_bytes, Some(0));
}

#[tokio::test]
async fn a_dead_endpoint_is_passed_over_and_accounted_for_when_all_are() {
    let server = pd().await;
    let mock = server
        .mock_async(|when, then| {
            when.path("/pd/api/v1/stores")
                .header("x-caller-id", "operator")
                .header("component", "operator");
            then.status(200).body(body(&[UP]));
        })
        .await;
    let taken = fake::bound();
    let dead = taken.local_addr().unwrap();
    let pd = fake::client(&format!("{dead},{}", server.address()));
    assert_eq!(pd.stores().await.unwrap().items.len(), 1);
    mock.assert_async().await;

    let pd = fake::client(&format!("{dead},localhost:1"));
    let error = pd.stores().await.unwrap_err();
    let Fault::Exhausted(errors) = &*error.fault else {
        panic!("{error:#}")
    };
    assert_eq!(errors[0].origin, Some(format!("http://{dead}")));
    assert_eq!(errors[1].origin.as_deref(), Some("http://localhost:1"));
}

#[tokio::test]
async fn stores_of_every_version_are_read() {
    let versions = [
        // 6.5: no more than it has to say
        (
            r#""version":"6.5.12","#,
            r#""leader_weight":1,"uptime":"1h0m0s","last_heartbeat_ts":"2026-06-17T21:35:24+08:00""#,
        ),
        // 7.5: a trend, with numbers that have no fraction
        (
            r#""version":"v7.5.7","node_state":1,"#,
            r#""slow_trend":{"cause_value":250123.5,"cause_rate":0,"result_value":1,"result_rate":-1.75}"#,
        ),
        // 8.5: scores by network, pending peers
        (
            r#""version":"8.5.7","peer_address":"b:2","git_hash":"x","#,
            r#""pending_peer_count":3,"network_slow_score":{"4":1,"5":37},"region_score":1e9"#,
        ),
        // after it: what nobody knows yet
        (
            r#""version":"9.0.0","physically_destroyed":true,"#,
            r#""pause_leader_transfer_in":true,"not_yet_invented":[{}]"#,
        ),
    ];
    for (meta, status) in versions {
        let store = format!(
            r#"{{"store":{{"id":4,"address":"a:1",{meta}"last_heartbeat":1700000600123456789,"state_name":"Offline","state":1}},
            "status":{{"capacity":"1TiB","available":"1GiB","leader_count":0,"region_count":21,{status}}}}}"#
        );
        let listing = listed(&[&store]).await;
        assert!(listing.is_whole(), "{:?}", listing.gaps);
        let store = &listing.items[0];
        assert_eq!(store.state, Some(StoreState::Offline));
        assert!(
            store
                .version
                .as_ref()
                .is_some_and(|version| !version.starts_with('v'))
        );
        assert_eq!(
            (store.leader_count, store.region_count),
            (Some(0), Some(21))
        );
        // What is left out is zero; but a score begins at one.
        assert_eq!((store.slow_score, store.busy), (None, Some(false)));
    }
}
