//! Each way an endpoint can misbehave: what is said of it, and that the next one is asked.

use futures_util::future::join_all;
use operator_core::{Fault, Result};
use operator_tikv::{IdentityFiles, PdClient, PdOptions, TlsFiles};

use crate::support::fake;
use crate::support::tls::Authority;
use crate::support::{Reply, Server};

const STORES: &str = r#"{"count":0,"stores":[]}"#;

/// What is said of an endpoint that answers `/stores` so; and that it does not keep a read from succeeding.
async fn said_of(reply: Reply) -> String {
    said_to(fake::patient(), reply).await
}

/// The same to a client with these options.
async fn said_to(options: PdOptions, reply: Reply) -> String {
    let bad = fake::alone(move |_| reply.clone()).await;
    let client = |endpoints: &str| PdClient::with(endpoints, options.clone()).unwrap();
    let error = client(&bad.url()).stores().await.unwrap_err();
    let Fault::Exhausted(errors) = &*error.fault else {
        panic!("{error:#}")
    };
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].origin, Some(bad.url()));

    let good = fake::alone(|_| Reply::json(STORES)).await;
    let pd = client(&format!("{},{}", bad.url(), good.url()));
    pd.stores().await.unwrap();
    errors[0].fault.to_string()
}

#[tokio::test]
async fn no_leader_is_503_in_old_words_and_new() {
    assert_eq!(
        said_of(Reply::text(503, "no leader\n")).await,
        "status 503: no leader"
    );
    let new = "[PD:apiutil:ErrRedirectNoLeader]redirect finds no leader";
    assert_eq!(
        said_of(Reply::text(503, new)).await,
        format!("status 503: {new}")
    );
}

#[tokio::test]
async fn not_bootstrapped_is_500_and_passed_over() {
    let said = "[PD:cluster:ErrNotBootstrapped]TiKV cluster not bootstrapped";
    let body = format!("\"{said}\"\n");
    let reply = Reply::answer(500, "application/json", body);
    assert_eq!(said_of(reply).await, format!("status 500: {said}"));
}

#[tokio::test]
async fn a_rate_limit_is_429_and_passed_over() {
    let said = said_of(Reply::text(429, "Too Many Requests\n")).await;
    assert_eq!(said, "status 429: Too Many Requests");
}

#[tokio::test]
async fn silence_slow_headers_and_a_slow_body_end_with_the_deadline() {
    let all = [
        "",
        "HTTP/1.1 200 OK\r\ncontent-type: appl",
        "HTTP/1.1 200 OK\r\ncontent-length: 23\r\n\r\n{\"count\":0,",
        "HTTP/1.1 500 X\r\ncontent-length: 23\r\n\r\nPANIC",
    ];
    let said = all.map(|begun| said_to(fake::hasty(), Reply::RawThenSilence(begun.into())));
    let expected = format!("no answer within {} s", fake::HASTE.as_secs());
    assert_eq!(join_all(said).await, [expected.as_str(); 4]);
}

#[tokio::test]
async fn half_a_body_is_no_body() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"count\":0,\"stores\":[]}";
    let said = said_of(Reply::Raw(half.into())).await;
    assert!(
        said.contains("end of file before message length reached"),
        "{said}"
    );
    let half = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n17\r\n{\"count\":0,\"stores\":[]}\r\n";
    said_of(Reply::Raw(half.into())).await;
}

#[tokio::test]
async fn a_reset_in_mid_body_is_no_body() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"count\":0,";
    let said = said_of(Reply::RawThenReset(half.into())).await;
    assert!(
        said.contains("reset") || said.contains("end of file"),
        "{said}"
    );
}

