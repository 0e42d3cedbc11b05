//! Members of one PD.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Said, Server, ask, eventually, loopback};
use crate::folder::Folder;

const CLIENTS: u16 = 2379;
const PEERS: u16 = 2380;
/// How long members may take to find a leader.
const START: Duration = Duration::from_secs(120);

/// The files with which members talk TLS.
#[derive(Debug, Clone)]
pub struct PdFiles {
    /// Whom to trust.
    pub ca: PathBuf,
    /// Who they are.
    pub certificate: PathBuf,
    /// What proves it.
    pub key: PathBuf,
}

/// The members of one PD, each on an address of its own. They end when this is dropped, and what they
/// wrote goes with them.
#[derive(Debug)]
pub struct PdMembers {
    program: PathBuf,
    tls: Option<PdFiles>,
    members: Vec<Member>,
    folder: Folder,
}

#[derive(Debug)]
struct Member {
    name: String,
    host: Ipv4Addr,
    server: Option<Server>,
}

impl PdMembers {
    /// Addresses for so many members, none of which runs yet.
    ///
    /// # Errors
    /// When there is no folder to be had.
    pub fn new(program: &Path, count: usize) -> io::Result<Self> {
        let member = |number| Member {
            name: format!("pd-{number}"),
            host: loopback(),
            server: None,
        };
        Ok(Self {
            program: program.to_owned(),
            tls: None,
            members: (0..count).map(member).collect(),
            folder: Folder::new("pd")?,
        })
    }

    /// So many members that run, and have a leader.
    ///
    /// # Errors
    /// When they cannot be started, or find no leader.
    pub async fn started(program: &Path, count: usize) -> io::Result<Self> {
        let mut members = Self::new(program, count)?;
        members.start_all()?;
        match members.led_within(START).await {
            Some(_) => Ok(members),
            None => Err(io::Error::other(members.last_words())),
        }
    }

    /// The same, over TLS, which demands certificates of clients as well.
    #[must_use]
    pub fn with_tls(mut self, files: PdFiles) -> Self {
        self.tls = Some(files);
        self
    }

    /// Where their files lie.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| member.name.as_str())
    }

    /// Their hosts.
    pub fn hosts(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        self.members.iter().map(|member| member.host)
    }

    /// Where clients reach them, with commas between.
    pub fn endpoints(&self) -> String {
        let urls = self.members.iter().map(|one| self.url(one.host, CLIENTS));
        urls.collect::<Vec<_>>().join(",")
    }

    /// Where clients reach this one.
    pub fn address(&self, name: &str) -> Option<SocketAddr> {
        let host = self.members.iter().find(|one| one.name == name)?.host;
        Some(SocketAddr::from((host, CLIENTS)))
    }

    fn url(&self, host: Ipv4Addr, port: u16) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{host}:{port}")
    }

    /// Starts all that do not run.
    ///
    /// # Errors
    /// When one cannot be started.
    pub fn start_all(&mut self) -> io::Result<()> {
        let names: Vec<String> = self.names().map(str::to_owned).collect();
        names.iter().try_for_each(|name| self.start(name))
    }

    /// Starts one that does not run, over what it wrote before.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self, name: &str) -> io::Result<()> {
        let Some(place) = self.members.iter().position(|one| one.name == name) else {
            return Err(io::Error::other(format!("there is no {name}")));
        };
        if self.members[place].server.is_some() {
            return Ok(());
        }
        let arguments = self.arguments(&self.members[place]);
        let log = self.folder.join(format!("{name}.log"));
        self.members[place].server = Some(Server::start(&self.program, arguments, &log)?);
        Ok(())
    }

    fn arguments(&self, of: &Member) -> Vec<String> {
        let (clients, peers) = (self.url(of.host, CLIENTS), self.url(of.host, PEERS));
        let all = self.members.iter();
        let all = all.map(|one| format!("{}={}", one.name, self.url(one.host, PEERS)));
        let mut arguments = vec![
            format!("--name={}", of.name),
            format!("--data-dir={}", self.folder.join(&of.name).display()),
            format!("--client-urls={clients}"),
            format!("--advertise-client-urls={clients}"),
            format!("--peer-urls={peers}"),
            format!("--advertise-peer-urls={peers}"),
            format!("--initial-cluster={}", all.collect::<Vec<_>>().join(",")),
        ];
        if let Some(files) = &self.tls {
            arguments.push(format!("--cacert={}", files.ca.display()));
            arguments.push(format!("--cert={}", files.certificate.display()));
            arguments.push(format!("--key={}", files.key.display()));
        }
        arguments
    }

    /// Kills one. What it wrote stays.
    pub fn kill(&mut self, name: &str) {
        if let Some(member) = self.members.iter_mut().find(|one| one.name == name) {
            member.server = None;
        }
    }

    /// Kills all of them.
    pub fn kill_all(&mut self) {
        for member in &mut self.members {
            member.server = None;
        }
    }

    /// The process of one that runs.
    pub fn server(&self, name: &str) -> Option<&Server> {
        let member = self.members.iter().find(|one| one.name == name)?;
        member.server.as_ref()
    }

    /// Asks one over plain HTTP, to answer by itself, or to pass it on to the leader.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn ask(&self, name: &str, method: &str, path: &str, body: &str) -> io::Result<Said> {
        let missing = || io::Error::other(format!("there is no {name}"));
        ask(self.address(name).ok_or_else(missing)?, method, path, body)
    }

    /// Who leads, as one that runs says over plain HTTP.
    pub fn leader(&self) -> Option<String> {
        let running = self.members.iter().filter(|one| one.server.is_some());
        let mut told = running.filter_map(|one| {
            let said = self.ask(&one.name, "GET", "/pd/api/v1/leader", "").ok()?;
            let name = said.json()?.get("name")?.as_str()?.to_owned();
            (said.status == 200).then_some(name)
        });
        told.next()
    }

    /// Who leads, once one that runs does.
    pub async fn led_within(&self, within: Duration) -> Option<String> {
        let led = || async {
            let name = self.leader()?;
            self.server(&name).is_some().then_some(name)
        };
        eventually(within, led).await
    }

    /// The last that each of them wrote.
    pub fn last_words(&self) -> String {
        let servers = self.members.iter().filter_map(|one| one.server.as_ref());
        servers.map(Server::last_words).collect()
    }
}
