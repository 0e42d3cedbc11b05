//! Who is asked, and in which order.
//!
//! The leader comes first, because everybody else passes requests on to it. Who failed comes last, and
//! who did not even answer comes last of all, so that a hanging member costs its deadline once and not at
//! every read. After a minute all is forgiven and looked at anew.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use operator_core::{Error, Fault, Result, Timestamp};

use super::endpoint::Endpoint;
use crate::facts::PdMember;

/// How long what was learned about members stands.
const LEARNED_FOR: Duration = Duration::from_secs(60);
/// How many addresses are known at most, those that members have told among them.
const MOST_KNOWN: usize = 32;
/// How many connections to one endpoint are told apart.
const MOST_CONNECTIONS: usize = 64;

/// The members of PD that are known.
#[derive(Debug)]
pub(super) struct Members(Mutex<State>);

#[derive(Debug)]
struct State {
    known: Vec<Known>,
    leader: Option<Endpoint>,
    cluster_id: Option<u64>,
    /// When it was last asked who leads, and when who there is.
    learned_at: Option<Timestamp>,
    met_at: Option<Timestamp>,
}

#[derive(Debug)]
struct Known {
    endpoint: Endpoint,
    trouble: Trouble,
    /// Whether it is known to belong to the cluster, and over which connections that was seen.
    verified: bool,
    /// Whether it was ever tried.
    tried: bool,
    connections: Vec<SocketAddr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    None,
    /// It answered, and could not help.
    Failed,
    /// It gave no answer, or no usable one.
    Silent,
}

/// What stands between an endpoint and a read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// It has not been seen to belong to the cluster.
    Introduction,
    /// It is time to ask who leads.
    Leader,
    Nothing,
}

impl Members {
    pub(super) fn new(given: &[Endpoint], cluster_id: Option<u64>) -> Self {
        Self(Mutex::new(State {
            known: given.iter().cloned().map(Known::new).collect(),
            leader: None,
            cluster_id,
            learned_at: None,
            met_at: None,
        }))
    }

    /// The cluster that endpoints have to be of, once it is known.
    pub(super) fn cluster_id(&self) -> Option<u64> {
        self.lock().cluster_id
    }

    /// Begins a read: what was learned too long ago is forgotten.
    pub(super) fn begin(&self, now: Timestamp) {
        let mut state = self.lock();
        if state
            .learned_at
            .is_some_and(|at| now.since(at) >= LEARNED_FOR)
        {
            state.learned_at = None;
            for known in &mut state.known {
                known.trouble = Trouble::None;
            }
        }
    }

    /// The best one to ask that has not been tried yet.
    pub(super) fn next(&self, round: &Round) -> Option<Endpoint> {
        let state = self.lock();
        state
            .known
            .iter()
            .filter(|known| !round.has_tried(&known.endpoint))
            .min_by_key(|known| {
                (
                    known.trouble,
                    state.leader.as_ref() != Some(&known.endpoint),
                )
            })
            .map(|known| known.endpoint.clone())
    }

    /// What has to be asked of an endpoint before anything else.
    pub(super) fn due(&self, endpoint: &Endpoint) -> Due {
        let mut state = self.lock();
        let verified = state.find(endpoint).is_some_and(|known| known.verified);
        match (verified, state.learned_at) {
            (false, _) => Due::Introduction,
            (true, None) => Due::Leader,
            (true, Some(_)) => Due::Nothing,
        }
    }

    /// Takes an endpoint for one of the cluster's, if its cluster is the one that all others are of.
    pub(super) fn admit(&self, endpoint: &Endpoint, cluster_id: u64) -> Result<(), Fault> {
        let mut state = self.lock();
        let expected = *state.cluster_id.get_or_insert(cluster_id);
        if expected != cluster_id {
            return Err(Fault::WrongCluster {
                expected,
                found: cluster_id,
            });
        }
        if let Some(known) = state.find(endpoint) {
            known.verified = true;
        }
        Ok(())
    }

    /// Who was neither asked for anything yet nor seen to belong to the cluster. They are given once: who
    /// hangs shall not be waited for again and again.
    pub(super) fn strangers(&self) -> Vec<Endpoint> {
        let mut state = self.lock();
        let untried = |known: &&mut Known| !known.verified && !known.tried;
        let strangers = state.known.iter_mut().filter(untried);
        strangers
            .map(|known| {
                known.tried = true;
                known.endpoint.clone()
            })
            .collect()
    }

    /// Whether an endpoint was seen to belong to the cluster, and has not gone silent since.
    pub(super) fn is_admitted(&self, endpoint: &Endpoint) -> bool {
        let mut state = self.lock();
        state.find(endpoint).is_some_and(|known| known.verified)
    }

