//! The faces on loopback: a thin server between sockets and the pure functions of the model.

mod connection;
mod control;
mod held;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::cluster::Cluster;
use crate::cluster::pd::MemberProcess;
use crate::cluster::store::Process;
use crate::http::{Outcome, Reply, Request};

pub use held::HeldPort;

/// How model time follows real time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// So many model seconds per real second; 1 is real time.
    Times(f64),
    /// As fast as the machine can.
    Unbound,
    /// Only when told to.
    Still,
}

/// The ports to serve on; 0 takes a free one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ports {
    /// Of PD's first member; the others take the ports that follow.
    pub pd: u16,
    /// Of Prometheus.
    pub prometheus: u16,
    /// Of the `/metrics` pages.
    pub pages: u16,
    /// Of the controls.
    pub control: u16,
}

impl Ports {
    fn of(&self, face: Face) -> Option<u16> {
        match face {
            Face::Pd(_) if self.pd == 0 => Some(0),
            Face::Pd(member) => self.pd.checked_add(u16::try_from(member).ok()?),
            Face::Prometheus => Some(self.prometheus),
            Face::Pages => Some(self.pages),
            Face::Control => Some(self.control),
        }
    }
}

/// A port that could not be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot serve {what} on {at}")]
pub struct ServeError {
    what: String,
    at: String,
    #[source]
    source: io::Error,
}

/// A listener, and which part of the cluster speaks there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Face {
    Pd(usize),
    Prometheus,
    Pages,
    Control,
}

/// How often the faces were asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// All members of PD together, but for the next.
    pub pd: u64,
    /// Which cluster PD's members are of.
    pub identity: u64,
    /// Prometheus.
    pub prometheus: u64,
}

/// What all faces share.
#[derive(Debug)]
struct Hall {
    cluster: Mutex<Cluster>,
    pd: AtomicU64,
    identity: AtomicU64,
    prometheus: AtomicU64,
}

