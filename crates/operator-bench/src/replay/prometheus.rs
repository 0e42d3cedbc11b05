//! A real Prometheus, with a folder of its own.

use std::fmt;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::folder::Folder;

const PROGRAM: &str = "prometheus";
/// How long its start may take: on a machine with nothing else to do it takes a second.
const START: Duration = Duration::from_secs(300);

/// Ends its child when the pipe to it ends: also where whoever started it is killed and can end nothing.
const WATCHED: &str =
    r#"exec 3<&0; "$@" </dev/null & child=$!; read -r _ <&3; kill -9 "$child"; wait "$child""#;

/// A server that runs. It ends when this is dropped, and its folder goes with it.
#[derive(Debug)]
pub struct Prometheus {
    folder: Folder,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    shell: Child,
    pipe: Option<ChildStdin>,
    address: String,
}

/// Why there is no server.
#[derive(Debug)]
pub enum StartError {
    /// The program is not installed.
    NotInstalled,
    /// It could not be prepared, or ended, or did not get ready; with the last it said.
    Failed(String),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled => write!(f, "there is no `{PROGRAM}` on this machine"),
            Self::Failed(how) => write!(f, "cannot start `{PROGRAM}`: {how}"),
        }
    }
}

impl std::error::Error for StartError {}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Whether the program is there.
pub fn is_installed() -> bool {
    let tried = Command::new(PROGRAM)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    tried.is_ok_and(|status| status.success())
}

impl Prometheus {
    /// Starts a server with this configuration, over what `prepare` put into its folder for data. It
    /// keeps everything, however old.
    ///
    /// # Errors
    /// When it is not installed, or does not become ready.
    pub fn start(
        config: &str,
        prepare: impl FnOnce(&Path) -> io::Result<()>,
    ) -> Result<Self, StartError> {
        if !is_installed() {
            return Err(StartError::NotInstalled);
        }
        let folder = Folder::new(PROGRAM)?;
        fs::create_dir_all(data_in(&folder))?;
        fs::write(config_in(&folder), config)?;
        prepare(&data_in(&folder))?;
        let mut server = Self {
            folder,
            running: None,
        };
        server.resume()?;
        Ok(server)
    }

    /// Where it answers; nothing while it is stopped.
    pub fn address(&self) -> Option<&str> {
        Some(&self.running.as_ref()?.address)
    }

    /// Kills it. What it had measured stays.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// Starts it anew on another free port, and waits until it has read what it had measured.
    ///
    /// # Errors
    /// When it does not become ready.
    pub fn resume(&mut self) -> Result<(), StartError> {
        self.running = None;
        self.running = Some(self.run("127.0.0.1:0", &|line| line.contains(READY))?);
        Ok(())
    }

    /// Starts it anew at an address, and waits only until it listens.
    ///
    /// # Errors
    /// When it does not come to listen.
    pub fn begin_to_resume(&mut self, address: &str) -> Result<(), StartError> {
        self.running = None;
        self.running = Some(self.run(address, &|line| line.contains(LISTENS))?);
        Ok(())
    }

    fn run(&self, listen: &str, until: &dyn Fn(&str) -> bool) -> Result<Running, StartError> {
        let mut shell = Command::new("sh")
            .args(["-c", WATCHED, "sh", PROGRAM])
            .arg(format!(
                "--config.file={}",
                config_in(&self.folder).display()
            ))
            .arg(format!(
                "--storage.tsdb.path={}",
                data_in(&self.folder).display()
            ))
            .arg("--storage.tsdb.retention.time=100y")
            .arg(format!("--web.listen-address={listen}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let (pipe, log) = (shell.stdin.take(), shell.stderr.take());
        let mut running = Running {
            shell,
            pipe,
            address: String::new(),
        };
        let lines = BufReader::new(log.ok_or_else(|| StartError::Failed("it is mute".into()))?);
        let (tell, told) = mpsc::channel();
        // It goes on reading, so that the server can go on writing.
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        running.address = starts_at(&told, until)?;
        Ok(running)
    }
}

const READY: &str = "Server is ready to receive web requests";
const LISTENS: &str = "msg=\"Listening on\"";

/// The address it listens at, once it has said so and has said what is waited for. The two come in either
/// order: what it reads at its start and what it listens with are begun side by side.
#[expect(
    clippy::disallowed_methods,
    reason = "a program starts in real time, not in the model's"
)]
fn starts_at(
    told: &mpsc::Receiver<String>,
    until: &dyn Fn(&str) -> bool,
) -> Result<String, StartError> {
    let deadline = Instant::now() + START;
    let mut last = "nothing was said".to_owned();
    let mut address = None;
    let mut is_reached = false;
    loop {
        let line = told
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            .map_err(|_| StartError::Failed(last))?;
        is_reached |= until(&line);
        address = address.or_else(|| listens_at(&line).map(str::to_owned));
        match address {
            Some(address) if is_reached => return Ok(address),
            _ => last = line,
        }
    }
}

fn listens_at(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once(LISTENS)?;
    let (_, address) = rest.split_once("address=")?;
    address.split_whitespace().next()
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // It was told to end, and cannot but do so.
        let _ = self.shell.wait();
    }
}

fn config_in(folder: &Folder) -> PathBuf {
    folder.join("prometheus.yml")
}

/// Where a block lies once it is unpacked.
fn data_in(folder: &Folder) -> PathBuf {
    folder.join("tsdb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_ready_before_it_listens_as_well_as_after() {
        let listens = r#"level=info component=web msg="Listening on" address=127.0.0.1:43210"#;
        let ready = r#"level=info msg="Server is ready to receive web requests.""#;
        for said in [[listens, ready], [ready, listens]] {
            let (tell, told) = mpsc::channel();
            for line in said {
                tell.send(line.to_owned()).expect("it is listened to");
            }
            let started = starts_at(&told, &|line| line.contains(READY));
            assert_eq!(started.ok().as_deref(), Some("127.0.0.1:43210"), "{said:?}");
        }
    }

    #[test]
    fn a_server_that_ends_while_it_starts_is_told_with_its_last_words() {
        let (tell, told) = mpsc::channel();
        tell.send("level=error err=\"no space left\"".to_owned())
            .expect("it is listened to");
        drop(tell);
        let started = starts_at(&told, &|line| line.contains(READY));
        let error = started.expect_err("it never listened").to_string();
        assert!(error.contains("no space left"), "{error}");
    }

    #[test]
    fn the_address_is_read_from_the_line_that_says_it() {
        let line = r#"ts=2026-11-21T00:00:00Z caller=tls_config.go:232 level=info component=web msg="Listening on" address=127.0.0.1:43210"#;
        assert_eq!(listens_at(line), Some("127.0.0.1:43210"));
        assert_eq!(
            listens_at("msg=\"Start listening for connections\" address=0"),
            None
        );
    }
}
