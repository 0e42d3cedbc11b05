//! Who there is of PD, field by field.

use std::process::Command;

use operator_bench::real::PdMembers;
use operator_tikv::{PdClient, PdHealth, PdMember};
use serde_json::Value;

use crate::support::{Programs, client, plain, say, sorted_by, texts};

fn same_member(ours: &PdMember, theirs: &Value) {
    assert_eq!(ours.name, theirs["name"]);
    assert_eq!(ours.id, theirs["member_id"], "to the last digit");
    assert_eq!(ours.client_urls, texts(&theirs["client_urls"]));
    assert_eq!(ours.peer_urls, texts(&theirs["peer_urls"]));
    let priority = theirs["leader_priority"].as_i64().unwrap_or(0);
    assert_eq!(ours.leader_priority, priority);
    let version = theirs["binary_version"].as_str();
    let version = version.map(|version| version.trim_start_matches('v'));
    assert_eq!(
        ours.version.as_deref(),
        version.filter(|text| !text.is_empty())
    );
}

fn same_health(ours: &PdHealth, theirs: &Value) {
    assert_eq!(ours.name, theirs["name"]);
    assert_eq!(ours.id, theirs["member_id"]);
    assert_eq!(ours.healthy, theirs["health"]);
}

async fn same(client: &PdClient, members: &Value, health: &Value) {
    let ours = client.members().await.expect("members");
    assert_eq!(ours.cluster_id, members["header"]["cluster_id"]);
    assert!(ours.members.gaps.is_empty());
    let mut items = ours.members.items.clone();
    items.sort_by(|a, b| a.name.cmp(&b.name));
    let theirs = sorted_by(&members["members"], "name");
    assert_eq!(items.len(), theirs.len());
    for (ours, theirs) in items.iter().zip(theirs) {
        same_member(ours, theirs);
    }
    let leader = ours.leader.expect("a leader");
    assert_eq!(leader.name, members["leader"]["name"]);
    assert_eq!(leader.id, members["leader"]["member_id"]);
    let beneath = ours.etcd_leader.expect("a leader beneath it");
    assert_eq!(beneath.id, members["etcd_leader"]["member_id"]);
    assert!(ours.server_time.is_some());

    let ours = client.health().await.expect("health");
    assert!(ours.gaps.is_empty());
    let mut items = ours.items.clone();
    items.sort_by(|a, b| a.name.cmp(&b.name));
    let theirs = sorted_by(health, "name");
    assert_eq!(items.len(), theirs.len());
    for (ours, theirs) in items.iter().zip(theirs) {
        same_health(ours, theirs);
    }
}

pub(crate) async fn one_member_and_three_are_told_as_pd_tells_them(programs: &Programs) {
    for count in [1, 3] {
        let pd = PdMembers::started(programs.path("pd-server"), count);
        let pd = pd.await.expect("it starts");
        let client = client(&pd);
        let names: Vec<String> = pd.names().map(str::to_owned).collect();
        for name in &names {
            let (members, health) = (plain(&pd, name, "/members"), plain(&pd, name, "/health"));
            assert_eq!(members["members"].as_array().map(Vec::len), Some(count));
            same(&client, &members, &health).await;
            let leader = plain(&pd, name, "/leader");
            let ours = client.leader().await.expect("an answer").expect("a leader");
            assert_eq!(ours.name, leader["name"]);
            assert_eq!(ours.id, leader["member_id"]);
            assert_eq!(ours.client_urls, texts(&leader["client_urls"]));
        }
        let version = plain(&pd, "pd-0", "/version");
        let theirs = version["version"].as_str().expect("a version");
        let ours = client.version().await.expect("an answer");
        assert_eq!(ours.as_deref(), Some(theirs.trim_start_matches('v')));
        say(&format!("PD is {theirs}"));

        let (exit, told) = programs.operator(&["members", "--pd", &pd.endpoints()]);
        assert_eq!(exit, Some(0), "{told}");
        let members = plain(&pd, "pd-0", "/members");
        assert_eq!(told["cluster_id"], members["header"]["cluster_id"]);
        assert_eq!(told["leader"], members["leader"]["name"]);
        let (ours, theirs) = (&told["members"], &members["members"]);
        for (ours, theirs) in sorted_by(ours, "name")
            .iter()
            .zip(sorted_by(theirs, "name"))
        {
            assert_eq!(ours["id"], theirs["member_id"]);
            assert_eq!(ours["client_urls"], theirs["client_urls"]);
            assert_eq!(ours["leads"], theirs["name"] == members["leader"]["name"]);
            assert_eq!(ours["healthy"], true);
        }
    }
}

pub(crate) async fn what_pd_ctl_prints_is_what_is_read(programs: &Programs) {
    let pd = PdMembers::started(programs.path("pd-server"), 3);
    let pd = pd.await.expect("it starts");
    let printed = |word: &str| -> Value {
        let mut command = Command::new(programs.path("pd-ctl"));
        let output = command.args(["-u", &pd.endpoints(), word]).output();
        let output = output.expect("it runs");
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{word}: {error}: {output:?}"))
    };
    same(&client(&pd), &printed("member"), &printed("health")).await;
}
