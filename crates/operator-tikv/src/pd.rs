//! PD, which knows the cluster: read over its HTTP API.

mod ask;
pub(crate) mod decode;
mod failure;
mod members;
mod reads;
mod regions;
mod scan;
pub(crate) mod units;

use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use operator_core::{Clock, Error, Fault, Result};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::http::{Http, TlsFiles, endpoint};
use endpoint::Endpoint;
use members::Members;

#[cfg(feature = "fuzzing")]
pub(crate) use ask::Intake;
pub use failure::says_no_leader;
pub use scan::{Scan, ScanPage};

/// How a [`PdClient`] asks.
#[derive(Debug, Clone)]
pub struct PdOptions {
    /// How long one endpoint may take over one answer. Followers wait 3 s for a leader by themselves.
    pub within: Duration,
    /// How long one endpoint may take over one page of a scan.
    pub page_within: Duration,
    /// How many regions a scan asks for at once. PD is held up for some milliseconds by thousands.
    pub page_regions: usize,
    /// How large an answer may be.
    pub limit_bytes: usize,
    /// Who we say that we are, in PD's audit log and metrics.
    pub caller: String,
    /// Whom to trust and who we are, where PD demands TLS.
    pub tls: TlsFiles,
    /// A client of the caller's own making, to be used for everything. It should not follow redirects.
    pub client: Option<reqwest::Client>,
    /// The cluster that is meant. Without it, it is the one that the first endpoint is of.
    pub cluster_id: Option<u64>,
    /// Who says what time it is.
    pub clock: Clock,
}

impl Default for PdOptions {
    fn default() -> Self {
        Self {
            within: Duration::from_secs(4),
            page_within: Duration::from_secs(30),
            page_regions: 4096,
            limit_bytes: 32 << 20,
            caller: "operator".to_owned(),
            tls: TlsFiles::default(),
            client: None,
            cluster_id: None,
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
    page_within: Duration,
    page_regions: usize,
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
                options.within,
            ),
            members: Members::new(&given, options.cluster_id),
            given,
            within: options.within,
            page_within: options.page_within,
            page_regions: options.page_regions.clamp(1, regions::MOST_PER_PAGE),
            limit_bytes: options.limit_bytes,
            clock: options.clock,
            unsettled: Mutex::default(),
        })
    }

    /// How long one endpoint may take over one answer.
    pub(crate) fn patience(&self) -> Duration {
        self.within
    }

    /// The id of the cluster that it reads: as configured, or of the first member that answered. From then on
    /// nothing is taken from members of another. `None` while none has answered yet.
    ///
    /// ```
    /// let pd = operator_tikv::PdClient::new("pd-0:2379")?;
    /// assert_eq!(pd.cluster_id(), None);
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    pub fn cluster_id(&self) -> Option<u64> {
        self.members.cluster_id()
    }

    /// What time it is, by the clock that stamps what is read.
    pub(crate) fn now(&self) -> operator_core::Timestamp {
        self.clock.now()
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
