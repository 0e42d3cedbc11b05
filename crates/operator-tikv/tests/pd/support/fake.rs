//! Members of PD as far as a client can tell: who leads, who is dead, who hangs.

use std::sync::Arc;
use std::time::Duration;

use operator_tikv::{PdClient, PdOptions};
use tokio::net::{TcpListener, TcpSocket};

use super::{Reply, Request, Server};

/// What a member is up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Refuses connections.
    Dead,
    /// Takes connections and says nothing.
    Hanging,
    /// Passes on to the leader, if that one lives.
    Follower,
    /// Answers.
    Leader,
}

pub(crate) const CLUSTER: u64 = 7_710_000_000_000_000_001;

/// `/members`, with names from the position in the list.
pub(crate) fn members(cluster: u64, urls: &[String], leader: Option<usize>) -> String {
    let member = |position: usize| {
        let url = &urls[position];
        // Identities are beyond 2^53, where a float would lose their last digits.
        let id = 17_000_000_000_000_000_001_u64 + position as u64;
        format!(
            r#"{{"name":"pd-{position}","member_id":{id},"client_urls":["{url}"],"binary_version":"v8.5.0"}}"#
        )
    };
    let all: Vec<_> = (0..urls.len()).map(member).collect();
    let leader = leader.map(|leader| format!(r#","leader":{0},"etcd_leader":{0}"#, member(leader)));
    format!(
        r#"{{"header":{{"cluster_id":{cluster}}},"members":[{}]{}}}"#,
        all.join(","),
        leader.unwrap_or_default()
    )
}

/// `/cluster`.
pub(crate) fn cluster_id(cluster: u64) -> Reply {
    Reply::json(format!(r#"{{"id":{cluster},"max_peer_count":3}}"#))
}

/// A member that leads alone, and answers `/members` and `/leader` as one; the rest is the script's.
pub(crate) async fn alone(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    Server::on(
        listener,
        Arc::new(move |request| {
            about_itself(CLUSTER, request, &url).unwrap_or_else(|| script(request))
        }),
        None,
    )
}

/// What a member that leads alone says of itself.
pub(crate) fn about_itself(cluster: u64, request: &Request, url: &str) -> Option<Reply> {
    match request.path() {
        "/pd/api/v1/cluster" => Some(cluster_id(cluster)),
        "/pd/api/v1/members" => Some(Reply::json(members(cluster, &[url.to_owned()], Some(0)))),
        "/pd/api/v1/leader" => Some(Reply::json(format!(
            r#"{{"name":"pd-0","client_urls":["{url}"]}}"#
        ))),
        _ => None,
    }
}

/// Several members, each with its role. The dead ones have addresses at which nobody listens.
pub(crate) async fn cluster(
    roles: &[Role],
    script: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> (Vec<String>, Vec<Member>) {
    let sockets: Vec<_> = roles.iter().map(|_| bound()).collect();
    let url = |socket: &TcpSocket| format!("http://{}", socket.local_addr().unwrap());
    let urls: Vec<String> = sockets.iter().map(url).collect();
    let leader = roles.iter().position(|role| *role == Role::Leader);
    let script = Arc::new(script);
    let mut members_up = Vec::new();
    for (role, socket) in roles.iter().zip(sockets) {
        let (urls, script, role) = (urls.clone(), script.clone(), *role);
        // A dead leader is still believed in: it is the first that does not answer.
        let believed = leader.or(Some(0));
        let answer = move |request: &Request| match (role, request.path()) {
            (Role::Hanging, _) => Reply::silence(),
            (_, "/pd/api/v1/cluster") => cluster_id(CLUSTER),
            (_, "/pd/api/v1/members") => Reply::json(members(CLUSTER, &urls, believed)),
            (_, "/pd/api/v1/leader") => {
                let url = &urls[believed.unwrap_or_default()];
                Reply::json(format!(r#"{{"name":"pd","client_urls":["{url}"]}}"#))
            }
            (Role::Follower, _) if leader.is_none() => {
                Reply::text(500, "[PD:apiutil:ErrRedirect]redirect failed\n")
            }
            _ => script(request),
        };
        members_up.push(match role {
            Role::Dead => Member::Dead(socket),
            _ => Member::Up(Server::on(
                socket.listen(64).unwrap(),
                Arc::new(answer),
                None,
            )),
        });
    }
    (urls, members_up)
}

/// A member of a fake cluster, for as long as it is kept.
pub(crate) enum Member {
    /// Refuses connections.
    Dead(#[expect(dead_code, reason = "held, so that nobody else gets its address")] TcpSocket),
    Up(Server),
}

impl Member {
    pub(crate) fn asked(&self) -> Vec<Request> {
        match self {
            Self::Dead(_) => Vec::new(),
            Self::Up(server) => server.asked(),
        }
    }

    pub(crate) fn count(&self, path: &str) -> usize {
        self.asked()
            .iter()
            .filter(|request| request.path() == path)
            .count()
    }
}

/// An address that is taken and at which nobody listens.
pub(crate) fn bound() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    socket
}

/// A client of members that answer, however slow the machine is.
pub(crate) fn client(endpoints: &str) -> PdClient {
    PdClient::with(endpoints, patient()).unwrap()
}

pub(crate) fn patient() -> PdOptions {
    given(Duration::from_secs(60))
}

/// What is waited for where one is asked who never answers. Those who do answer have no longer, and may be kept
/// from it for seconds.
pub(crate) const HASTE: Duration = Duration::from_secs(6);

/// For a client of members of whom some never answer.
pub(crate) fn hasty() -> PdOptions {
    given(HASTE)
}

fn given(within: Duration) -> PdOptions {
    PdOptions {
        within,
        page_within: within,
        ..PdOptions::default()
    }
}