    /// Whether an answer came over a connection that the cluster was not verified over.
    pub(super) fn is_stranger(&self, endpoint: &Endpoint, connection: Option<SocketAddr>) -> bool {
        let mut state = self.lock();
        let known = state.find(endpoint);
        let unknown =
            |known: &mut Known| connection.is_some_and(|at| !known.connections.contains(&at));
        known.is_none_or(unknown)
    }

    pub(super) fn connected(&self, endpoint: &Endpoint, connection: Option<SocketAddr>) {
        let mut state = self.lock();
        if let (Some(known), Some(at)) = (state.find(endpoint), connection)
            && !known.connections.contains(&at)
        {
            if known.connections.len() == MOST_CONNECTIONS {
                known.connections.remove(0);
            }
            known.connections.push(at);
        }
    }

    /// Whether it is time to ask who there is. Whoever asks this will.
    pub(super) fn is_time_to_meet(&self, now: Timestamp) -> bool {
        let mut state = self.lock();
        let recent = |at: Timestamp| now.since(at) < LEARNED_FOR;
        let due = !state.met_at.is_some_and(recent);
        if due {
            state.met_at = Some(now);
        }
        due
    }

    /// Takes up who there is, from a member that was admitted.
    pub(super) fn learn(&self, members: &[PdMember]) {
        let mut state = self.lock();
        let urls = members.iter().flat_map(|member| &member.client_urls);
        for endpoint in urls.filter_map(|url| Endpoint::parse(url, "http")) {
            state.add(&endpoint);
        }
    }

    /// Takes up who leads, or that nobody does.
    pub(super) fn lead(&self, leader: Option<&PdMember>, now: Timestamp) {
        let mut state = self.lock();
        let urls = leader.iter().flat_map(|leader| &leader.client_urls);
        let urls: Vec<_> = urls
            .filter_map(|url| Endpoint::parse(url, "http"))
            .collect();
        let given = urls.iter().find(|url| state.find(url).is_some()).cloned();
        let leader = given.or(urls.into_iter().next());
        if leader != state.leader
            && let Some(endpoint) = &leader
        {
            // Who has just been elected was alive then, whatever it was before.
            if let Some(known) = state.add(endpoint) {
                known.trouble = Trouble::None;
            }
        }
        state.leader = leader;
        state.learned_at = Some(now);
    }

    /// Asking who leads failed otherwise than by silence: the next read shall not ask again at once.
    pub(super) fn looked(&self, now: Timestamp) {
        self.lock().learned_at = Some(now);
    }

    pub(super) fn succeeded(&self, endpoint: &Endpoint) {
        if let Some(known) = self.lock().find(endpoint) {
            known.trouble = Trouble::None;
        }
    }

    /// Notes a failure: who leads is to be asked again, and a connection that broke is not trusted on.
    pub(super) fn failed(&self, endpoint: &Endpoint, fault: &Fault) {
        let mut state = self.lock();
        state.learned_at = None;
        if let Some(known) = state.find(endpoint) {
            known.tried = true;
            known.trouble = match fault {
                Fault::Status { .. } => Trouble::Failed,
                _ => Trouble::Silent,
            };
            // What only takes too long may still be connected; if not, its next connection is a new one.
            if known.trouble == Trouble::Silent && !matches!(fault, Fault::TimedOut { .. }) {
                known.verified = false;
                known.connections.clear();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&mut self, endpoint: &Endpoint) -> Option<&mut Known> {
        self.known
            .iter_mut()
            .find(|known| known.endpoint == *endpoint)
    }

    /// The endpoint, known from now on if it was not; none when too many are known.
    fn add(&mut self, endpoint: &Endpoint) -> Option<&mut Known> {
        if self.find(endpoint).is_none() && self.known.len() < MOST_KNOWN {
            self.known.push(Known::new(endpoint.clone()));
        }
        self.find(endpoint)
    }
}

impl Known {
    fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            trouble: Trouble::None,
            verified: false,
            tried: false,
            connections: Vec::new(),
        }
    }
}

/// One read's way round the endpoints: each may fail once.
pub(super) struct Round {
    operation: &'static str,
    errors: Vec<Error>,
}

impl Round {
    pub(super) fn new(operation: &'static str) -> Self {
        let errors = Vec::new();
        Self { operation, errors }
    }

    fn has_tried(&self, endpoint: &Endpoint) -> bool {
        let origin = Some(endpoint.origin());
        self.errors
            .iter()
            .any(|error| error.origin.as_deref() == origin)
    }

    pub(super) fn failed(&mut self, endpoint: &Endpoint, fault: Fault) {
        let error = Error::new(self.operation, fault);
        self.errors.push(error.at(endpoint.origin()));
    }

    /// The error that accounts for each endpoint.
    pub(super) fn exhausted(self) -> Error {
        Error::new(self.operation, Fault::Exhausted(self.errors)).at("PD")
    }
}
