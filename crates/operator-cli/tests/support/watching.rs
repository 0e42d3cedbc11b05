//! A watch that a test reads line by line, and ends as Ctrl-C does.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

/// How long anything is waited for. It is a bound, so that what never comes is a failure and no standstill; how fast
/// the machine is decides nothing.
const BOUND: Duration = Duration::from_secs(300);
/// How often a file is looked at.
const BETWEEN: Duration = Duration::from_millis(10);

/// A watch that goes on until it is interrupted; killed with the test.
pub(crate) struct Watching {
    child: Child,
    lines: Receiver<String>,
    said: String,
    errors: Option<JoinHandle<String>>,
}

/// How it ended, with all that it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Watching {
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut child = super::command(&[&["watch"], args].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let out = BufReader::new(child.stdout.take().expect("its output"));
        let (tell, lines) = channel();
        spawn(move || {
            let lines = out.lines().map_while(Result::ok);
            // A test that has seen enough listens no more.
            lines.map(|line| tell.send(line)).find(Result::is_err)
        });
        let mut errors = child.stderr.take().expect("its errors");
        let errors = spawn(move || {
            let mut said = String::new();
            let _ = errors.read_to_string(&mut said);
            said
        });
        Self {
            child,
            lines,
            said: String::new(),
            errors: Some(errors),
        }
    }

    /// Waits for a line with one of these words.
    #[track_caller]
    pub(crate) fn until(&mut self, words: &[&str]) {
        while let Some(line) = self.line() {
            if words.iter().any(|words| line.contains(words)) {
                return;
            }
        }
        panic!("none of {words:?} was said: {}", self.said);
    }

    /// Waits until it has written its state down so many times more.
    #[track_caller]
    pub(crate) fn written(&mut self, state: &str, times: usize) {
        let mut last = std::fs::read(state).ok();
        for _ in 0..times {
            wait_until(|| {
                let now = std::fs::read(state).ok();
                let moved = now.is_some() && now != last;
                last = now;
                moved
            });
        }
    }

    /// Ends it as Ctrl-C does.
    pub(crate) fn interrupt(mut self) -> Ended {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status();
        assert!(sent.expect("kill runs").success());
        while self.line().is_some() {}
        let errors = self.errors.take().expect("they are read once");
        Ended {
            status: self.child.wait().expect("it ends").code(),
            out: std::mem::take(&mut self.said),
            err: errors.join().expect("they are read to the end"),
        }
    }

    /// The next line; none where no more will come.
    #[track_caller]
    fn line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(BOUND) {
            Ok(line) => {
                self.said += &line;
                self.said.push('\n');
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("nothing more was said: {}", self.said),
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until a file is there.
#[track_caller]
pub(crate) fn until_there(path: &str) {
    wait_until(|| Path::new(path).exists());
}

#[track_caller]
fn wait_until(mut holds: impl FnMut() -> bool) {
    let tries = BOUND.as_millis() / BETWEEN.as_millis();
    let came = (0..tries).any(|_| {
        holds() || {
            sleep(BETWEEN);
            false
        }
    });
    assert!(came, "it did not come to it");
}
