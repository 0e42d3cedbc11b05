//! Peers that are no ordinary voters, and what PD remembers of the moves of the others.

use std::collections::BTreeSet;
use std::time::Duration;

use operator_sim::{Cluster, Outcome, Request, Scenario, Shape};
use serde_json::Value;

const SECOND: Duration = Duration::from_secs(1);

fn cluster(shape: Shape) -> Cluster {
    let mut cluster = Cluster::new(shape).expect("the shape is sound");
    cluster.advance(60 * SECOND);
    cluster
}

fn said(cluster: &mut Cluster, request: &Request) -> (u16, Value) {
    match cluster.pd(0, request) {
        Outcome::Reply(reply) => (
            reply.status,
            serde_json::from_slice(&reply.body).unwrap_or(Value::Null),
        ),
        other => panic!("PD answers {other:?}"),
    }
}

fn pd(cluster: &mut Cluster, target: &str) -> (u16, Value) {
    said(cluster, &Request::get(&format!("/pd/api/v1/{target}")))
}

fn regions(cluster: &mut Cluster) -> Vec<Value> {
    let (_, mut answer) = pd(cluster, "regions");
    answer["regions"]
        .as_array_mut()
        .map(std::mem::take)
        .expect("a list of regions")
}

fn roles(region: &Value) -> Vec<(String, u64)> {
    region["peers"]
        .as_array()
        .expect("a region has peers")
        .iter()
        .map(|peer| {
            let role = peer["role_name"].as_str().expect("always there").to_owned();
            (role, peer["role"].as_u64().unwrap_or(0))
        })
        .collect()
}

fn query(cluster: &Cluster, query: &str) -> Vec<(Value, f64)> {
    let encoded: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let outcome = cluster.prometheus(&Request::get(&format!("/api/v1/query?query={encoded}")));
    let Outcome::Reply(reply) = outcome else {
        panic!("Prometheus does not answer");
    };
    let body: Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(reply.status, 200, "{query}: {body}");
    body["data"]["result"]
        .as_array()
        .expect("a vector")
        .iter()
        .map(|row| {
            let value = row["value"][1].as_str().and_then(|text| text.parse().ok());
            (row["metric"].clone(), value.expect("a number"))
        })
        .collect()
}

