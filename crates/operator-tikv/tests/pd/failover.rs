//! Who is asked when members die, hang, follow and lead.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use operator_core::{Fault, ManualClock, StoreId, Timestamp};
use operator_tikv::{PdClient, PdOptions, says_no_leader};

use crate::support::fake::{self, CLUSTER, Role};
use crate::support::{Reply, Request, Server};

fn stores(request: &Request) -> Reply {
    match request.path() {
        "/pd/api/v1/stores" => Reply::json(r#"{"count":0,"stores":[]}"#),
        _ => Reply::text(404, "404 page not found\n"),
    }
}

const STORES: &str = "/pd/api/v1/stores";

#[tokio::test]
async fn whenever_one_leads_it_is_found_and_else_each_endpoint_is_accounted_for() {
    let roles = [Role::Dead, Role::Hanging, Role::Follower, Role::Leader];
    let combinations = (0..64).map(|n: usize| [roles[n / 16], roles[n / 4 % 4], roles[n % 4]]);
    let leads = |roles: &[Role]| roles.iter().filter(|role| **role == Role::Leader).count();
    let mut all = tokio::task::JoinSet::new();
    for roles in combinations {
        all.spawn(async move {
            let (urls, servers) = fake::cluster(&roles, stores).await;
            let options = match roles.contains(&Role::Hanging) {
                true => fake::hasty(),
                false => fake::patient(),
            };
            let pd = PdClient::with(&urls.join(","), options).unwrap();
            for _ in 0..2 {
                let outcome = pd.stores().await;
                if leads(&roles) > 0 {
                    outcome.unwrap_or_else(|error| panic!("{roles:?}: {error:#}"));
                    continue;
                }
                let error = outcome.unwrap_err();
                let Fault::Exhausted(errors) = &*error.fault else {
                    panic!("{roles:?}: {error:#}")
                };
                let mut origins: Vec<_> = errors.iter().filter_map(|e| e.origin.clone()).collect();
                origins.sort();
                let mut expected = urls.clone();
                expected.sort();
                assert_eq!(origins, expected, "{roles:?}");
                assert_eq!(
                    says_no_leader(&error),
                    roles.contains(&Role::Follower),
                    "{roles:?}: {error:#}"
                );
            }
            drop(servers);
        });
    }
    assert_eq!(all.len(), 64);
    while let Some(outcome) = all.join_next().await {
        outcome.unwrap();
    }
}

#[tokio::test]
async fn the_leader_is_asked_directly_whoever_was_named() {
    let roles = [Role::Follower, Role::Leader, Role::Follower];
    let (urls, servers) = fake::cluster(&roles, stores).await;
    let pd = fake::client(&urls[0]);
    for _ in 0..3 {
        pd.stores().await.unwrap();
    }
    let asked = |position: usize| servers[position].count(STORES);
    assert_eq!([asked(0), asked(1), asked(2)], [0, 3, 0]);
}

#[tokio::test]
async fn a_leader_whose_address_cannot_be_reached_is_reached_through_the_given_endpoint() {
    let gone = fake::bound();
    let inside = [format!("http://{}", gone.local_addr().unwrap())];
    let server = Server::start(move |request| match request.path() {
        "/pd/api/v1/cluster" => fake::cluster_id(CLUSTER),
        "/pd/api/v1/members" => Reply::json(fake::members(CLUSTER, &inside, Some(0))),
        "/pd/api/v1/leader" => Reply::json(format!(
            r#"{{"name":"pd-0","client_urls":["{}"]}}"#,
            inside[0]
        )),
        _ => stores(request),
    })
    .await;
    let pd = fake::client(&server.url());
    pd.stores().await.unwrap();
    pd.stores().await.unwrap();
    assert_eq!(server.count(STORES), 2);
}

#[tokio::test]
async fn a_hanging_leader_costs_its_deadline_once_and_not_at_every_read() {
    let (urls, servers) = fake::cluster(&[Role::Hanging, Role::Leader], stores).await;
    let pd = PdClient::with(&urls.join(","), fake::hasty()).unwrap();
    for _ in 0..5 {
        pd.stores().await.unwrap();
    }
    assert_eq!(servers[0].asked().len(), 1);
}

#[tokio::test]
async fn after_a_minute_who_failed_is_looked_at_anew() {
    let (urls, servers) = fake::cluster(&[Role::Hanging, Role::Leader], stores).await;
    let hand = ManualClock::new(Timestamp::EPOCH);
    let options = PdOptions {
        clock: hand.clone().into(),
        ..fake::hasty()
    };
    let pd = PdClient::with(&urls.join(","), options).unwrap();
    pd.stores().await.unwrap();
    hand.advance(Duration::from_secs(61));
    pd.stores().await.unwrap();
    // The leader is known and still comes first: the one that hangs is not waited for.
    assert_eq!(servers[0].asked().len(), 1);
    assert_eq!(servers[1].count("/pd/api/v1/leader"), 2);
}

#[tokio::test]
async fn a_new_leader_is_found_when_the_old_one_dies() {
    let roles = [Role::Leader, Role::Follower];
    let (urls, mut servers) = fake::cluster(&roles, stores).await;
    let pd = fake::client(&urls.join(","));
    pd.stores().await.unwrap();
    servers.remove(0);
    // The follower passes on to whoever leads now.
    pd.stores().await.unwrap();
    assert_eq!(servers[0].count(STORES), 1);
}

#[tokio::test]
async fn another_cluster_is_refused_and_named() {
    let (urls, _servers) = fake::cluster(&[Role::Leader], stores).await;
    let other = Server::start(|request| match request.path() {
        "/pd/api/v1/cluster" => fake::cluster_id(5),
        _ => stores(request),
    })
    .await;
    let options = PdOptions {
        cluster_id: Some(CLUSTER),
        ..fake::patient()
    };
    let pd = PdClient::with(&format!("{},{}", other.url(), urls[0]), options.clone()).unwrap();
    pd.stores().await.unwrap();
    assert_eq!(other.count(STORES), 0);

    let pd = PdClient::with(&other.url(), options).unwrap();
    let error = pd.stores().await.unwrap_err();
    let expected = format!("cluster 5 answered, expected cluster {CLUSTER}");
    assert!(format!("{error:#}").contains(&expected), "{error:#}");
}

#[tokio::test]
async fn the_cluster_is_verified_again_after_every_reconnect() {
    let cluster = Arc::new(AtomicU64::new(1));
    let server = of_cluster(&cluster, |request| match request.path() {
        "/pd/api/v1/leader" => Reply::json("null"),
        _ => stores(request),
    })
    .await;
    let pd = fake::client(&server.url());
    pd.stores().await.unwrap();
    assert_eq!(server.count(STORES), 1);
    // The same address, and now somebody else's cluster answers there.
    cluster.store(2, Ordering::Relaxed);
    let error = format!("{:#}", pd.stores().await.unwrap_err());
    assert!(
        error.contains("cluster 2 answered, expected cluster 1"),
        "{error}"
    );
    assert_eq!(
        server.count(STORES),
        2,
        "the answer is not trusted although it came"
    );
}

#[tokio::test]
async fn what_another_cluster_does_not_have_is_no_answer_either() {
    let cluster = Arc::new(AtomicU64::new(1));
    let server = of_cluster(&cluster, |request| match request.path() {
        "/pd/api/v1/store/9" => Reply::answer(404, "application/json", "\"store 9 not found\""),
        _ => stores(request),
    })
    .await;
    let pd = fake::client(&server.url());
    assert!(pd.store(StoreId(9)).await.unwrap_err().is_not_found());
    cluster.store(2, Ordering::Relaxed);
    let error = pd.store(StoreId(9)).await.unwrap_err();
    assert!(!error.is_not_found(), "{error:#}");
    assert_eq!(server.count("/pd/api/v1/store/9"), 2, "it was asked again");
}

/// A member of whichever cluster it is told to be of, over a new connection at each request: that the last one
/// has ended is known, and no request goes into it.
async fn of_cluster(
    cluster: &Arc<AtomicU64>,
    script: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> Server {
    let cluster = cluster.clone();
    Server::start(move |request| {
        let reply = match request.path() {
            "/pd/api/v1/cluster" => fake::cluster_id(cluster.load(Ordering::Relaxed)),
            _ => script(request),
        };
        reply.last()
    })
    .await
}

#[tokio::test]
async fn over_one_connection_the_cluster_is_verified_once() {
    let server = fake::alone(stores).await;
    let pd = fake::client(&server.url());
    for _ in 0..5 {
        pd.stores().await.unwrap();
    }
    assert_eq!(server.count("/pd/api/v1/cluster"), 1);
    assert_eq!(server.count(STORES), 5);
}

#[tokio::test]
async fn members_that_were_not_given_are_asked_when_the_given_one_dies() {
    let roles = [Role::Leader, Role::Follower];
    let (urls, mut servers) = fake::cluster(&roles, stores).await;
    let pd = fake::client(&urls[0]);
    pd.stores().await.unwrap();
    servers.remove(0);
    pd.stores().await.unwrap();
    assert_eq!(servers[0].count(STORES), 1);
}

#[tokio::test]
async fn a_member_that_is_slow_to_say_who_there_is_delays_no_verdict_on_its_leader() {
    // As a follower is that has lost its leader.
    let server = Server::start(|request| match request.path() {
        "/pd/api/v1/cluster" => fake::cluster_id(CLUSTER),
        "/pd/api/v1/leader" => Reply::json("null"),
        "/pd/api/v1/members" => Reply::silence(),
        _ => Reply::text(500, "[PD:apiutil:ErrRedirect]redirect failed\n"),
    })
    .await;
    let pd = fake::client(&server.url());
    let error = pd.stores().await.unwrap_err();
    assert!(says_no_leader(&error), "{error:#}");
    assert_eq!(pd.leader().await.unwrap(), None);
    assert_eq!(server.count("/pd/api/v1/members"), 0);
}

#[tokio::test]
async fn a_dropped_read_leaves_the_client_as_usable_as_before() {
    let server = fake::alone(stores).await;
    let pd = fake::client(&server.url());
    for _ in 0..3 {
        let read = pd.stores();
        // Polled once, and given up.
        tokio::select! { biased; _ = read => {}, () = std::future::ready(()) => {} }
    }
    pd.stores().await.unwrap();
}

#[tokio::test]
async fn who_calls_is_said_in_both_headers_and_to_whom_it_belongs() {
    let server = fake::alone(stores).await;
    let options = PdOptions {
        caller: "night-watch".into(),
        ..fake::patient()
    };
    let pd = PdClient::with(&server.url(), options).unwrap();
    pd.stores().await.unwrap();
    for request in server.asked() {
        assert_eq!(request.header("x-caller-id"), Some("night-watch"));
        assert_eq!(request.header("component"), Some("night-watch"));
        // A member speaks for itself about members, and the leader about everything else.
        let itself = request.header("pd-allow-follower-handle").is_some();
        assert_eq!(itself, request.path() != STORES, "{}", request.target);
    }
}

#[tokio::test]
async fn an_injected_client_is_used_for_everything() {
    let server = fake::alone(stores).await;
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(no_trust())
        .user_agent("mine")
        .build()
        .unwrap();
    let options = PdOptions {
        client: Some(client),
        ..fake::patient()
    };
    let pd = PdClient::with(&server.url(), options).unwrap();
    pd.stores().await.unwrap();
    assert!(
        server
            .asked()
            .iter()
            .all(|request| request.header("user-agent") == Some("mine"))
    );
}

fn no_trust() -> rustls::ClientConfig {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    builder
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

#[tokio::test]
async fn a_member_that_lost_its_leader_is_believed_of_itself_if_it_was_met_before() {
    let lost = Arc::new(AtomicBool::new(false));
    let told = lost.clone();
    let url = Arc::new(OnceLock::new());
    let own = url.clone();
    let server = Server::start(move |request| {
        let lost = told.load(Ordering::Relaxed);
        match request.path() {
            "/pd/api/v1/health" => Reply::json(r#"[{"name":"a","member_id":1,"health":false}]"#),
            _ if lost => Reply::text(500, "[PD:apiutil:ErrRedirect]redirect failed\n"),
            "/pd/api/v1/cluster" => fake::cluster_id(CLUSTER),
            "/pd/api/v1/members" => {
                let urls = [own.get().cloned().unwrap_or_default()];
                Reply::json(fake::members(CLUSTER, &urls, Some(0)))
            }
            "/pd/api/v1/leader" => Reply::json("null"),
            _ => stores(request),
        }
    })
    .await;
    url.set(server.url()).unwrap();
    let (met, stranger) = (fake::client(&server.url()), fake::client(&server.url()));
    met.stores().await.unwrap();
    lost.store(true, Ordering::Relaxed);
    // Over connections that are new, too: two at once are more than there is one of.
    let (one, other) = tokio::join!(met.health(), met.health());
    assert!(!one.unwrap().items[0].healthy && !other.unwrap().items[0].healthy);
    // What the leader alone could say is not believed of it, and a stranger nothing at all.
    assert!(says_no_leader(&met.stores().await.unwrap_err()));
    assert!(stranger.health().await.is_err());
}

#[tokio::test]
async fn members_are_introduced_when_they_are_met() {
    let roles = [Role::Leader, Role::Follower, Role::Hanging, Role::Dead];
    let (urls, servers) = fake::cluster(&roles, stores).await;
    let pd = fake::client(&urls[0]);
    for _ in 0..3 {
        pd.stores().await.unwrap();
    }
    let asked = |position: usize| servers[position].count("/pd/api/v1/cluster");
    assert_eq!([asked(0), asked(1), asked(2)], [1, 1, 1]);
}
