//! A real server behind TLS, a password and a prefix.

use operator_core::Fault;
use operator_tikv::{One, PromAuth, PromClient, PromData, PromOptions, TlsFiles};

use crate::moments::PATIENCE;
use crate::real::Prometheus;
use crate::tls::Authority;

/// `pass`, as the server keeps it.
const KEPT: &str = "$2b$04$l2WreIKdcbUbPmgDmQZ1BO3ElfoM6aA2qKFFjpdc8tERo7HVxnk62";

#[tokio::test]
async fn a_server_behind_tls_a_password_and_a_prefix_is_read_by_who_may() {
    let authority = Authority::new("prom-secured");
    let files = authority.files();
    let (Some(ca), Some(identity)) = (&files.ca, &files.identity) else {
        panic!("the authority gave no files");
    };
    let web = format!(
        "tls_server_config:\n  cert_file: {certificate}\n  key_file: {key}\n  \
         client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: {ca}\n\
         basic_auth_users:\n  reader: '{KEPT}'\n",
        certificate = identity.certificate.display(),
        key = identity.key.display(),
        ca = ca.display(),
    );
    let prepare = |folder: &std::path::Path| {
        let file = folder.join("web.yml");
        std::fs::write(&file, web).unwrap();
        vec![
            format!("--web.config.file={}", file.display()),
            "--web.route-prefix=/prometheus".to_owned(),
        ]
    };
    let Some(prometheus) = Prometheus::with("global: {}\n", prepare) else {
        return;
    };
    let secure = prometheus.url.replace("http://", "https://");
    let prefixed = format!("{secure}/prometheus");
    let ask = async |url: &str, password: &str, tls: &TlsFiles| {
        let options = PromOptions {
            // A busy machine takes its time over a handshake and a password.
            within: PATIENCE,
            auth: PromAuth::Basic {
                user: "reader".into(),
                password: password.to_owned(),
            },
            tls: tls.clone(),
            ..PromOptions::default()
        };
        let client = PromClient::with(url, options).unwrap();
        client.query("vector(7)", None).await
    };

    let answer = ask(&prefixed, "pass", &files).await.unwrap();
    let PromData::Vector(samples) = answer.data else {
        panic!("a vector");
    };
    let Some(One::Only(seven)) = samples.single() else {
        panic!("one");
    };
    assert_eq!(
        seven.last().and_then(|point| point.value.finite()),
        Some(7.0)
    );
    assert!(answer.date.is_some());

    let status = async |url: &str, password: &str| {
        let error = ask(url, password, &files).await.unwrap_err();
        match *error.fault {
            Fault::Status { code, .. } => code,
            fault => panic!("{fault}"),
        }
    };
    assert_eq!(status(&prefixed, "guess").await, 401);
    assert_eq!(status(&secure, "pass").await, 404);
    assert_eq!(
        status(&prefixed.replace("https", "http"), "pass").await,
        400
    );
    let nobody = TlsFiles {
        identity: None,
        ..files.clone()
    };
    let error = ask(&prefixed, "pass", &nobody).await.unwrap_err();
    assert!(matches!(*error.fault, Fault::Transport { .. }), "{error:#}");
}
