//! TiKV itself: three stores, one of which dies and comes back.

use std::net::Ipv4Addr;
use std::time::Duration;

use operator_bench::real::{PdMembers, Server, eventually, loopback};
use operator_core::StoreState;

use crate::stores::same_stores;
use crate::support::{Programs, client};

fn start(programs: &Programs, pd: &PdMembers, host: Ipv4Addr) -> Server {
    let folder = pd.folder().join(format!("tikv-{host}"));
    let arguments = [
        format!("--pd-endpoints={}", pd.endpoints().replace("http://", "")),
        format!("--addr={host}:20160"),
        format!("--advertise-addr={host}:20160"),
        format!("--status-addr={host}:20180"),
        format!("--data-dir={}", folder.display()),
    ];
    let log = pd.folder().join(format!("tikv-{host}.log"));
    Server::start(programs.path("tikv-server"), arguments, &log).expect("it starts")
}

pub(crate) async fn three_stores_are_told_one_dies_and_comes_back(programs: &Programs) {
    let pd = PdMembers::started(programs.path("pd-server"), 1);
    let pd = pd.await.expect("it starts");
    let hosts = [loopback(), loopback(), loopback()];
    let mut servers = hosts.map(|host| Some(start(programs, &pd, host)));
    let client = client(&pd);
    // The state of the store at the last of these hosts, once there are three.
    let last = format!("{}:20160", hosts[2]);
    let in_state = async |state: StoreState| {
        let found = eventually(Duration::from_secs(120), || async {
            let stores = client.stores().await.ok()?;
            let store = stores.items.iter().find(|store| store.address == last)?;
            (stores.items.len() == 3 && store.state.as_ref() == Some(&state)).then_some(())
        });
        assert!(
            found.await.is_some(),
            "{state:?}: {:?}",
            client.stores().await
        );
    };
    in_state(StoreState::Up).await;
    let stores = same_stores(&pd, &client, 3).await;
    for store in &stores {
        assert!(
            store
                .status_address
                .as_deref()
                .is_some_and(|at| at.ends_with(":20180"))
        );
    }
    servers[2] = None;
    in_state(StoreState::Disconnected).await;
    servers[2] = Some(start(programs, &pd, hosts[2]));
    in_state(StoreState::Up).await;
}
