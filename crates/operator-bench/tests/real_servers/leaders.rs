//! Leaders of PD that move, freeze, die; and none at all.

use std::time::Duration;

use operator_bench::real::{Load, PdMembers};
use operator_core::{Clock, Entity, Fault, Store, StoreState};

use crate::stores::same_stores;
use crate::support::{Programs, Watched, client, plain, post};

/// Longer than any lease of a leader, and an election.
const ELECTED: Duration = Duration::from_secs(60);

pub(crate) async fn a_leader_that_moves_is_followed(programs: &Programs) {
    let pd = PdMembers::started(programs.path("pd-server"), 3);
    let pd = pd.await.expect("it starts");
    let client = client(&pd);
    let before = pd.leader().expect("a leader");
    let first = client.leader().await.expect("an answer").expect("a leader");
    assert_eq!(first.name, before);
    let heir = pd.names().find(|name| *name != before).expect("another");
    post(&pd, &before, &format!("/leader/transfer/{heir}"), "");
    let followed = operator_bench::real::eventually(ELECTED, || async {
        let leader = client.leader().await.ok()??;
        (leader.name == heir).then_some(leader)
    });
    let leader = followed.await.expect("the heir leads");
    assert_eq!(leader.id, plain(&pd, heir, "/leader")["member_id"]);
    let members = client.members().await.expect("members");
    assert_eq!(
        members.leader.map(|leader| leader.name).as_deref(),
        Some(heir)
    );
    // What only a leader answers is answered still.
    let status = client.cluster_status().await.expect("an answer");
    assert!(!status.initialized);
}

pub(crate) async fn a_killed_leader_is_a_member_and_no_store(programs: &Programs) {
    let mut pd = PdMembers::started(programs.path("pd-server"), 3)
        .await
        .expect("it starts");
    let killed = pd.leader().expect("a leader");
    let play = |pd: &PdMembers, leader: &str| {
        let address = pd.address(leader).expect("an address");
        Load::start(programs.path("pd-heartbeat-bench"), address, 4, 40).expect("it starts")
    };
    let load = play(&pd, &killed);
    load.stores_known().await.expect("stores");
    let mut watched = Watched::new(client(&pd));
    let stores = same_stores(&pd, watched.monitor.subject().pd(), 4).await;
    let up = |store: &Store| store.state == Some(StoreState::Up);
    assert!(stores.iter().all(up), "{stores:?}");
    watched.until(Duration::from_secs(10), |_| true).await;
    assert_eq!(watched.blamed(), []);

    pd.kill(&killed);
    // Stores go over to who leads next; these have to be told who that is.
    drop(load);
    let leader = pd.led_within(ELECTED).await.expect("another leads");
    assert_ne!(leader, killed);
    let _load = play(&pd, &leader);
    let member = Entity::named("pd", killed.as_str());
    let found = watched.until(Duration::from_secs(90), |watched| {
        watched.is_open("pd_member_unhealthy", &member)
    });
    assert!(found.await, "{:?}", watched.changes);
    assert_eq!(watched.blamed(), []);
    let others = pd.names().filter(|name| *name != killed);
    for other in others {
        let other = Entity::named("pd", other);
        assert!(!watched.is_open("pd_member_unhealthy", &other), "{other}");
    }
    // By failover, also where the dead one is named first.
    let stores = watched.monitor.subject().pd().stores().await;
    assert_eq!(stores.expect("stores").items.len(), 4);

    pd.start(&killed).expect("it starts again");
    let healed = watched.until(Duration::from_secs(120), |watched| {
        !watched.is_open("pd_member_unhealthy", &member)
    });
    assert!(healed.await, "{:?}", watched.changes);
    assert_eq!(watched.blamed(), []);
}

pub(crate) async fn a_frozen_leader_delays_reads_and_does_not_end_them(programs: &Programs) {
    let pd = PdMembers::started(programs.path("pd-server"), 3);
    let pd = pd.await.expect("it starts");
    let client = client(&pd);
    client.members().await.expect("members");
    let frozen = pd.leader().expect("a leader");
    let server = pd.server(&frozen).expect("it runs");
    server.freeze().expect("it runs");
    // Who is asked for what each member knows by itself is asked until one answers: that the leader does
    // not costs one deadline.
    let clock = Clock::system();
    let asked = clock.now();
    let leader = client
        .leader()
        .await
        .expect("one that is not frozen answers");
    let took = clock.now().since(asked);
    assert!(took < Duration::from_secs(13), "{took:?} for {leader:?}");
    let followed = operator_bench::real::eventually(ELECTED, || async {
        let leader = client.leader().await.ok()??;
        let read = client.cluster_status().await;
        (leader.name != frozen && read.is_ok()).then_some(())
    });
    followed.await.expect("another leads, and answers");
    server.thaw().expect("it runs");
}

pub(crate) async fn with_all_members_stopped_nothing_is_seen_and_started_again_all_is(
    programs: &Programs,
) {
    let mut pd = PdMembers::started(programs.path("pd-server"), 3)
        .await
        .expect("it starts");
    let mut watched = Watched::new(client(&pd));
    let cluster = plain(&pd, "pd-0", "/cluster")["id"].clone();
    let before = watched.monitor.subject().pd().members().await;
    assert_eq!(before.expect("members").cluster_id, cluster);

    pd.kill_all();
    let error = watched.monitor.subject().pd().members().await;
    let error = error.expect_err("nobody answers");
    match &*error.fault {
        Fault::Exhausted(each) => assert_eq!(each.len(), 3, "each is accounted for: {error:#}"),
        _ => panic!("{error:#}"),
    }
    let told = watched.until(Duration::from_secs(90), |watched| {
        watched
            .monitor
            .engine()
            .open()
            .any(|one| one.code() == "pd_unreachable")
    });
    assert!(told.await, "{:?}", watched.changes);
    assert_eq!(watched.blamed(), []);

    pd.start_all().expect("they start again");
    pd.led_within(ELECTED).await.expect("one leads again");
    let seen = watched.until(Duration::from_secs(90), |watched| {
        let mut open = watched.monitor.engine().open();
        !open.any(|one| one.code() == "pd_unreachable")
    });
    assert!(seen.await, "{:?}", watched.changes);
    let after = watched.monitor.subject().pd().members().await;
    assert_eq!(after.expect("members").cluster_id, cluster);
    assert_eq!(watched.blamed(), []);
}
