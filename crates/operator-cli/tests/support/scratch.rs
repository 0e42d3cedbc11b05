//! A folder for a test, the binary run in it, and what it prints compared with what it is to print.

#![allow(dead_code, reason = "each test binary uses its share")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use operator_sim::Scenario;

/// A folder that is there for one test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        // Two runs of the tests in one checkout have a folder each.
        let name = format!("{name}-{}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder for the test");
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// How a file in it is named on a command line, whether it is there or not.
    pub(crate) fn path_of(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        let folder = path.parent().expect("inside the folder");
        fs::create_dir_all(folder).expect("a folder for the file");
        fs::write(&path, bytes).expect("a file for the test");
        path
    }

    /// The same, and how it is named on a command line.
    pub(crate) fn named(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        self.file(name, bytes);
        self.path_of(name)
    }

    /// What the servers of a simulated cluster write in so many seconds of a scenario.
    pub(crate) fn logs_of(&self, scenario: &str, seconds: u64) {
        let scenario = Scenario::named(scenario).expect("a scenario");
        let mut cluster = scenario.build(1);
        cluster.advance(std::time::Duration::from_secs(seconds));
        for line in cluster.log_lines() {
            let path = self.0.join(line.file.to_string());
            let file = fs::OpenOptions::new().create(true).append(true).open(path);
            writeln!(file.expect("a log"), "{}", line.text).expect("a line");
        }
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_operator"));
        command.args(args).current_dir(&self.0);
        for name in ["OPERATOR_PD", "OPERATOR_PROMETHEUS", "OPERATOR_CONFIG"] {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Said {
        Said::of(&self.command(args).output().expect("the binary runs"))
    }

    pub(crate) fn run_on(&self, input: &[u8], args: &[&str]) -> Said {
        let mut command = self.command(args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = input.to_vec();
        let writer = std::thread::spawn(move || {
            // Whoever has seen enough reads no more.
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().expect("it ends");
        writer.join().expect("all is written");
        Said::of(&output)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a run said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            status: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// The answer, where all was well and nothing was said beside it.
    #[track_caller]
    pub(crate) fn well(self) -> String {
        assert_eq!(
            (self.status, self.err.as_str()),
            (Some(0), ""),
            "{}",
            self.out
        );
        self.out
    }
}

/// Compares with the file of that name; `UPDATE_GOLDEN=1` writes it instead, for a look at the difference.
#[track_caller]
pub(crate) fn golden(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, found).expect("the file can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "{name} is to be otherwise");
}
