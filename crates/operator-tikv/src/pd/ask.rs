//! One read: from endpoint to endpoint until one gives an answer that can be read.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::Duration;

use futures_util::future::join_all;
use operator_core::{Entity, Error, Fault, Result};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::endpoint::Endpoint;
use super::members::{Due, Round};
use super::{PdClient, decode, failure};
use crate::facts::{ClockReading, PdMembers};
use crate::http::{Answer, Ask};

/// A member gets one part in so many of its time to be introduced while nothing depends on it: what was read waits
/// for it.
const GREETING: u32 = 8;

/// What is asked for.
pub(super) struct Query<'a> {
    pub(super) operation: &'static str,
    /// Below `/pd/api/v1`, percent-encoded where it must be.
    pub(super) path: &'a str,
    /// What a 404 says that there is not.
    pub(super) about: Option<Entity>,
    /// Whether the member shall speak for itself, where it would pass the request on to the leader.
    pub(super) who: Who,
    /// How long one endpoint may take, where that is not as long as ever.
    pub(super) within: Option<Duration>,
}

/// Who is to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// The leader, directly or through a follower.
    Leader,
    /// Whoever is asked.
    Anyone,
}

impl<'a> Query<'a> {
    pub(super) fn new(operation: &'static str, path: &'a str) -> Self {
        Self {
            operation,
            path,
            about: None,
            who: Who::Leader,
            within: None,
        }
    }
}

/// Takes in the body of an answer as it comes.
pub(crate) trait Intake: Send {
    type Value;

    /// Takes a piece. `Break` means that it has enough.
    fn take(&mut self, piece: &[u8]) -> Result<ControlFlow<()>, Fault>;

    /// What it comes to.
    fn finish(self) -> Result<Self::Value, Fault>;
}

/// Takes in the whole body as it is.
impl Intake for Vec<u8> {
    type Value = Self;

    fn take(&mut self, piece: &[u8]) -> Result<ControlFlow<()>, Fault> {
        self.extend_from_slice(piece);
        Ok(ControlFlow::Continue(()))
    }

    fn finish(self) -> Result<Self, Fault> {
        Ok(self)
    }
}

/// Takes in the whole body and then decodes it.
pub(super) struct Whole<F>(Vec<u8>, F);

impl<T, F: FnOnce(&[u8]) -> Result<T, Fault> + Send> Intake for Whole<F> {
    type Value = T;

    fn take(&mut self, piece: &[u8]) -> Result<ControlFlow<()>, Fault> {
        self.0.take(piece)
    }

    fn finish(self) -> Result<T, Fault> {
        self.1(&self.0)
    }
}

/// An answer that could be read, and how it came.
pub(super) struct Taken<T> {
    pub(super) value: T,
    /// What time it was for whoever answered, if they said so.
    pub(super) clock: Option<ClockReading>,
    connection: Option<SocketAddr>,
}

/// An answer with what was taken in of it.
struct Heard<I> {
    answer: Answer,
    clock: Option<ClockReading>,
    intake: I,
}

impl PdClient {
    /// Reads something that fits into memory as a whole.
    pub(super) async fn read<T>(
        &self,
        query: Query<'_>,
        decode: impl Fn(&[u8]) -> Result<T, Fault> + Send + Sync,
    ) -> Result<T> {
        Ok(self.take_whole(query, decode).await?.value)
    }

    /// The same, with how it came.
    pub(super) async fn take_whole<T>(
        &self,
        query: Query<'_>,
        decode: impl Fn(&[u8]) -> Result<T, Fault> + Send + Sync,
    ) -> Result<Taken<T>> {
        self.take(query, || Whole(Vec::new(), &decode)).await
    }

    /// Asks one endpoint after the other, each once at most, until one gives an answer that can be read.
    pub(super) async fn take<I: Intake>(
        &self,
        query: Query<'_>,
        mut intake: impl FnMut() -> I + Send,
    ) -> Result<Taken<I::Value>> {
        let mut round = Round::new(query.operation);
        self.members.begin(self.clock.now());
        while let Some(endpoint) = self.members.next(&round) {
            let outcome = match self.members.due(&endpoint) {
                Due::Introduction => self.introduce(&endpoint, None).await.map(|()| None),
                Due::Leader => self.ask_who_leads(&endpoint).await.map(|()| None),
                Due::Nothing => self.take_from(&endpoint, &query, intake()).await.map(Some),
            };
            match outcome {
                // Now that more is known, somebody else may be better to ask.
                Ok(None) => {}
                Ok(Some(taken)) => {
                    self.members.succeeded(&endpoint);
                    if query.who == Who::Leader {
                        self.meet_members(&endpoint).await;
                    }
                    return Ok(taken);
                }
                Err(fault) if failure::goes_on(&fault) => {
                    tracing::debug!(origin = endpoint.origin(), %fault, "PD endpoint passed over");
                    self.members.failed(&endpoint, &fault);
                    round.failed(&endpoint, fault);
                }
                Err(fault) => {
                    self.members.succeeded(&endpoint);
                    return Err(Error::new(query.operation, fault).at(endpoint.origin()));
                }
            }
        }
        Err(round.exhausted())
    }

    /// Reads from a member, and, if the connection is a new one, only believes it when it is still a member
    /// of the same cluster that is at its other end.
    async fn take_from<I: Intake>(
        &self,
        endpoint: &Endpoint,
        query: &Query<'_>,
        intake: I,
    ) -> Result<Taken<I::Value>, Fault> {
        let heard = self.exchange(endpoint, query, intake).await?;
        let connection = heard.answer.connection;
        if self.members.is_stranger(endpoint, connection) {
            match self.introduce(endpoint, None).await {
                Ok(()) => self.members.connected(endpoint, connection),
                // Without a leader a member may decline even this. What it says of itself is believed of one
                // that was introduced before, until it can be asked again.
                Err(Fault::Status { .. })
                    if query.who == Who::Anyone && self.members.is_admitted(endpoint) => {}
                Err(fault) => return Err(fault),
            }
        }
        taken(query, heard)
    }

