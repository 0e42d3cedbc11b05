//! Servers that lie: a clear error, and memory in proportion to what was allowed.

use std::io::Write;

use operator_tikv::{PromClient, PromOptions};
use std::time::Duration;

use crate::support::{Server, answer, answer_with, json, vector};

const LIMIT: usize = 1 << 20;

async fn lied_to(reply: Vec<u8>) -> String {
    let server = Server::start(move |_| reply.clone()).await;
    let options = PromOptions {
        limit_bytes: LIMIT,
        within: Duration::from_secs(20),
        ..PromOptions::default()
    };
    let client = PromClient::with(&server.url(), options).unwrap();
    let error = client.query("up", None).await.unwrap_err();
    format!("{error:#}").replace(&server.url(), "http://prom")
}

async fn check(reply: Vec<u8>, expected: &str) {
    let found = lied_to(reply).await;
    let expected = format!("cannot query metrics from http://prom: {expected}");
    assert!(found.starts_with(&expected), "{found}");
    assert!(found.len() < 1000, "{} bytes of error", found.len());
}

#[tokio::test]
async fn a_login_page_is_no_answer() {
    let page = "<html>\n<title>Sign in</title>".repeat(1000);
    check(
        answer(200, "text/html; charset=utf-8", &page),
        "expected an answer to a query, as application/json, found text/html; charset=utf-8: <html>",
    )
    .await;
    check(
        json(page),
        "expected an answer to a query, found expected value",
    )
    .await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_answer() {
    let body = vector((0..50).map(|n| (format!(r#""instance":"i-{n}""#), "1".to_owned())));
    for part in [1, body.len() / 2, body.len() - 1] {
        check(
            json(&body[..part]),
            "expected an answer to a query, found EOF while parsing",
        )
        .await;
        // The same with a length that promised more.
        let mut whole = json(&body);
        whole.truncate(whole.len() - part);
        let found = lied_to(whole).await;
        assert!(
            found.starts_with("cannot query metrics from http://prom: "),
            "{found}"
        );
    }
}

#[tokio::test]
async fn more_than_was_allowed_is_not_read() {
    let row = r#"{"metric":{"instance":"10.0.0.1:20180"},"value":[1,"1"]},"#;
    let endless = row.repeat((100 << 20) / row.len());
    check(json(endless), "expected at most 1048576 bytes, found more").await;
    let bomb = format!(r#"{{"metric":{{"a":"{}"}},"#, "x".repeat(2 * LIMIT));
    check(json(bomb), "expected at most 1048576 bytes, found more").await;
}

#[tokio::test]
async fn a_series_of_nothing_but_labels_is_refused() {
    let labels: Vec<String> = (0..20_000).map(|n| format!(r#""l{n}":"""#)).collect();
    let body = vector([(labels.join(","), "1".to_owned())]);
    assert!(body.len() < LIMIT);
    let expected = "expected an answer to a query, found more than 256 labels in one series";
    check(json(body), expected).await;
}

#[tokio::test]
async fn a_packed_bomb_is_given_up_at_the_limit() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&vec![b' '; 8 * LIMIT]).unwrap();
    let bomb = packer.finish().unwrap();
    assert!(bomb.len() < LIMIT / 4);
    let line = "content-encoding: gzip\r\n";
    let reply = answer_with(200, "application/json", line, bomb);
    check(reply, "expected at most 1048576 bytes, found more").await;
}

#[tokio::test]
async fn what_nests_without_end_is_refused() {
    let deep = format!(r#"{{"status":"success","x":{}"#, "[".repeat(10_000));
    check(
        json(deep),
        "expected an answer to a query, found EOF while parsing",
    )
    .await;
}

#[tokio::test]
async fn silence_ends_at_the_deadline() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = PromOptions {
        within: Duration::from_millis(50),
        ..PromOptions::default()
    };
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = PromClient::with(&url, options).unwrap();
    let error = client.query("up", None).await.unwrap_err();
    let expected = format!("cannot query metrics from {url}: no answer within 0.05 s");
    assert_eq!(format!("{error:#}"), expected);
}
