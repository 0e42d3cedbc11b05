//! What holds of the model whatever befalls it.

use std::collections::BTreeMap;
use std::time::Duration;

use operator_sim::{Cluster, EventKind, Outcome, Request, Shape, faults, pd_endpoints};
use proptest::prelude::*;
use serde_json::Value;

const STORES: u16 = 5;
const REGIONS: u32 = 60;

/// Faults of all kinds, with whatever the table asks of them.
fn fault() -> impl Strategy<Value = String> {
    let kinds = 0..faults().len();
    (kinds, 1..=STORES, 0_u32..600, 1_u32..900).prop_map(|(kind, store, at, lasts)| {
        let fault = &faults()[kind];
        let mut text = fault.name.to_owned();
        for param in fault.params {
            match (param.name, param.default) {
                ("store", _) => text.push_str(&format!(" store={store}")),
                ("region", _) => text.push_str(" region=last"),
                _ => {}
            }
        }
        format!("{text} at={at}s for={lasts}s")
    })
}

/// Whether a fault itself takes replicas away or adds some.
fn spoils_replicas(fault: &str) -> bool {
    fault.starts_with("replicas-") || fault.starts_with("learners-stuck")
}

fn cluster(seed: u64, faults: &[String]) -> Cluster {
    let mut cluster = Cluster::new(Shape {
        seed,
        stores: STORES,
        regions: REGIONS,
        ..Shape::default()
    })
    .expect("the shape is sound");
    for fault in faults {
        cluster.inject(fault).expect("the table says what it takes");
    }
    cluster
}

fn reply(outcome: &Outcome) -> Option<Value> {
    match outcome {
        Outcome::Reply(reply) if reply.status == 200 => serde_json::from_slice(&reply.body).ok(),
        _ => None,
    }
}

fn pd(cluster: &mut Cluster, target: &str) -> Option<Value> {
    (0..3).find_map(|member| reply(&cluster.pd(member, &Request::get(target))))
}