#[tokio::test]
async fn what_is_no_json_is_shown_in_part() {
    let said = said_of(Reply::answer(200, "text/html", "<html>\n  Sign in, please")).await;
    let expected = "expected an object with `stores`, found `<html> Sign in, please` (expected value at line 1";
    assert!(said.starts_with(expected), "{said}");
    let said = said_of(Reply::json("")).await;
    assert!(
        said.starts_with("expected an object with `stores`, found nothing"),
        "{said}"
    );
    // Two bodies in one, as a follower may send when its leader dies in mid-body.
    said_of(Reply::json(format!("{STORES}{STORES}"))).await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_given_up_and_not_kept() {
    let bad = fake::alone(|_| Reply::Endless(vec![b' '; 64 << 10])).await;
    let options = PdOptions {
        limit_bytes: 1 << 20,
        ..fake::patient()
    };
    let pd = PdClient::with(&bad.url(), options).unwrap();
    let error = format!("{:#}", pd.stores().await.unwrap_err());
    assert!(
        error.ends_with("expected at most 1048576 bytes, found more"),
        "{error}"
    );
}

#[tokio::test]
async fn an_endless_refusal_is_cut() {
    let endless = b"HTTP/1.1 500 X\r\ntransfer-encoding: chunked\r\n\r\n"
        .iter()
        .copied();
    let chunk = b"2000\r\n"
        .iter()
        .copied()
        .chain([b'x'; 0x2000])
        .chain(*b"\r\n");
    let said = said_of(Reply::RawThenSilence(endless.chain(chunk).collect())).await;
    assert_eq!(said, format!("status 500: {}", "x".repeat(300)));
}

#[tokio::test]
async fn a_redirect_is_not_followed_also_not_in_a_loop() {
    let said = said_of(Reply::Redirect("/pd/api/v1/stores".into())).await;
    assert_eq!(said, "status 307");
}

#[tokio::test]
async fn what_speaks_no_http_is_said_to() {
    let said = said_of(Reply::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())).await;
    assert!(said.contains("invalid HTTP version"), "{said}");
}

async fn over_tls(endpoint: &Server, tls: TlsFiles) -> Result<()> {
    let options = PdOptions {
        tls,
        ..fake::patient()
    };
    let pd = PdClient::with(&format!("https://{}", endpoint.address), options)?;
    pd.stores().await?;
    pd.stores().await.map(drop)
}

async fn tls_server(authority: &Authority) -> Server {
    Server::start_tls(authority.acceptor(), |request| match request.path() {
        "/pd/api/v1/cluster" => fake::cluster_id(fake::CLUSTER),
        _ => Reply::json(STORES),
    })
    .await
}

#[tokio::test]
async fn tls_with_a_certificate_is_let_in_and_verified_once() {
    let authority = Authority::new("tls-let-in");
    let server = tls_server(&authority).await;
    over_tls(&server, authority.files()).await.unwrap();
    assert_eq!(server.count("/pd/api/v1/cluster"), 1);
}

#[tokio::test]
async fn tls_without_a_certificate_is_turned_away_and_says_so() {
    let authority = Authority::new("tls-turned-away");
    let server = tls_server(&authority).await;
    let files = TlsFiles {
        identity: None,
        ..authority.files()
    };
    let error = format!("{:#}", over_tls(&server, files).await.unwrap_err());
    assert!(error.to_lowercase().contains("certificate"), "{error}");
}

#[tokio::test]
async fn tls_of_a_stranger_is_not_trusted() {
    let server = tls_server(&Authority::new("tls-stranger")).await;
    let trusted = Authority::new("tls-trusted");
    let error = over_tls(&server, trusted.files()).await.unwrap_err();
    let error = format!("{error:#}");
    assert!(
        error.contains("UnknownIssuer") || error.contains("BadSignature"),
        "{error}"
    );
}

#[tokio::test]
async fn tls_files_that_cannot_be_read_are_named() {
    let authority = Authority::new("tls-files");
    let server = tls_server(&authority).await;
    let files = authority.files();
    let ca = files.ca.clone().unwrap();
    let table = [
        (
            TlsFiles {
                ca: Some("/no/such.pem".into()),
                ..files.clone()
            },
            "no certificate can be read from /no/such.pem",
        ),
        (
            TlsFiles {
                identity: Some(IdentityFiles {
                    certificate: ca.clone(),
                    key: ca.clone(),
                }),
                ..files
            },
            "no private key can be read from",
        ),
    ];
    for (files, expected) in table {
        let error = format!("{:#}", over_tls(&server, files).await.unwrap_err());
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn http_alone_reads_no_certificate_files() {
    let server = fake::alone(|_| Reply::json(STORES)).await;
    let tls = TlsFiles {
        ca: Some("/no/such.pem".into()),
        identity: None,
    };
    let options = PdOptions {
        tls,
        ..fake::patient()
    };
    PdClient::with(&server.url(), options)
        .unwrap()
        .stores()
        .await
        .unwrap();
}

#[tokio::test]
async fn renewed_certificates_are_taken_up() {
    let authority = Authority::new("tls-renewed");
    let server = tls_server(&authority).await;
    let files = authority.files();
    let key = files.identity.clone().unwrap().key;
    let good = std::fs::read(&key).unwrap();
    std::fs::write(&key, "nothing yet").unwrap();
    let options = PdOptions {
        tls: files,
        ..fake::patient()
    };
    let pd = PdClient::with(&format!("https://{}", server.address), options).unwrap();
    pd.stores().await.unwrap_err();
    std::fs::write(&key, good).unwrap();
    pd.stores().await.unwrap();
}