impl Hall {
    fn count(&self, face: Face, path: &str) {
        let counter = match face {
            Face::Pd(_) if path == "/pd/api/v1/cluster" => &self.identity,
            Face::Pd(_) => &self.pd,
            Face::Prometheus => &self.prometheus,
            Face::Pages | Face::Control => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// A panic elsewhere leaves the model as it was between two of its events: it can be read on.
    fn lock(&self) -> MutexGuard<'_, Cluster> {
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A cluster that is being served. Everything ends when it is dropped.
#[derive(Debug)]
pub struct Served {
    hall: Arc<Hall>,
    /// Base URLs of PD's members, in their order.
    pub pd: Vec<String>,
    /// Base URL of Prometheus.
    pub prometheus: String,
    /// Base URL of the `/metrics` pages: `/store/<id>/metrics` and `/pd/<name>/metrics`.
    pub pages: String,
    /// Base URL of the controls.
    pub control: String,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Served {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Served {
    /// Serves a cluster on free ports of loopback.
    ///
    /// # Errors
    /// When a port cannot be bound.
    pub async fn start(cluster: Cluster, speed: Speed) -> Result<Self, ServeError> {
        Self::start_on(cluster, speed, Ports::default()).await
    }

    /// Serves a cluster on these ports of loopback.
    ///
    /// # Errors
    /// When a port cannot be bound: which, and for whom.
    pub async fn start_on(
        mut cluster: Cluster,
        speed: Speed,
        ports: Ports,
    ) -> Result<Self, ServeError> {
        let members = cluster.pd.members.len();
        let mut wanted = Vec::new();
        for face in (0..members)
            .map(Face::Pd)
            .chain([Face::Prometheus, Face::Pages, Face::Control])
        {
            wanted.push((face, port(&cluster, face, ports)?));
        }
        // That there is a port for each is known before any is taken.
        let mut listeners = Vec::new();
        for (face, port) in wanted {
            listeners.push(bind(&cluster, face, port)?);
        }
        let url = |face: Face| -> String {
            let found = listeners.iter().find(|(known, ..)| *known == face);
            found
                .map(|(_, held, _)| format!("http://{}", held.address()))
                .unwrap_or_default()
        };
        let pd: Vec<String> = (0..members).map(|member| url(Face::Pd(member))).collect();
        for (member, url) in cluster.pd.members.iter_mut().zip(&pd) {
            member.client_url.clone_from(url);
        }
        let (prometheus, pages, control) =
            (url(Face::Prometheus), url(Face::Pages), url(Face::Control));
        let hall = Arc::new(Hall {
            cluster: Mutex::new(cluster),
            pd: AtomicU64::new(0),
            identity: AtomicU64::new(0),
            prometheus: AtomicU64::new(0),
        });
        let mut tasks: Vec<JoinHandle<()>> = listeners
            .into_iter()
            .map(|(face, held, listener)| {
                tokio::spawn(listen(Arc::clone(&hall), face, held, listener))
            })
            .collect();
        tasks.push(tokio::spawn(drive(Arc::clone(&hall), speed)));
        Ok(Self {
            hall,
            pd,
            prometheus,
            pages,
            control,
            tasks,
        })
    }

    /// The cluster itself, between two requests: to advance it, to inject, to read the truth.
    pub fn with<T>(&self, work: impl FnOnce(&mut Cluster) -> T) -> T {
        work(&mut self.hall.lock())
    }

    /// How often the faces were asked so far.
    pub fn asked(&self) -> Asked {
        Asked {
            pd: self.hall.pd.load(Ordering::Relaxed),
            identity: self.hall.identity.load(Ordering::Relaxed),
            prometheus: self.hall.prometheus.load(Ordering::Relaxed),
        }
    }
}

/// Where a face is to be; 0 for wherever there is room.
fn port(cluster: &Cluster, face: Face, ports: Ports) -> Result<u16, ServeError> {
    ports.of(face).ok_or_else(|| ServeError {
        what: named(cluster, face),
        at: format!("a port behind {}", u16::MAX),
        source: io::ErrorKind::AddrNotAvailable.into(),
    })
}

fn named(cluster: &Cluster, face: Face) -> String {
    match face {
        Face::Pd(member) => cluster.pd.members.get(member).map_or_else(
            || "PD".to_owned(),
            |member| format!("PD's member {}", member.name),
        ),
        Face::Prometheus => "Prometheus".to_owned(),
        Face::Pages => "the pages of metrics".to_owned(),
        Face::Control => "the controls".to_owned(),
    }
}

fn bind(
    cluster: &Cluster,
    face: Face,
    port: u16,
) -> Result<(Face, HeldPort, TcpListener), ServeError> {
    let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let bound = HeldPort::take(wanted).and_then(|held| {
        let listener = held.listen()?;
        Ok((face, held, listener))
    });
    bound.map_err(|source| ServeError {
        what: named(cluster, face),
        at: wanted.to_string(),
        source,
    })
}

/// How often model time moves.
const TICK: Duration = Duration::from_millis(50);

async fn drive(hall: Arc<Hall>, speed: Speed) {
    let mut ticks = tokio::time::interval(TICK);
    loop {
        match speed {
            Speed::Still => return,
            Speed::Times(factor) => {
                ticks.tick().await;
                // What is no number stands still; what is absurd is bounded.
                let factor = if factor.is_nan() { 0.0 } else { factor };
                let span = TICK.mul_f64(factor.clamp(0.0, 1e6));
                hall.lock().advance(span);
            }
            Speed::Unbound => {
                hall.lock().advance(Duration::from_secs(1));
                tokio::task::yield_now().await;
            }
        }
    }
}

/// How often a closed face looks whether it may open again.
const CLOSED: Duration = Duration::from_millis(20);

/// Accepts for one face for as long as somebody would listen there; a dead server's port refuses, and is nobody
/// else's.
async fn listen(hall: Arc<Hall>, face: Face, held: HeldPort, first: TcpListener) {
    let mut listener = Some(first);
    loop {
        let open = is_open(&hall.lock(), face);
        match (open, listener.take()) {
            (false, bound) => {
                // At once, and not when the sleep is over.
                drop(bound);
                tokio::time::sleep(CLOSED).await;
            }
            (true, None) => match held.listen() {
                Ok(bound) => listener = Some(bound),
                Err(_) => tokio::time::sleep(CLOSED).await,
            },
            (true, Some(bound)) => {
                if let Ok(Ok((stream, _))) = tokio::time::timeout(CLOSED, bound.accept()).await {
                    tokio::spawn(connection::serve(stream, Arc::clone(&hall), face));
                }
                listener = Some(bound);
            }
        }
    }
}

fn is_open(cluster: &Cluster, face: Face) -> bool {
    match face {
        Face::Pd(member) => {
            let process = cluster.pd.process(member);
            process.is_some_and(|process| process != MemberProcess::Dead)
        }
        Face::Prometheus => !cluster.conditions.prometheus.down,
        Face::Pages | Face::Control => true,
    }
}

fn answer(cluster: &mut Cluster, face: Face, request: &Request) -> Outcome {
    match face {
        Face::Pd(member) => cluster.pd(member, request),
        Face::Prometheus => cluster.prometheus(request),
        Face::Pages => page(cluster, request),
        Face::Control => Outcome::Reply(control::answer(cluster, request)),
    }
}

/// A `/metrics` page for a real Prometheus, by the path that leads to it.
fn page(cluster: &Cluster, request: &Request) -> Outcome {
    let mut parts = request.path.trim_start_matches('/').split('/');
    let found = match (parts.next(), parts.next(), parts.next()) {
        (Some("store"), Some(id), Some("metrics")) => {
            let place = id.parse().ok().and_then(|id| cluster.store_place(id));
            place.and_then(|place| {
                let hangs = cluster.store(place)?.process == Process::Frozen;
                Some((hangs, crate::prom::store_page(cluster, place)))
            })
        }
        (Some("pd"), Some(name), Some("metrics")) => {
            let members = &cluster.pd.members;
            let member = members.iter().position(|member| member.name == name);
            member.map(|member| {
                let hangs = cluster.pd.process(member) == Some(MemberProcess::Frozen);
                (hangs, crate::prom::member_page(cluster, member))
            })
        }
        _ => None,
    };
    match found {
        None => Outcome::Reply(Reply::text(404, "404 page not found")),
        Some((true, _)) => Outcome::Silence,
        Some((false, None)) => Outcome::Refused,
        Some((false, Some(text))) => Outcome::Reply(Reply::new(
            200,
            "text/plain; version=0.0.4; charset=utf-8",
            text,
        )),
    }
}