    /// Asks an endpoint which cluster it is of. Members answer this by themselves, leader or no leader.
    async fn introduce(&self, endpoint: &Endpoint, within: Option<Duration>) -> Result<(), Fault> {
        let query = Query {
            who: Who::Anyone,
            within,
            ..Query::new("read cluster id", "/cluster")
        };
        let whole = Whole(Vec::new(), decode::cluster_id);
        // Whatever the endpoint declines here, it is no member that could be asked for anything else.
        let taken = self.fetch(endpoint, &query, whole).await.map_err(unfit)?;
        self.members.admit(endpoint, taken.value)?;
        self.members.connected(endpoint, taken.connection);
        Ok(())
    }

    /// Asks for the addresses of all members, when that is due. Without a leader a member is slow to answer
    /// this; so it is asked behind a read that went well, and that read does not depend on it.
    async fn meet_members(&self, endpoint: &Endpoint) {
        if !self.members.is_time_to_meet(self.clock.now()) {
            return;
        }
        let query = Query {
            who: Who::Anyone,
            ..Query::new("read members", "/members")
        };
        let whole = Whole(Vec::new(), decode::members);
        match self.fetch(endpoint, &query, whole).await {
            Ok(taken) => {
                self.learn(&taken.value);
                self.greet_strangers().await;
            }
            Err(fault) => {
                tracing::debug!(origin = endpoint.origin(), %fault, "PD's members not learned");
            }
        }
    }

    /// Asks those who were never asked which cluster they are of. When the leader is lost they are who is
    /// left to tell of it, and that is no time to be introduced: a member may decline everything but what
    /// it knows by itself.
    async fn greet_strangers(&self) {
        let strangers = self.members.strangers();
        let greet = strangers.iter().map(|endpoint| async move {
            if let Err(fault) = self.introduce(endpoint, Some(self.within / GREETING)).await {
                tracing::debug!(origin = endpoint.origin(), %fault, "PD endpoint not introduced");
            }
        });
        join_all(greet).await;
    }

    /// Takes up what a member said of the members.
    pub(super) fn learn(&self, said: &PdMembers) {
        self.members.learn(&said.members.items);
        self.members.lead(said.leader.as_ref(), self.clock.now());
    }

    /// A member answers this at once and by itself, also while it waits for a leader that is gone.
    async fn ask_who_leads(&self, endpoint: &Endpoint) -> Result<(), Fault> {
        let query = Query {
            who: Who::Anyone,
            ..Query::new("read leader", "/leader")
        };
        let whole = Whole(Vec::new(), decode::leader);
        match self.fetch(endpoint, &query, whole).await {
            Ok(taken) => self.members.lead(taken.value.as_ref(), self.clock.now()),
            Err(fault @ (Fault::Transport { .. } | Fault::TimedOut { .. })) => return Err(fault),
            Err(_) => self.members.looked(self.clock.now()),
        }
        Ok(())
    }

    /// Reads what needs no verdict on who answers, because it is, or is used for, that verdict.
    async fn fetch<I: Intake>(
        &self,
        endpoint: &Endpoint,
        query: &Query<'_>,
        intake: I,
    ) -> Result<Taken<I::Value>, Fault> {
        taken(query, self.exchange(endpoint, query, intake).await?)
    }

    async fn exchange<I: Intake>(
        &self,
        endpoint: &Endpoint,
        query: &Query<'_>,
        mut intake: I,
    ) -> Result<Heard<I>, Fault> {
        let ask = self.ask(endpoint, query)?;
        let answer = self.http.get(&ask, &mut |piece| intake.take(piece)).await?;
        let ours = self.clock.now();
        let clock = answer
            .date
            .map(|theirs| ClockReading::of(endpoint.origin(), theirs, ours));
        Ok(Heard {
            answer,
            clock,
            intake,
        })
    }

    fn ask(&self, endpoint: &Endpoint, query: &Query<'_>) -> Result<Ask, Fault> {
        let path = format!("/pd/api/v1{}", query.path);
        let url = endpoint.url(&path).ok_or_else(|| Fault::Transport {
            reason: format!("`{path}` makes no URL"),
        })?;
        let mut headers = HeaderMap::new();
        if query.who == Who::Anyone {
            let name = HeaderName::from_static("pd-allow-follower-handle");
            headers.insert(name, HeaderValue::from_static("true"));
        }
        Ok(Ask {
            url,
            headers,
            within: query.within.unwrap_or(self.within),
            limit_bytes: self.limit_bytes,
        })
    }
}

fn taken<I: Intake>(query: &Query<'_>, heard: Heard<I>) -> Result<Taken<I::Value>, Fault> {
    let Heard {
        answer,
        clock,
        intake,
    } = heard;
    match answer.is_good() {
        true => Ok(Taken {
            value: intake.finish()?,
            clock,
            connection: answer.connection,
        }),
        false => {
            let about = query.about.as_ref();
            Err(failure::fault(answer.status, &answer.excerpt, about))
        }
    }
}

fn unfit(fault: Fault) -> Fault {
    match failure::goes_on(&fault) {
        true => fault,
        false => Fault::Decode {
            expected: "a cluster id".into(),
            found: fault.to_string(),
        },
    }
}