/// Every sample that Prometheus holds of a name, by labels.
fn samples(cluster: &Cluster, name: &str) -> BTreeMap<String, Vec<f64>> {
    let request = Request::get(&format!("/api/v1/query?query={name}%5B1h%5D"));
    let mut found = BTreeMap::new();
    let answer = reply(&cluster.prometheus(&request)).unwrap_or_default();
    for series in answer
        .pointer("/data/result")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let values = series["values"].as_array().into_iter().flatten();
        let numbers = values.filter_map(|pair| pair[1].as_str()?.parse().ok());
        found.insert(series["metric"].to_string(), numbers.collect());
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_region_has_one_leader_per_term(seed in 0_u64..1000, faults in prop::collection::vec(fault(), 0..6)) {
        let mut cluster = cluster(seed, &faults);
        cluster.advance(Duration::from_secs(1800));
        let mut winners: BTreeMap<(u64, u32), u64> = BTreeMap::new();
        let mut newest: BTreeMap<u64, u32> = BTreeMap::new();
        for event in cluster.events() {
            if let EventKind::Elected { region, term, to, .. } = &event.kind {
                prop_assert_eq!(winners.insert((*region, *term), to.peer), None, "two leaders of region {} at term {}", region, term);
                let before = newest.insert(*region, *term).unwrap_or(0);
                prop_assert!(*term > before, "the term of region {} fell from {} to {}", region, before, term);
            }
        }
    }

    #[test]
    fn replicas_are_conserved(seed in 0_u64..1000, faults in prop::collection::vec(fault(), 0..6)) {
        let faults: Vec<String> = faults.into_iter().filter(|fault| !spoils_replicas(fault)).collect();
        let mut cluster = cluster(seed, &faults);
        for _ in 0..20 {
            cluster.advance(Duration::from_secs(180));
            let Some(answer) = pd(&mut cluster, "/pd/api/v1/regions") else { continue };
            let regions = answer["regions"].as_array().cloned().unwrap_or_default();
            let mut key = String::new();
            for region in &regions {
                prop_assert_eq!(region["start_key"].as_str(), Some(key.as_str()), "a hole before {}", region);
                key = region["end_key"].as_str().unwrap_or_default().to_owned();
            }
            prop_assert_eq!(key, "", "the last region ends with the key space");
            let mut peers_of: BTreeMap<u64, u64> = BTreeMap::new();
            for region in &regions {
                let peers = region["peers"].as_array().cloned().unwrap_or_default();
                let of = |role: &str| peers.iter().filter(|peer| peer["role_name"] == role).count();
                // In joint consensus there are two sets, and each is whole.
                prop_assert_eq!(of("Voter") + of("IncomingVoter"), 3, "{}", region);
                prop_assert_eq!(of("IncomingVoter"), of("DemotingVoter"), "{}", region);
                prop_assert!(peers.len() <= 4, "{}", region);
                let mut stores: Vec<u64> = peers.iter().filter_map(|peer| peer["store_id"].as_u64()).collect();
                stores.iter().for_each(|store| *peers_of.entry(*store).or_default() += 1);
                stores.sort_unstable();
                stores.dedup();
                prop_assert_eq!(stores.len(), peers.len(), "two peers on one store: {}", region);
            }
            let Some(stores) = pd(&mut cluster, "/pd/api/v1/stores?state=0&state=1&state=2") else { continue };
            for store in stores["stores"].as_array().into_iter().flatten() {
                let id = store["store"]["id"].as_u64().unwrap_or(0);
                let count = store["status"]["region_count"].as_u64();
                prop_assert_eq!(count, Some(peers_of.get(&id).copied().unwrap_or(0)), "store {}", id);
            }
        }
    }

    #[test]
    fn counters_fall_only_on_a_restart(seed in 0_u64..1000, faults in prop::collection::vec(fault(), 0..6)) {
        let mut cluster = cluster(seed, &faults);
        cluster.advance(Duration::from_secs(1500));
        let changes = |values: &[f64]| values.windows(2).filter(|pair| pair[1] != pair[0]).count();
        let falls = |values: &[f64]| values.windows(2).filter(|pair| pair[1] < pair[0]).count();
        let instance = |series: &str| -> String {
            let labels: Value = serde_json::from_str(series).unwrap_or_default();
            let name = labels["instance"].as_str().or(labels["node"].as_str());
            name.unwrap_or_default().to_owned()
        };
        let starts: BTreeMap<String, usize> = samples(&cluster, "process_start_time_seconds%7Bjob=%22tikv%22%7D")
            .into_iter()
            .map(|(series, values)| (instance(&series), changes(&values)))
            .collect();
        prop_assert!(!starts.is_empty() || !faults.is_empty());
        for name in ["process_cpu_seconds_total", "tikv_storage_command_total", "tikv_raftstore_log_lag_count"] {
            for (series, values) in samples(&cluster, name) {
                let restarts = starts.get(&instance(&series)).copied().unwrap_or(0);
                prop_assert!(falls(&values) <= restarts, "{} falls {} times, with {} restarts", series, falls(&values), restarts);
            }
        }
    }

    #[test]
    fn no_request_breaks_a_face(
        endpoint in any::<prop::sample::Index>(),
        segment in "[ -~]{0,12}",
        query in "[a-z_]{1,9}=[ -~]{0,16}(&[a-zA-Z_]{1,9}=[%0-9a-fA-F]{0,16})?",
        body in "[ -~]{0,40}|\\{\"name\":\"[a-z-]{0,30}\",\"store_id\":[0-9]{0,20}\\}",
        member in 0_usize..5,
        promql in "[ -~]{0,60}",
    ) {
        let mut cluster = cluster(1, &[]);
        let endpoints: Vec<_> = pd_endpoints().collect();
        let (method, path) = endpoints[endpoint.index(endpoints.len())];
        let target = format!("{}?{query}", path.replace("{}", &segment));
        let outcome = cluster.pd(member, &Request::new(method, &target, &body));
        prop_assert_eq!(matches!(outcome, Outcome::Refused), member >= 3);
        let form = format!("query={promql}");
        let query = Request::new("POST", "/api/v1/query", &form)
            .with_header("content-type", "application/x-www-form-urlencoded");
        prop_assert!(matches!(cluster.prometheus(&query), Outcome::Reply(_)));
        cluster.advance(Duration::from_secs(60));
    }

    #[test]
    fn no_text_breaks_the_planning_of_faults(text in "([a-z-]{1,20}|store-killed|disk-fills|pd-killed)( [a-z]{1,8}=[ -~]{0,12}){0,3}") {
        let mut cluster = cluster(1, &[]);
        let planned = cluster.inject(&text).is_ok();
        prop_assert_eq!(cluster.truth().len(), usize::from(planned));
        cluster.advance(Duration::from_secs(60));
    }

    #[test]
    fn a_removal_never_goes_back(seed in 0_u64..1000, faults in prop::collection::vec(fault(), 0..4)) {
        let mut cluster = cluster(seed, &faults);
        if !cluster.scale_in(4) {
            return Ok(());
        }
        let mut furthest = 0.0_f64;
        for _ in 0..60 {
            cluster.advance(Duration::from_secs(10));
            let answer = pd(&mut cluster, "/pd/api/v1/stores/progress?id=4");
            let Some(progress) = answer.and_then(|answer| answer["progress"].as_f64()) else { continue };
            prop_assert!(progress >= furthest, "fell from {} to {}", furthest, progress);
            furthest = progress;
        }
    }
}

#[test]
fn the_plan_stays_bounded_while_stores_flap_without_a_quorum() {
    let mut cluster = cluster(1, &[]);
    for store in 1..=4 {
        let fault = format!("store-flapping store={store} every={}s", 10 + store);
        cluster.inject(&fault).expect("the fault is known");
    }
    let mut most = 0;
    for _ in 0..120 {
        cluster.advance(Duration::from_secs(60));
        most = most.max(cluster.planned());
    }
    // One election and one step-down per region; what a death leaves behind lasts half an hour at most.
    assert!(
        most < 2 * REGIONS as usize + 2_000,
        "{most} things are planned"
    );
}
