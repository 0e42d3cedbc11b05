//! Members that demand certificates, made by this test.

use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use operator_bench::real::{PdFiles, PdMembers, eventually};
use operator_tikv::{IdentityFiles, PdClient, PdOptions, TlsFiles};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};

use crate::support::Programs;

/// An authority, and whom it vouches for.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        let issuer = Issuer::new(params, key);
        Self { issuer, pem }
    }

    /// Files for someone at these addresses.
    fn files(&self, folder: &Path, name: &str, hosts: Vec<String>) -> PdFiles {
        let mut params = CertificateParams::new(hosts).expect("addresses");
        // Members of PD are each other's clients.
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let write = |of: &str, text: &str| {
            let path = folder.join(format!("{name}.{of}"));
            fs::write(&path, text).expect("a file");
            path
        };
        PdFiles {
            ca: write("ca", &self.pem),
            certificate: write("pem", &certificate.pem()),
            key: write("key", &key.serialize_pem()),
        }
    }
}

fn client(pd: &PdMembers, ca: &PdFiles, identity: Option<&PdFiles>) -> PdClient {
    let identity = identity.map(|files| IdentityFiles {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
    });
    let tls = TlsFiles {
        ca: Some(ca.ca.clone()),
        identity,
    };
    let options = PdOptions {
        tls,
        ..PdOptions::default()
    };
    PdClient::with(&pd.endpoints(), options).expect("endpoints")
}

pub(crate) async fn members_that_demand_certificates_are_read_with_one_and_not_without(
    programs: &Programs,
) {
    let pd = PdMembers::new(programs.path("pd-server"), 3).expect("a folder");
    let (authority, stranger) = (Authority::new(), Authority::new());
    // Members are called at their own addresses, and call from the one that all of loopback has.
    let hosts = pd.hosts().chain([Ipv4Addr::LOCALHOST]);
    let hosts: Vec<String> = hosts.map(|host| host.to_string()).collect();
    let theirs = authority.files(pd.folder(), "server", hosts.clone());
    let ours = authority.files(pd.folder(), "client", vec![]);
    let strange = stranger.files(pd.folder(), "stranger", hosts);
    let mut pd = pd.with_tls(theirs);
    pd.start_all().expect("they start");

    let trusted = client(&pd, &ours, Some(&ours));
    let led = eventually(Duration::from_secs(120), || async {
        trusted.leader().await.ok()?
    });
    let leader = led.await.unwrap_or_else(|| panic!("{}", pd.last_words()));
    let members = trusted.members().await.expect("members");
    assert_eq!(members.members.items.len(), 3);
    assert_eq!(members.leader.map(|leader| leader.id), Some(leader.id));
    for member in &members.members.items {
        assert!(
            member
                .client_urls
                .iter()
                .all(|url| url.starts_with("https://"))
        );
    }
    let health = trusted.health().await.expect("health").items;
    assert!(
        health.len() == 3 && health.iter().all(|one| one.healthy),
        "{health:?}"
    );

    for (what, refused) in [
        ("without a certificate", client(&pd, &ours, None)),
        ("with another's", client(&pd, &ours, Some(&strange))),
        ("trusting another", client(&pd, &strange, Some(&ours))),
    ] {
        let error = refused.members().await.expect_err(what);
        let text = format!("{error:#}");
        assert!(
            text.contains("certificate")
                || text.contains("CertificateRequired")
                || text.contains("alert"),
            "{what}: {text}"
        );
    }

    // The command reads the same from a file.
    let mut config = String::new();
    let urls: Vec<String> = pd.endpoints().split(',').map(str::to_owned).collect();
    writeln!(config, "[pd]\nurls = {urls:?}\n[pd.tls]").expect("a string takes all");
    for (key, path) in [
        ("ca-file", &ours.ca),
        ("cert-file", &ours.certificate),
        ("key-file", &ours.key),
    ] {
        writeln!(config, "{key} = {path:?}").expect("a string takes all");
    }
    let path = pd.folder().join("operator.toml");
    fs::write(&path, config).expect("a file");
    let path = path.to_str().expect("a name");
    let (exit, told) = programs.operator(&["members", "--config", path]);
    assert_eq!(exit, Some(0), "{told}");
    assert_eq!(told["cluster_id"], members.cluster_id);
    assert_eq!(told["members"].as_array().map(Vec::len), Some(3));
}
