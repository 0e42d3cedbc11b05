//! What the README shows is what the command prints, and its commands are commands.

mod support;

use std::path::Path;

use support::{check, pd, store, stores};

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    std::fs::read_to_string(path).expect("the README is there")
}

fn blocks<'a>(readme: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    let blocks = readme.split(&fence).skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap_or_default())
        .collect()
}

#[test]
fn the_output_it_shows_is_the_output_there_is() {
    let server = pd(&stores(&[
        store(1, "Up", 15),
        store(2, "Up", 17),
        store(4, "Down", 7230),
    ]));
    let (status, text) = check(&server, &[]);
    assert_eq!(status, Some(2));
    let readme = readme();
    let shown = blocks(&readme, "text")[0].replace("http://127.0.0.1:2379", "http://pd");
    let shown = support::without_times(&shown);
    assert_eq!(shown, text);
}

#[test]
fn its_commands_are_the_main_job_and_the_tests() {
    let readme = readme();
    let commands: Vec<&str> = blocks(&readme, "sh")
        .iter()
        .map(|block| block.trim())
        .collect();
    assert_eq!(commands.len(), 3);
    assert_eq!(commands[0], "cargo run --release -- demo");
    // A minute is long for a test: the same, faster.
    let demo = support::operator(&["demo", "--speed", "100"]);
    assert_eq!(demo.status.code(), Some(0));
    let story = String::from_utf8_lossy(&demo.stdout).into_owned();
    for words in [
        "done     store-killed store/2 begins",
        "raised   critical store_down store/2",
        "resolved critical store_down store/2",
    ] {
        assert!(story.contains(words), "{words}: {story}");
    }
    let main_job = commands[1]
        .strip_prefix("cargo run --release -- ")
        .expect("it runs the command");
    let words: Vec<&str> = main_job.split(' ').collect();
    // Nobody listens at that address in a test; it parses, and the answer says what could not be seen.
    let status = support::operator(&words).status.code();
    assert!(matches!(status, Some(0..=3)), "{main_job}: {status:?}");
    assert_eq!(commands[2], "cargo test --workspace");
}

#[test]
fn the_configuration_it_shows_is_one() {
    let readme = readme();
    let folder = std::env::temp_dir().join(format!("operator-readme-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("operator.toml"), blocks(&readme, "toml")[0])
        .expect("it can be written");
    std::fs::write(folder.join("token"), "hush\n").expect("it can be written");
    let path = folder.join("operator.toml");
    let output = support::operator(&["rules", "--config", path.to_str().expect("a plain name")]);
    let _ = std::fs::remove_dir_all(&folder);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
}
