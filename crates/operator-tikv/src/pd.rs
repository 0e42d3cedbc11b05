//! PD, which knows the cluster: read over its HTTP API.

mod decode;
mod endpoint;
mod failure;
mod members;
mod units;

use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use operator_core::{Clock, Error, Fault, Listing, Result, Store};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::http::{Ask, Http, TlsFiles};
use endpoint::Endpoint;
use members::{Members, Round};

pub use failure::says_no_leader;

/// How a [`PdClient`] asks.
#[derive(Debug, Clone)]
pub struct PdOptions {
    /// How long one endpoint may take over one answer. Followers wait 3 s for a leader by themselves.
    pub within: Duration,
    /// How large an answer may be.
    pub limit_bytes: usize,
    /// Who we say that we are, in PD's audit log and metrics.
    pub caller: String,
    /// Whom to trust and who we are, where PD demands TLS.
    pub tls: TlsFiles,
    /// A client of the caller's own making, to be used for everything. It should not follow redirects.
    pub client: Option<reqwest::Client>,
    /// Who says what time it is.
    pub clock: Clock,
}

impl Default for PdOptions {
    fn default() -> Self {
        Self {
            within: Duration::from_secs(4),
            limit_bytes: 64 << 20,
            caller: "operator".to_owned(),
            tls: TlsFiles::default(),
            client: None,
            clock: Clock::system(),
        }
    }
}

/// Reads a cluster from PD's HTTP API.
///
/// ```
/// use operator_tikv::PdClient;
///
/// let pd = PdClient::new("pd-0:2379, pd-1:2379")?;
/// assert_eq!(format!("{pd}"), "http://pd-0:2379,http://pd-1:2379");
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Debug)]
pub struct PdClient {
    http: Http,
    given: Vec<Endpoint>,
    members: Members,
    within: Duration,
    limit_bytes: usize,
    clock: Clock,
    unsettled: Mutex<decode::Unsettled>,
}

impl PdClient {
    /// A client for one endpoint or several, with commas between: `HOST:PORT` or `http(s)://HOST:PORT`.
    ///
    /// Nothing is asked until something is read.
    ///
    /// # Errors
    /// When the endpoints cannot be read.
    pub fn new(endpoints: &str) -> Result<Self> {
        Self::with(endpoints, PdOptions::default())
    }

    /// A client that asks as `options` say. Endpoints without a scheme are `https` where TLS files are named.
    ///
    /// # Errors
    /// When the endpoints, or the caller's name, cannot be read.
    pub fn with(endpoints: &str, options: PdOptions) -> Result<Self> {
        let scheme = if options.tls.is_empty() {
            "http"
        } else {
            "https"
        };
        let given = Endpoint::list(endpoints, scheme)?;
        Ok(Self {
            http: Http::new(
                identification(&options.caller)?,
                options.tls,
                options.client,
            ),
            members: Members::new(given.clone()),
            given,
            within: options.within,
            limit_bytes: options.limit_bytes,
            clock: options.clock,
            unsettled: Mutex::default(),
        })
    }

    /// Every store that belongs to the cluster: not those that were removed for good.
    ///
    /// # Errors
    /// When no endpoint gave the list. A bad item is a gap about it.
    pub async fn stores(&self) -> Result<Listing<Store>> {
        self.read("read stores", "/pd/api/v1/stores", |body| {
            let mut unsettled = self
                .unsettled
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            decode::stores(body, &mut unsettled, self.clock.now())
        })
        .await
    }

    /// What time it is, by the clock that stamps what is read.
    pub(crate) fn now(&self) -> operator_core::Timestamp {
        self.clock.now()
    }

    /// Asks one endpoint after the other until one gives an answer that `decode` can read.
    async fn read<T>(
        &self,
        operation: &'static str,
        path: &str,
        mut decode: impl FnMut(&[u8]) -> Result<T, Fault>,
    ) -> Result<T> {
        let mut round = Round::new(operation);
        for endpoint in self.members.order() {
            let outcome = self.fetch(&endpoint, path).await;
            match outcome.and_then(|body| decode(&body)) {
                Ok(value) => return Ok(value),
                Err(fault) if failure::goes_on(&fault) => round.failed(&endpoint, fault),
                Err(fault) => return Err(Error::new(operation, fault).at(endpoint.origin())),
            }
        }
        round.exhausted()
    }

    async fn fetch(&self, endpoint: &Endpoint, path: &str) -> Result<Vec<u8>, Fault> {
        let url = endpoint.url(path).ok_or_else(|| Fault::Transport {
            reason: format!("`{path}` makes no URL"),
        })?;
        let ask = Ask {
            url,
            headers: HeaderMap::new(),
            within: self.within,
            limit_bytes: self.limit_bytes,
        };
        let mut body = Vec::new();
        let answer = self
            .http
            .get(&ask, &mut |piece| {
                body.extend_from_slice(piece);
                Ok(ControlFlow::Continue(()))
            })
            .await?;
        match answer.is_good() {
            true => Ok(body),
            false => Err(failure::fault(answer.status, &answer.excerpt)),
        }
    }
}

impl fmt::Display for PdClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, endpoint) in self.given.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            write!(f, "{comma}{}", endpoint.origin())?;
        }
        Ok(())
    }
}

/// PD from 8.0 on reads one header, earlier ones the other.
fn identification(caller: &str) -> Result<HeaderMap> {
    let value = HeaderValue::from_str(caller).map_err(|_| {
        let expected = "visible characters".to_owned();
        let found = format!("`{}`", caller.escape_debug());
        Error::new("name the caller", Fault::Decode { expected, found })
    })?;
    Ok(HeaderMap::from_iter([
        (HeaderName::from_static("x-caller-id"), value.clone()),
        (HeaderName::from_static("component"), value),
    ]))
}
