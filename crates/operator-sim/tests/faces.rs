//! PD's face where something is wrong, and where versions differ. Over real sockets: `served.rs`.

use std::time::Duration;

use operator_sim::{
    Cluster, Outcome, Release, Reply, Request, Shape, faults, pd_endpoints, scenarios,
};
use serde_json::{Value, json};

fn cluster(release: Release) -> Cluster {
    let mut cluster = Cluster::new(Shape {
        release,
        ..Shape::default()
    })
    .expect("the shape is sound");
    cluster.advance(Duration::from_secs(30));
    cluster
}

fn reply(cluster: &mut Cluster, member: usize, request: &Request) -> Reply {
    match cluster.pd(member, request) {
        Outcome::Reply(reply) => reply,
        other => panic!("{request:?}: {other:?}"),
    }
}

fn said(cluster: &mut Cluster, method: &str, target: &str, body: &str) -> (u16, Value) {
    let target = format!("/pd/api/v1{target}");
    let reply = reply(cluster, 0, &Request::new(method, &target, body));
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    (
        reply.status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

#[test]
fn refusals_have_the_words_of_their_version() {
    let error = |release, target: &str| said(&mut cluster(release), "GET", target, "");
    assert_eq!(
        error(Release::V8_5, "/store/99"),
        (404, json!("[PD:core:ErrStoreNotFound]store 99 not found"))
    );
    assert_eq!(
        error(Release::V6_5, "/store/99"),
        (404, json!("store 99 not found"))
    );
    assert_eq!(error(Release::V8_5, "/region/id/999").1["id"], 0);
    assert_eq!(
        error(Release::Head, "/region/id/999"),
        (
            404,
            json!("[PD:region:ErrRegionNotFound]region 999 not found")
        )
    );
    assert_eq!(error(Release::V8_5, "/store/x").0, 400);
    assert_eq!(error(Release::V8_5, "/stores?state=Up").0, 500);
    assert_eq!(error(Release::V8_5, "/nothing").0, 404);
    assert_eq!(
        error(Release::V6_5, "/stores/check").0,
        404,
        "came with 7.5"
    );
    assert_eq!(error(Release::V8_5, "/operators/records").0, 500);
    assert_eq!(
        error(Release::V8_5, "/stores/progress?action=removing").0,
        404
    );
    let mut cluster = cluster(Release::V8_5);
    assert_eq!(
        reply(
            &mut cluster,
            0,
            &Request::new("PUT", "/pd/api/v1/stores", "")
        )
        .status,
        405
    );
}

#[test]
fn a_dead_leader_looks_as_it_does() {
    let stores = Request::get("/pd/api/v1/stores");
    for (release, text) in [
        (Release::V6_5, "redirect failed\n"),
        (Release::V8_5, "[PD:apiutil:ErrRedirect]redirect failed\n"),
    ] {
        let mut cluster = cluster(release);
        cluster
            .inject("pd-killed member=leader")
            .expect("the fault is known");
        assert_eq!(cluster.pd(0, &stores), Outcome::Refused);
        let answer = reply(&mut cluster, 1, &stores);
        assert_eq!(
            (
                answer.status,
                String::from_utf8_lossy(&answer.body).as_ref()
            ),
            (500, text)
        );
        let own = Request::get("/pd/api/v1/leader").with_header("PD-Allow-follower-handle", "1");
        assert_eq!(reply(&mut cluster, 1, &own).status, 200);
        let redirected = stores.clone().with_header("PD-Redirector", "pd-2");
        assert_eq!(reply(&mut cluster, 1, &redirected).status, 500);
        cluster.advance(Duration::from_secs(20));
        assert_eq!(reply(&mut cluster, 1, &stores).status, 200);
    }
}

#[test]
fn a_frozen_leader_is_silence_until_another_leads() {
    let mut cluster = cluster(Release::V8_5);
    cluster
        .inject("pd-frozen member=leader")
        .expect("the fault is known");
    let stores = Request::get("/pd/api/v1/stores");
    assert_eq!(cluster.pd(1, &stores), Outcome::Silence);
    assert_eq!(
        reply(&mut cluster, 1, &Request::get("/pd/api/v1/ping")).status,
        200
    );
    let health = reply(&mut cluster, 1, &Request::get("/pd/api/v1/health"));
    assert_eq!(
        health.after,
        Duration::from_secs(3),
        "the frozen member is waited for"
    );
    cluster.advance(Duration::from_secs(15));
    assert_eq!(reply(&mut cluster, 1, &stores).status, 200);
}

#[test]
fn without_a_quorum_nobody_leads() {
    for (release, waits, text) in [
        (Release::V7_5, 0, "no leader\n"),
        (
            Release::V8_5,
            3,
            "[PD:apiutil:ErrRedirectNoLeader]redirect finds no leader\n",
        ),
    ] {
        let mut cluster = cluster(release);
        cluster
            .inject("pd-killed member=pd-0,pd-1")
            .expect("the fault is known");
        cluster.advance(Duration::from_secs(20));
        let answer = reply(&mut cluster, 2, &Request::get("/pd/api/v1/stores"));
        assert_eq!((answer.status, answer.after.as_secs()), (503, waits));
        assert_eq!(String::from_utf8_lossy(&answer.body), text);
    }
}

#[test]
fn pd_can_be_spoiled_in_every_way() {
    let stores = Request::get("/pd/api/v1/stores");
    let spoiled = |fault: &str| {
        let mut cluster = cluster(Release::V8_5);
        cluster.inject(fault).expect("the fault is known");
        cluster
    };
    assert_eq!(
        reply(&mut spoiled("pd-slow delay=4s"), 0, &stores).after,
        Duration::from_secs(4)
    );
    assert_eq!(reply(&mut spoiled("pd-fails"), 0, &stores).status, 500);
    let cut = reply(&mut spoiled("pd-truncates"), 0, &stores);
    assert!(cut.cut_at.is_some_and(|at| at < cut.body.len()));
    let id = |cluster: &mut Cluster| said(cluster, "GET", "/cluster", "").1["id"].clone();
    assert_ne!(
        id(&mut spoiled("pd-other-cluster")),
        id(&mut cluster(Release::V8_5))
    );
    let date = |mut cluster: Cluster| {
        let headers = reply(&mut cluster, 0, &stores).headers;
        headers
            .into_iter()
            .find(|(name, _)| *name == "date")
            .map(|(_, date)| date)
    };
    assert_ne!(
        date(spoiled("pd-clock seconds=30")),
        date(cluster(Release::V8_5))
    );
}

#[test]
fn pages_by_key_cover_every_region_once() {
    let mut cluster = Cluster::new(Shape {
        regions: 2_500,
        ..Shape::default()
    })
    .expect("the shape is sound");
    let (mut key, mut ids, mut pages) = (String::new(), Vec::new(), 0);
    loop {
        let (status, page) = said(
            &mut cluster,
            "GET",
            &format!("/regions/key?key={key}&limit=1024&format=hex"),
            "",
        );
        assert_eq!(status, 200);
        pages += 1;
        let regions = page["regions"].as_array().cloned().unwrap_or_default();
        ids.extend(regions.iter().filter_map(|region| region["id"].as_u64()));
        key = regions
            .last()
            .and_then(|region| region["end_key"].as_str())
            .unwrap_or_default()
            .to_owned();
        if key.is_empty() {
            break;
        }
    }
    assert_eq!((pages, ids.len()), (3, 2_500));
    ids.dedup();
    assert_eq!(ids.len(), 2_500);
}

#[test]
fn writes_change_what_is_read() {
    let mut cluster = cluster(Release::V8_5);
    let evict = json!({"name": "evict-leader-scheduler", "store_id": 1}).to_string();
    assert_eq!(
        said(&mut cluster, "POST", "/schedulers", &evict),
        (200, json!("The scheduler is created."))
    );
    cluster.advance(Duration::from_secs(10));
    assert_eq!(
        said(&mut cluster, "GET", "/store/1", "").1["status"]["leader_count"],
        0
    );
    assert_eq!(
        said(
            &mut cluster,
            "DELETE",
            "/schedulers/evict-leader-scheduler-1",
            ""
        ),
        (200, Value::Null)
    );
    assert_eq!(
        said(
            &mut cluster,
            "GET",
            "/scheduler-config/evict-leader-scheduler/list",
            ""
        )
        .0,
        404
    );

    assert_eq!(
        said(
            &mut cluster,
            "POST",
            "/config",
            r#"{"schedule.halt-scheduling":true}"#
        )
        .0,
        400,
        "text only"
    );
    assert_eq!(
        said(
            &mut cluster,
            "POST",
            "/config",
            r#"{"schedule.halt-scheduling":"true"}"#
        )
        .0,
        200
    );
    assert_eq!(
        said(&mut cluster, "GET", "/config/schedule", "").1["halt-scheduling"],
        "true"
    );
    assert_eq!(
        said(&mut cluster, "POST", "/config", r#"{"no-such-item":1}"#).0,
        400
    );

    let pause = |cluster: &mut Cluster, name: &str, delay: u64| {
        said(
            cluster,
            "POST",
            &format!("/schedulers/{name}"),
            &json!({"delay": delay}).to_string(),
        )
        .0
    };
    let paused = |cluster: &mut Cluster| {
        let names = said(cluster, "GET", "/schedulers?status=paused", "").1;
        names.as_array().map_or(0, Vec::len)
    };
    assert_eq!(
        (pause(&mut cluster, "all", 60), paused(&mut cluster)),
        (200, 5)
    );
    assert_eq!(
        (
            pause(&mut cluster, "balance-leader-scheduler", 0),
            paused(&mut cluster)
        ),
        (200, 4)
    );
    assert_eq!(pause(&mut cluster, "no-scheduler", 60), 500);
    cluster.advance(Duration::from_secs(61));
    assert_eq!(paused(&mut cluster), 0);

    let (status, text) = said(&mut cluster, "DELETE", "/store/1", "");
    assert_eq!(status, 400, "three replicas need three stores: {text}");
    assert_eq!(
        said(&mut cluster, "GET", "/store/1", "").1["store"]["state_name"],
        "Up"
    );

    assert_eq!(
        said(&mut cluster, "POST", "/leader/transfer/pd-2", "").0,
        200
    );
    assert_eq!(said(&mut cluster, "GET", "/leader", "").1["name"], "pd-2");
}

#[test]
fn a_leader_is_handed_over_on_request() {
    let mut cluster = cluster(Release::V8_5);
    let region = said(&mut cluster, "GET", "/region/id/4", "").1;
    let leader = region["leader"]["store_id"].as_u64();
    let peers = region["peers"].as_array().into_iter().flatten();
    let to = peers
        .filter_map(|peer| peer["store_id"].as_u64())
        .find(|id| Some(*id) != leader);
    let order = |to: Option<u64>| {
        json!({"name": "transfer-leader", "region_id": 4, "to_store_id": to}).to_string()
    };
    assert_eq!(
        said(&mut cluster, "POST", "/operators", &order(leader)),
        (500, json!("no operator step is built"))
    );
    assert_eq!(
        said(&mut cluster, "POST", "/operators", &order(to)),
        (200, json!("The operator is created."))
    );
    assert_eq!(
        said(&mut cluster, "GET", "/region/id/4", "").1["leader"]["store_id"].as_u64(),
        to
    );
}

#[test]
fn a_removed_store_is_emptied_and_becomes_a_tombstone() {
    let mut cluster = Cluster::new(Shape {
        stores: 5,
        regions: 100,
        ..Shape::default()
    })
    .expect("the shape is sound");
    cluster.advance(Duration::from_secs(30));
    assert_eq!(said(&mut cluster, "DELETE", "/store/5", "").0, 200);
    assert_eq!(
        said(&mut cluster, "GET", "/store/5", "").1["store"]["state_name"],
        "Offline"
    );
    cluster.advance(Duration::from_secs(30 * 60));
    let store = said(&mut cluster, "GET", "/store/5", "").1;
    assert_eq!(store["store"]["state_name"], "Tombstone", "{store}");
    assert_eq!(store["status"]["region_count"], 0);
    assert_eq!(said(&mut cluster, "DELETE", "/store/5", "").0, 410);
}

#[test]
fn a_removal_without_a_target_stands_still() {
    let mut cluster = Cluster::new(Shape {
        stores: 5,
        regions: 100,
        ..Shape::default()
    })
    .expect("the shape is sound");
    for fault in ["no-target", "store-removed store=5 at=30s"] {
        cluster.inject(fault).expect("the fault is known");
    }
    cluster.advance(Duration::from_secs(1800));
    let progress = said(&mut cluster, "GET", "/stores/progress?id=5", "").1;
    assert_eq!(
        (&progress["progress"], &progress["current_speed"]),
        (&json!(0), &json!(0)),
        "{progress}"
    );
}

#[test]
fn a_lost_store_is_replaced_after_half_an_hour() {
    let mut cluster = Cluster::new(Shape {
        stores: 5,
        regions: 100,
        ..Shape::default()
    })
    .expect("the shape is sound");
    cluster
        .inject("store-killed store=2")
        .expect("the fault is known");
    cluster.advance(Duration::from_secs(25 * 60));
    assert!(
        said(&mut cluster, "GET", "/regions/check/down-peer", "").1["count"].as_u64() > Some(0)
    );
    assert!(
        said(&mut cluster, "GET", "/store/2", "").1["status"]["region_count"].as_u64() > Some(0)
    );
    cluster.advance(Duration::from_secs(60 * 60));
    let store = said(&mut cluster, "GET", "/store/2", "").1;
    assert_eq!(
        (
            &store["store"]["state_name"],
            &store["status"]["region_count"]
        ),
        (&json!("Down"), &json!(0))
    );
    assert_eq!(
        said(&mut cluster, "GET", "/regions/check/down-peer", "").1["count"],
        0
    );
}

#[test]
fn a_store_that_finds_itself_slow_loses_its_leaders() {
    let mut cluster = cluster(Release::V8_5);
    cluster
        .inject("disk-slow store=2 factor=200")
        .expect("the fault is known");
    let score = |cluster: &mut Cluster| {
        said(cluster, "GET", "/store/2", "").1["status"]["slow_score"].as_u64()
    };
    cluster.advance(Duration::from_secs(30));
    assert!(
        score(&mut cluster) < Some(80),
        "PD needs more than a minute"
    );
    cluster.advance(Duration::from_secs(70));
    assert!(score(&mut cluster) >= Some(80));
    assert_eq!(
        said(&mut cluster, "GET", "/store/2", "").1["status"]["leader_count"],
        0
    );
}

#[test]
fn a_thawed_store_keeps_what_nobody_took() {
    let mut cluster = cluster(Release::V8_5);
    let leaders = |cluster: &mut Cluster| {
        said(cluster, "GET", "/store/2", "").1["status"]["leader_count"].as_u64()
    };
    let before = leaders(&mut cluster);
    cluster
        .inject("store-frozen store=2 for=8s")
        .expect("the fault is known");
    cluster.advance(Duration::from_secs(60));
    assert_eq!(leaders(&mut cluster), before);
    assert!(
        !cluster
            .log_lines()
            .iter()
            .any(|line| line.text.contains("became leader"))
    );
}

#[test]
fn a_new_store_fills() {
    let mut cluster = cluster(Release::V8_5);
    let id = cluster.add_store().expect("there is room");
    cluster.advance(Duration::from_secs(2 * 3600));
    let store = said(&mut cluster, "GET", &format!("/store/{id}"), "").1;
    assert!(
        store["status"]["region_count"].as_u64() > Some(20),
        "{store}"
    );
}

#[test]
fn every_endpoint_answers_on_a_healthy_leader() {
    let mut cluster = cluster(Release::V8_5);
    for (method, path) in pd_endpoints().filter(|(method, _)| *method == "GET") {
        let target = path.replace("{}", "1");
        let reply = reply(&mut cluster, 0, &Request::new(method, &target, ""));
        let known = [200, 400, 404, 500].contains(&reply.status);
        assert!(
            known && (reply.status == 200 || !reply.body.is_empty()),
            "{target}: {reply:?}"
        );
    }
}

#[test]
fn no_face_shows_what_was_injected() {
    for fault in faults() {
        let mut cluster = cluster(Release::V8_5);
        let needs = |name| fault.params.iter().any(|param| param.name == name);
        let mut text = fault.name.to_owned();
        if needs("store") {
            text.push_str(" store=2");
        }
        if needs("region") {
            text.push_str(" region=last");
        }
        cluster
            .inject(&text)
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        cluster.advance(Duration::from_secs(60));
        let truth = cluster.truth();
        assert_eq!(
            (truth[0].fault, truth[0].active),
            (fault.name, fault.name != "store-restarted")
        );
        for (method, path) in pd_endpoints().filter(|(method, _)| *method == "GET") {
            if let Outcome::Reply(reply) = cluster.pd(1, &Request::new(method, path, "")) {
                let body = String::from_utf8_lossy(&reply.body).into_owned();
                assert!(!body.contains(fault.name), "{path} names {}", fault.name);
            }
        }
    }
}

#[test]
fn faults_that_make_no_sense_are_refused_and_change_nothing() {
    let mut cluster = cluster(Release::V8_5);
    for (text, part) in [
        ("store-melted", "there is no fault `store-melted`"),
        ("store-killed", "needs store="),
        ("store-killed store=9", "ids of stores there are"),
        ("store-killed store=1 region=4", "takes no `region`"),
        ("store-killed store=1 store=2", "given twice"),
        ("store-killed store=1 at=soon", "expected a span"),
        ("disk-slow store=1 factor=-3", "a number from 1"),
        ("hot-write region=3", "a region there is"),
        ("pd-killed member=pd-9", "names of PD members"),
        (
            "scheduler-missing scheduler=x",
            "one of balance-hot-region-scheduler",
        ),
        ("pd-fails now", "expected name=value"),
    ] {
        let error = cluster.inject(text).expect_err(text).to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
    assert!(cluster.truth().is_empty());
}

#[test]
fn faults_combine_and_end_by_themselves() {
    let mut cluster = cluster(Release::V8_5);
    let first = cluster
        .inject("store-killed store=2 for=60s")
        .expect("the fault is known");
    cluster
        .inject("store-killed store=2 at=30s for=120s")
        .expect("the fault is known");
    let state = |cluster: &mut Cluster| {
        said(cluster, "GET", "/store/2", "").1["store"]["state_name"].clone()
    };
    cluster.advance(Duration::from_secs(100));
    assert_eq!(
        state(&mut cluster),
        "Disconnected",
        "the second still holds it"
    );
    assert!(!cluster.clear(first), "it has ended already");
    cluster.advance(Duration::from_secs(90));
    assert_eq!(state(&mut cluster), "Up");
}

#[test]
fn every_scenario_can_be_built() {
    for scenario in scenarios() {
        let mut cluster = scenario.build(3);
        assert!(
            cluster.now() >= Duration::from_secs(150),
            "{}",
            scenario.name
        );
        let stores = said(&mut cluster, "GET", "/stores", "").1;
        assert!(
            stores["count"].as_u64() > Some(0),
            "{}: {stores}",
            scenario.name
        );
    }
}
