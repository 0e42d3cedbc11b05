//! The faces over real sockets: that they are served, how they are controlled, and what a dead one does.

use std::time::Duration;

use operator_sim::{Cluster, Served, Shape, Speed};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn served() -> Served {
    let mut cluster = Cluster::new(Shape::default()).expect("the shape is sound");
    cluster.advance(Duration::from_secs(30));
    Served::start(cluster, Speed::Still)
        .await
        .expect("ports are free")
}

/// One request over a socket of its own; `None` where nobody answers.
async fn over_socket(base: &str, method: &str, target: &str, body: &str) -> Option<(u16, String)> {
    let address = base.strip_prefix("http://")?;
    let mut stream = TcpStream::connect(address).await.ok()?;
    let length = body.len();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(head.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

/// What is there, and is given.
async fn page(base: &str, target: &str) -> String {
    let answer = over_socket(base, "GET", target, "").await;
    let (status, text) = answer.expect("an answer");
    assert_eq!(status, 200, "{target}: {text}");
    text
}

#[tokio::test]
async fn the_faces_are_served_on_loopback() {
    let served = served().await;
    let members = page(&served.pd[1], "/pd/api/v1/members").await;
    assert!(
        members.contains(&served.pd[2]),
        "members name their real URLs: {members}"
    );
    let up = page(&served.prometheus, "/api/v1/query?query=up").await;
    assert!(up.contains("\"resultType\":\"vector\""), "{up}");
    let metrics = page(&served.pages, "/store/1/metrics").await;
    assert!(
        metrics.contains("# TYPE tikv_server_info gauge"),
        "{metrics}"
    );
}

#[tokio::test]
async fn another_process_can_control_it() {
    let served = served().await;
    let control = served.control.clone();
    let post = |path: &'static str, body: Value| {
        let control = control.clone();
        async move {
            over_socket(&control, "POST", path, &body.to_string())
                .await
                .expect("an answer")
        }
    };
    let (status, id) = post("/inject", json!({"fault": "store-killed store=2"})).await;
    assert_eq!((status, id.as_str()), (200, r#"{"id":1}"#));
    assert_eq!(post("/step", json!({"seconds": 40})).await.0, 200);
    let (_, store) = over_socket(&served.pd[0], "GET", "/pd/api/v1/store/2", "")
        .await
        .expect("an answer");
    assert!(store.contains("Disconnected"), "{store}");
    let (_, truth) = over_socket(&control, "GET", "/truth", "")
        .await
        .expect("an answer");
    assert!(truth.contains("store/2"), "{truth}");
    assert_eq!(post("/clear", json!({"id": 1})).await.0, 200);
    assert_eq!(post("/clear", json!({"id": 7})).await.0, 400);
    assert_eq!(post("/inject", json!({"fault": "nothing"})).await.0, 400);
}

#[tokio::test]
async fn a_dead_member_refuses_connections_and_listens_again() {
    let served = served().await;
    let url = &served.pd[0];
    let answers = async || {
        over_socket(url, "GET", "/pd/api/v1/ping", "")
            .await
            .is_some()
    };
    let refuses = async || {
        let address = url.trim_start_matches("http://");
        TcpStream::connect(address).await.is_err()
    };
    assert!(answers().await);
    let killed = served.with(|cluster| {
        cluster
            .inject("pd-killed member=pd-0")
            .expect("the fault is known")
    });
    assert!(comes(refuses).await, "a dead member takes connections");
    served.with(|cluster| assert!(cluster.clear(killed)));
    assert!(comes(answers).await, "it is not back");
}

/// Whether this comes to hold, however slow the machine is.
async fn comes(holds: impl AsyncFn() -> bool) -> bool {
    let waiting = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting)
        .await
        .is_ok()
}
