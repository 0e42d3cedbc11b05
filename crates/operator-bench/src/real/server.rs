//! One process, which ends when its owner does.

use std::ffi::OsStr;
use std::fs;
use std::future::Future;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use operator_core::Clock;

/// Says its child's number, and ends it when the pipe to it ends: also where whoever started it is killed
/// and can end nothing.
const WATCHED: &str = r#"exec 3<&0
"$@" </dev/null >>"$0" 2>&1 3<&- & child=$!
echo "$child"
read -r _ <&3
kill -9 "$child"
wait "$child""#;

/// How much of what a server wrote is shown when it does not do what it should.
const TAIL_BYTES: usize = 2000;

/// A process that runs until this is dropped.
#[derive(Debug)]
pub struct Server {
    shell: Child,
    pipe: Option<ChildStdin>,
    id: String,
    log: PathBuf,
}

impl Server {
    /// Starts a program. What it writes goes to `log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start<A: AsRef<OsStr>>(
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
        log: &Path,
    ) -> io::Result<Self> {
        let mut shell = Command::new("sh")
            .args(["-c", WATCHED])
            .arg(log)
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (pipe, said) = (shell.stdin.take(), shell.stdout.take());
        let mut server = Self {
            shell,
            pipe,
            id: String::new(),
            log: log.to_owned(),
        };
        let said = said.ok_or_else(|| io::Error::other("the shell is mute"))?;
        BufReader::new(said).read_line(&mut server.id)?;
        server.id = server.id.trim().to_owned();
        Ok(server)
    }

    /// Stops it without ending it: it holds its sockets and answers nothing.
    ///
    /// # Errors
    /// When it has ended.
    pub fn freeze(&self) -> io::Result<()> {
        self.signal("-STOP")
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it has ended.
    pub fn thaw(&self) -> io::Result<()> {
        self.signal("-CONT")
    }

    fn signal(&self, signal: &str) -> io::Result<()> {
        let sent = Command::new("kill").args([signal, &self.id]).status()?;
        match sent.success() {
            true => Ok(()),
            false => Err(io::Error::other(format!("process {} has ended", self.id))),
        }
    }

    /// How long the processor has worked for it so far.
    pub fn worked(&self) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id)).ok()?;
        // The name, in parentheses, may hold anything; of what follows it, user and system time are the
        // twelfth and thirteenth, in hundredths of a second.
        let (_, rest) = stat.rsplit_once(')')?;
        let mut words = rest.split_whitespace().skip(11);
        let mut ticks = || words.next()?.parse::<u64>().ok();
        Some(Duration::from_millis((ticks()? + ticks()?) * 10))
    }

    /// The last that it wrote.
    pub fn last_words(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let from = text.len().saturating_sub(TAIL_BYTES);
        String::from_utf8_lossy(&text[from..]).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // It was told to end, and cannot but do so.
        let _ = self.shell.wait();
    }
}

/// Tries again and again until there is a value; `None` when there is none within this time.
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    within: Duration,
    mut attempt: impl FnMut() -> F,
) -> Option<T> {
    let clock = Clock::system();
    let give_up = clock.now() + within;
    loop {
        if let Some(value) = attempt().await {
            return Some(value);
        }
        if clock.now() >= give_up {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_process_can_be_frozen_and_is_gone_when_its_owner_is() {
        let folder = crate::folder::Folder::new("server").expect("a folder");
        let sleep = crate::real::find("sleep").expect("every system has one");
        let server = Server::start(&sleep, ["600"], &folder.join("log")).expect("it starts");
        let status = PathBuf::from(format!("/proc/{}/status", server.id));
        server.freeze().expect("it is alive");
        // A signal is on its way for a moment.
        let stopped = eventually(Duration::from_secs(120), || async {
            let text = fs::read_to_string(&status).expect("it is alive");
            text.contains("State:\tT").then_some(())
        });
        stopped.await.expect("it stops");
        server.thaw().expect("it is alive");
        drop(server);
        assert!(!status.exists());
    }
}