#[test]
fn a_moved_peer_goes_through_joint_consensus() {
    let mut cluster = cluster(Shape {
        stores: 5,
        regions: 150,
        ..Shape::default()
    });
    assert!(cluster.scale_in(5));
    let mut seen = BTreeSet::new();
    for _ in 0..3_000 {
        if seen.len() >= 3 {
            break;
        }
        cluster.advance(Duration::from_millis(20));
        for region in regions(&mut cluster) {
            let mut roles = roles(&region);
            roles.sort();
            seen.insert(roles);
        }
    }
    let known = |roles: &[(&str, u64)]| -> Vec<(String, u64)> {
        roles
            .iter()
            .map(|(name, role)| ((*name).to_owned(), *role))
            .collect()
    };
    let voters = [("Voter", 0), ("Voter", 0), ("Voter", 0)];
    let expected = BTreeSet::from([
        known(&voters),
        known(&[("Learner", 1), voters[0], voters[0], voters[0]]),
        known(&[
            ("DemotingVoter", 3),
            ("IncomingVoter", 2),
            voters[0],
            voters[0],
        ]),
    ]);
    assert_eq!(seen, expected);
    cluster.advance(60 * SECOND);
    let (status, records) = pd(&mut cluster, "operators/records");
    assert_eq!(status, 200);
    let texts = records.as_array().into_iter().flatten();
    let mut moves = texts
        .filter_map(Value::as_str)
        .filter(|text| text.contains("mv peer"));
    let text = moves.next().expect("peers were moved");
    for part in [
        "createAt:",
        "m=+",
        "use joint consensus",
        "finished (finishAt:",
        "duration:",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_region_without_one_of_its_two_quorums_stays_in_joint_consensus() {
    let mut cluster = cluster(Shape {
        stores: 4,
        regions: 200,
        ..Shape::default()
    });
    cluster.scale_in(4);
    let joint = |cluster: &mut Cluster| -> usize {
        let all = regions(cluster);
        all.iter()
            .filter(|region| region.to_string().contains("IncomingVoter"))
            .count()
    };
    while joint(&mut cluster) == 0 {
        cluster.advance(Duration::from_millis(20));
    }
    cluster
        .inject("store-killed store=1,2,3 for=5m")
        .expect("it is known");
    cluster.advance(60 * SECOND);
    assert!(joint(&mut cluster) > 0);
    cluster.advance(600 * SECOND);
    assert_eq!(joint(&mut cluster), 0);
}

#[test]
fn records_are_forgotten_in_time_and_with_the_leader() {
    let mut cluster = cluster(Shape::default());
    assert_eq!(
        pd(&mut cluster, "operators/records").0,
        500,
        "none is an error"
    );
    cluster
        .inject("evict-leader-left store=2 for=20s")
        .expect("it is known");
    cluster.advance(30 * SECOND);
    let (status, records) = pd(&mut cluster, "operators/records");
    assert_eq!(status, 200);
    let count = records.as_array().map_or(0, Vec::len);
    assert!(count >= 15, "{count} records");
    let later = cluster.unix_ms() / 1000 + 60;
    assert_eq!(
        pd(&mut cluster, &format!("operators/records?from={later}")).0,
        500
    );
    cluster.advance(700 * SECOND);
    assert_eq!(
        pd(&mut cluster, "operators/records").0,
        500,
        "ten minutes have passed"
    );
    cluster
        .inject("evict-leader-left store=2 for=20s")
        .expect("it is known");
    cluster.advance(10 * SECOND);
    assert_eq!(pd(&mut cluster, "operators/records").0, 200);
    let path = "/pd/api/v1/leader/transfer/pd-1";
    said(&mut cluster, &Request::new("POST", path, ""));
    assert_eq!(
        pd(&mut cluster, "operators/records").0,
        500,
        "a new leader remembers none"
    );
}

#[test]
fn a_witness_has_no_data_and_leads_nothing() {
    let mut cluster = cluster(Shape {
        stores: 5,
        regions: 60,
        witnesses: true,
        ..Shape::default()
    });
    cluster.inject("store-killed store=1").expect("it is known");
    for _ in 0..12 {
        cluster.advance(10 * SECOND);
        for region in regions(&mut cluster) {
            let peers = region["peers"].as_array().expect("it has peers");
            let witnesses: Vec<&Value> = peers
                .iter()
                .filter(|peer| peer["is_witness"] == true)
                .collect();
            assert_eq!(witnesses.len(), 1, "{region}");
            assert_ne!(region["leader"]["id"], witnesses[0]["id"], "{region}");
        }
    }
    let (_, stores) = pd(&mut cluster, "stores");
    let of = |name: &str| -> u64 {
        let all = stores["stores"].as_array().expect("a list");
        all.iter()
            .filter_map(|store| store["status"][name].as_u64())
            .sum()
    };
    assert_eq!(of("witness_count"), 60);
    assert_eq!(of("region_count"), 180);
    let size = regions(&mut cluster)
        .iter()
        .filter_map(|region| region["approximate_size"].as_u64())
        .sum::<u64>();
    assert_eq!(of("region_size"), 2 * size);
}

#[test]
fn tiflash_is_a_store_to_pd_and_no_tikv_to_prometheus() {
    let scenario = Scenario::named("tiflash-present").expect("it is there");
    let mut cluster = scenario.build(4);
    let (_, store) = pd(&mut cluster, "store/4");
    assert_eq!(
        store["store"]["labels"],
        serde_json::json!([{"key": "engine", "value": "tiflash"}])
    );
    assert_eq!(store["store"]["version"], "v8.5.7");
    assert_eq!(store["store"]["state_name"], "Up");
    assert!(
        store["store"]["address"]
            .as_str()
            .is_some_and(|a| a.ends_with(":3930"))
    );
    let learners = &store["status"]["learner_count"];
    assert!(learners.as_u64() > Some(10) && store["status"]["leader_count"] == 0);
    assert_eq!(store["status"]["region_count"], *learners);
    assert_eq!(query(&cluster, "up{job=~\".*tikv\"}").len(), 3);
    let own = query(&cluster, "up{job=~\".*tiflash\"}");
    assert_eq!(own.len(), 1);
    assert_eq!(own[0].0["instance"], "10.0.0.5:20292");
    assert_eq!(query(&cluster, "tikv_server_info").len(), 3);
    let up = query(
        &cluster,
        "sum by (engine) (pd_cluster_status{type=\"store_up_count\"})",
    );
    assert_eq!(up.len(), 2);
    // Nobody counts its learners as missing, surplus or on their way.
    for kind in ["miss-peer", "extra-peer", "pending-peer", "down-peer"] {
        let text = format!("pd_regions_status{{type=\"{kind}-region-count\"}} > 0");
        assert!(query(&cluster, &text).is_empty(), "{kind}");
    }
    // A dead store of TiKV is survived as ever, and the dead learner follows again.
    cluster
        .inject("store-killed store=2,4 for=2m")
        .expect("it is known");
    cluster.advance(60 * SECOND);
    assert!(
        query(
            &cluster,
            "pd_regions_status{type=\"pending-peer-region-count\"} > 0"
        )
        .len()
            == 1
    );
    cluster.advance(240 * SECOND);
    for region in regions(&mut cluster) {
        assert!(region.get("pending_peers").is_none(), "{region}");
        assert_ne!(region["leader"]["store_id"], 4);
    }
}

#[test]
fn each_member_keeps_its_own_history_of_what_was_hot() {
    let mut cluster = cluster(Shape::default());
    let path = "/pd/api/v1/hotspot/regions/history";
    let own = |cluster: &mut Cluster, member: usize, body: &str| -> Value {
        let request =
            Request::new("GET", path, body).with_header("PD-Allow-follower-handle", "true");
        match cluster.pd(member, &request) {
            Outcome::Reply(reply) => serde_json::from_slice(&reply.body).expect("JSON"),
            other => panic!("PD answers {other:?}"),
        }
    };
    assert!(own(&mut cluster, 0, "")["history_hot_region"].is_null());
    cluster
        .inject("hot-write region=4 for=25m")
        .expect("it is known");
    cluster.advance(1_800 * SECOND);
    let rows = own(&mut cluster, 0, "")["history_hot_region"].clone();
    let rows = rows.as_array().expect("it was hot");
    // At ten and at twenty minutes, each of three peers.
    assert_eq!(rows.len(), 6, "{rows:?}");
    assert!(
        rows.iter()
            .all(|row| row["region_id"] == 4 && row["hot_region_type"] == "write")
    );
    let leaders = "{\"is_leaders\":[true],\"is_learners\":[false]}";
    let led = own(&mut cluster, 0, leaders)["history_hot_region"].clone();
    assert_eq!(led.as_array().map(Vec::len), Some(2));
    let forgotten = own(&mut cluster, 0, "{\"is_leaders\":[true]}");
    assert!(
        forgotten["history_hot_region"].is_null(),
        "a needed list is left out"
    );
    let others = own(
        &mut cluster,
        0,
        "{\"region_ids\":[8],\"is_leaders\":[true],\"is_learners\":[false]}",
    );
    assert!(others["history_hot_region"].is_null());
    assert!(
        own(&mut cluster, 1, "")["history_hot_region"].is_null(),
        "it never led"
    );
}
