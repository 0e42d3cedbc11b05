//! The configuration file, the environment, and what of them is never printed.

mod support;

use std::process::Output;

use httpmock::MockServer;
use support::scratch::Scratch;
use support::{command, pd, store, stores};

/// Runs it under a patient configuration, unless another one is named. Such a one is to be patient too.
fn run(args: &[&str], env: &[(&str, &str)]) -> (Output, String) {
    let output = command(args)
        .envs(env.iter().copied())
        .output()
        .expect("the binary runs");
    let said = [&output.stdout[..], &output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (output, said)
}

/// A cluster that is recognised by the address of its one store.
fn named(id: u64) -> MockServer {
    pd(&stores(&[store(id, "Up", 15)]))
}

#[test]
fn a_flag_beats_the_environment_and_the_environment_beats_the_file() {
    let scratch = Scratch::new("config-order");
    let (flag, env, file) = (named(1), named(2), named(3));
    let config = scratch.named(
        "order.toml",
        format!("[pd]\nurls = \"{}\"\ntimeout = \"60s\"\n", file.base_url()),
    );
    let (flag, env) = (flag.base_url(), env.base_url());
    let of_flag = ["--pd", flag.as_str()];
    let of_env = ("OPERATOR_PD", env.as_str());
    let of_file = ("OPERATOR_CONFIG", config.as_str());
    for (args, env, expected) in [
        (&of_flag[..], &[of_env, of_file][..], "10.0.0.1"),
        (&[], &[of_env, of_file], "10.0.0.2"),
        (&[], &[of_file], "10.0.0.3"),
    ] {
        let (_, said) = run(&[&["stores"], args].concat(), env);
        assert!(said.contains(expected), "{args:?} {env:?}: {said}");
    }
    let (_, said) = run(
        &["stores", "--config", &config],
        &[("OPERATOR_CONFIG", "/nonexistent")],
    );
    assert!(said.contains("10.0.0.3"), "{said}");
}

#[test]
fn secrets_come_from_files_are_sent_and_are_never_printed() {
    let scratch = Scratch::new("config-secrets");
    let prometheus = MockServer::start();
    let asked = prometheus.mock(|when, then| {
        when.header("authorization", "Bearer hush-hush");
        then.status(503).body("not now");
    });
    let pd = named(1);
    let token = scratch.named("token", "hush-hush\n");
    let config = scratch.named(
        "secret.toml",
        format!(
            "[prometheus]\nurl = \"{}\"\ntimeout = \"160s\"\nbearer-token-file = \"{}\"\nheaders = {{ X-Tenant = \"quiet\" }}\n",
            prometheus.base_url(),
            token
        ),
    );
    for args in [
        &["check"][..],
        &["status", "-o", "json"],
        &["check", "-vvv"],
        &["contract"],
        &["metrics"],
    ] {
        let url = format!("http://me:tiptoe@{}", pd.address());
        let args = [args, &["--pd", &url, "--config", &config]].concat();
        let (output, said) = run(&args, &[]);
        assert!(
            output.status.code().is_some_and(|code| code < 64),
            "{args:?}: {said}"
        );
        for secret in ["hush-hush", "tiptoe", "quiet"] {
            assert!(!said.contains(secret), "{args:?}: {said}");
        }
    }
    assert!(asked.calls() > 0, "the token was sent");
}

#[test]
fn thresholds_are_those_of_the_file() {
    let scratch = Scratch::new("config-thresholds");
    // Silent for minutes more than usually allowed, and for minutes less than the file allows.
    let pd = pd(&stores(&[
        store(1, "Up", 15),
        store(4, "Disconnected", 600),
    ]));
    let url = pd.base_url();
    let only = ["check", "--pd", url.as_str(), "--only", "store_down"];
    assert_eq!(run(&only, &[]).0.status.code(), Some(2));
    let config = scratch.named(
        "patient.toml",
        "[pd]\ntimeout = \"60s\"\n[rules.store_down]\none_witness_after = \"20min\"\n",
    );
    let (output, said) = run(&[&only[..], &["--config", &config]].concat(), &[]);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let config = scratch.named(
        "skip.toml",
        "[pd]\ntimeout = \"60s\"\n[rules]\nskip = [\"store_down\"]\n",
    );
    let (output, said) = run(&["check", "--pd", &url, "--config", &config], &[]);
    assert!(!said.contains("store_down"), "{said}");
    assert!(output.status.code() != Some(2), "{said}");
}

#[test]
fn the_form_and_the_zone_are_the_flags_or_else_the_files() {
    let scratch = Scratch::new("config-form");
    let config = scratch.named("form.toml", "[output]\nformat = \"json\"\n");
    let (_, said) = run(&["rules", "--config", &config], &[]);
    assert!(said.starts_with('{'), "{said}");
    let (_, said) = run(&["rules", "--config", &config, "-o", "text"], &[]);
    assert!(said.starts_with("CODE"), "{said}");

    let pd = named(1);
    let url = pd.base_url();
    let check = ["check", "--pd", url.as_str(), "--only", "store_down"];
    let zone = ("TZ", "Asia/Tokyo");
    assert!(run(&check, &[zone]).1.contains("Z)"));
    let (_, local) = run(&[&check[..], &["--local"]].concat(), &[zone]);
    assert!(local.contains("+09:00)"), "{local}");
}
