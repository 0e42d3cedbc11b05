//! Prometheus, which measures the cluster: read over its HTTP API, as are those that speak its language.

mod contract;
mod failure;
mod instances;
mod observe;
mod quantile;
mod queries;
mod readings;
mod samples;
mod wire;

use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use operator_core::{Error, Fault, Result, Timestamp};
use reqwest::Url;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use crate::http::endpoint::Endpoint;
use crate::http::{Answer, Ask, Http, TlsFiles};

pub use contract::{ContractCheck, ContractStanding};
pub use instances::InstanceTemplate;
pub use samples::{Number, One, Point, Samples, Series};

/// How a [`PromClient`] asks, and what it asks about.
#[derive(Clone)]
pub struct PromOptions {
    /// How long one query may take.
    pub within: Duration,
    /// How large one answer may be, unpacked.
    pub limit_bytes: usize,
    /// How many queries may be on their way at once.
    pub concurrency: usize,
    /// How often the server scrapes TiKV.
    pub scrape_every: Duration,
    /// Over how long rates are taken; over four scrapes in any case. What is older than that is stale.
    pub window: Duration,
    /// Which jobs are TiKV's, as a regular expression. Other jobs may share their instances.
    pub job: String,
    /// Further matchers for a server that measures more than one cluster, as in `tidb_cluster="db-basic"`.
    pub matchers: String,
    /// How instances are called, where none of the usual ways holds.
    pub template: Option<InstanceTemplate>,
    /// Who we are.
    pub auth: PromAuth,
    /// Further headers, as in `X-Scope-OrgID: tenant`.
    pub headers: Vec<(String, String)>,
    /// Further parameters of every query, as in `partial_response=false`.
    pub parameters: Vec<(String, String)>,
    /// Whom to trust and who we are, where TLS is demanded.
    pub tls: TlsFiles,
    /// A client of the caller's own making, to be used for everything. It should not follow redirects.
    pub client: Option<reqwest::Client>,
}

/// Who we are to the server.
#[derive(Clone, Default)]
pub enum PromAuth {
    /// Nobody, or whom the URL names.
    #[default]
    None,
    /// A user with a password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// Whoever holds this token.
    Bearer(String),
}

impl Default for PromOptions {
    fn default() -> Self {
        Self {
            within: Duration::from_secs(6),
            limit_bytes: 16 << 20,
            concurrency: 4,
            scrape_every: Duration::from_secs(15),
            window: Duration::from_secs(60),
            job: ".*tikv".to_owned(),
            matchers: String::new(),
            template: None,
            auth: PromAuth::None,
            headers: Vec::new(),
            parameters: Vec::new(),
            tls: TlsFiles::default(),
            client: None,
        }
    }
}

/// Reads what Prometheus measured.
///
/// ```
/// use operator_tikv::PromClient;
///
/// let prometheus = PromClient::new("http://reader:secret@monitor:9090/prometheus")?;
/// assert_eq!(prometheus.to_string(), "http://monitor:9090/prometheus");
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Debug)]
pub struct PromClient {
    http: Http,
    endpoint: Endpoint,
    parameters: Vec<(String, String)>,
    within: Duration,
    limit_bytes: usize,
    concurrency: usize,
    scope: queries::Scope,
    template: Option<InstanceTemplate>,
}

/// What the server answered.
#[derive(Debug, Clone, PartialEq)]
pub struct PromAnswer {
    /// What it found.
    pub data: PromData,
    /// What it remarked on the query. The answer stands.
    pub remarks: Vec<String>,
    /// What it could not look at. What is in the answer may be too little, and what is not in it may exist.
    pub missing: Vec<String>,
    /// When it says that it answered.
    pub date: Option<Timestamp>,
}

/// What a query gave, by its type.
#[derive(Debug, Clone, PartialEq)]
pub enum PromData {
    /// Series of one point each.
    Vector(Samples),
    /// Series of points.
    Matrix(Samples),
    /// A number.
    Scalar(Point),
    /// A text.
    Text(String),
}

impl PromClient {
    /// A client for one server: `HOST:PORT` or `http(s)://HOST:PORT[/PREFIX]`.
    ///
    /// Nothing is asked until something is read.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn new(url: &str) -> Result<Self> {
        Self::with(url, PromOptions::default())
    }

    /// A client that asks as `options` say. A URL without a scheme is `https` where TLS files are named.
    ///
    /// # Errors
    /// When the URL, a header or the credentials cannot be read.
    pub fn with(url: &str, options: PromOptions) -> Result<Self> {
        let scheme = match options.tls.is_empty() {
            true => "http",
            false => "https",
        };
        let endpoint = Endpoint::parse(url.trim(), scheme).ok_or_else(|| {
            let expected = "HOST:PORT or http(s)://HOST:PORT[/PREFIX]".into();
            let found = "something else".into();
            Error::new("read Prometheus' URL", Fault::Decode { expected, found })
        })?;
        let headers = headers(&options.auth, &options.headers)?;
        Ok(Self {
            http: Http::new(headers, options.tls, options.client),
            endpoint,
            parameters: options.parameters,
            within: options.within,
            limit_bytes: options.limit_bytes,
            concurrency: options.concurrency.max(1),
            scope: queries::Scope::new(
                &options.job,
                &options.matchers,
                options.window.max(options.scrape_every.saturating_mul(4)),
            ),
            template: options.template,
        })
    }

    /// Where the server is: a URL without secrets.
    pub fn origin(&self) -> &str {
        self.endpoint.origin()
    }

    /// Evaluates a query at a moment, or at the server's now.
    ///
    /// # Errors
    /// When there is no usable answer; with the query and what the server said of it.
    pub async fn query(&self, promql: &str, at: Option<Timestamp>) -> Result<PromAnswer> {
        let at = at.map(|at| ("time", seconds(at)));
        self.ask("/api/v1/query", promql, at.into_iter()).await
    }

    /// Evaluates a query at every step between two moments.
    ///
    /// # Errors
    /// When there is no usable answer; with the query and what the server said of it.
    pub async fn query_range(
        &self,
        promql: &str,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
    ) -> Result<PromAnswer> {
        let step = step.as_secs_f64().to_string();
        let range = [
            ("start", seconds(from)),
            ("end", seconds(to)),
            ("step", step),
        ];
        let path = "/api/v1/query_range";
        self.ask(path, promql, range.into_iter()).await
    }

    async fn ask(
        &self,
        path: &str,
        promql: &str,
        parameters: impl Iterator<Item = (&'static str, String)>,
    ) -> Result<PromAnswer> {
        let failed = |fault| Error::new("query metrics", fault).at(self.origin());
        let url = self.endpoint.url(path).ok_or_else(|| {
            failed(Fault::Transport {
                reason: format!("`{path}` makes no URL"),
            })
        })?;
        let mut form = url.clone();
        form.query_pairs_mut()
            .append_pair("query", promql)
            // The server gives up first, and says so.
            .append_pair(
                "timeout",
                &format!("{}ms", self.within.as_millis() * 9 / 10),
            )
            .extend_pairs(parameters)
            .extend_pairs(&self.parameters);
        self.exchange(url, form.query().unwrap_or_default().to_owned(), promql)
            .await
            .map_err(failed)
    }

    async fn exchange(&self, url: Url, form: String, promql: &str) -> Result<PromAnswer, Fault> {
        let ask = Ask {
            url,
            headers: HeaderMap::new(),
            within: self.within,
            limit_bytes: self.limit_bytes,
        };
        let mut body = Vec::new();
        let mut keep = |piece: &[u8]| {
            body.extend_from_slice(piece);
            Ok(ControlFlow::Continue(()))
        };
        let answer = self.http.post(&ask, form, &mut keep).await?;
        if !answer.is_good() {
            return Err(failure::fault(promql, &answer));
        }
        if !failure::is_json(answer.kind.as_deref()) {
            return Err(failure::not_json(answer.kind.as_deref(), &body));
        }
        read(promql, &answer, &body)
    }
}

/// The samples of a body, for fuzz targets and benchmarks.
#[cfg(feature = "fuzzing")]
pub(crate) fn decode(body: &[u8]) -> Result<Samples, Fault> {
    wire::decode(body).map(|envelope| envelope.found.samples)
}

/// What a good answer says.
fn read(promql: &str, answer: &Answer, body: &[u8]) -> Result<PromAnswer, Fault> {
    let envelope = wire::decode(body)?;
    if envelope.status != "success" {
        return Err(failure::declined(promql, answer.status, &envelope));
    }
    let (remarks, mut missing) = failure::sorted(envelope.remarks);
    if envelope.is_partial {
        missing.push("the server says that its answer is partial".to_owned());
    }
    let found = envelope.found;
    let data = match (envelope.result_type.as_str(), found.lone) {
        ("vector", None) => PromData::Vector(found.samples),
        ("matrix", None) => PromData::Matrix(found.samples),
        ("scalar", Some((at, text))) => {
            let value = wire::number(&text).map_err(|found| Fault::Decode {
                expected: "a number".into(),
                found,
            })?;
            PromData::Scalar(Point { at, value })
        }
        ("string", Some((_, text))) => PromData::Text(text),
        (other, _) => {
            return Err(Fault::Decode {
                expected: "a vector, a matrix, a scalar or a string, and of that form".into(),
                found: format!("`{other}`"),
            });
        }
    };
    Ok(PromAnswer {
        data,
        remarks,
        missing,
        date: answer.date,
    })
}

/// As the server reads times: seconds since the epoch, with milliseconds.
fn seconds(at: Timestamp) -> String {
    let millis = at.unix_millis();
    format!("{}.{:03}", millis.div_euclid(1000), millis.rem_euclid(1000))
}

fn headers(auth: &PromAuth, further: &[(String, String)]) -> Result<HeaderMap> {
    let unfit = |what: &str| {
        let expected = format!("visible characters in {what}");
        let found = "others".into();
        Error::new("set the headers", Fault::Decode { expected, found })
    };
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    for (name, value) in further {
        let unfit = |_| unfit(name);
        let name = HeaderName::try_from(name.as_str()).map_err(|_| unfit(()))?;
        headers.append(name, HeaderValue::from_str(value).map_err(|_| unfit(()))?);
    }
    let authorization = match auth {
        PromAuth::None => None,
        PromAuth::Basic { user, password } => Some(format!(
            "Basic {}",
            base64(format!("{user}:{password}").as_bytes())
        )),
        PromAuth::Bearer(token) => Some(format!("Bearer {token}")),
    };
    if let Some(text) = authorization {
        let mut value = HeaderValue::from_str(&text).map_err(|_| unfit("the credentials"))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

/// As RFC 4648 has it, for the one header that needs it.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |position: usize| u32::from(chunk.get(position).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let index = (bits >> (18 - 6 * digit)) & 63;
            text.push(match digit <= chunk.len() {
                true => char::from(DIGITS[index as usize]),
                false => '=',
            });
        }
    }
    text
}

impl fmt::Display for PromClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.origin())
    }
}

/// Without secrets.
impl fmt::Debug for PromAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Basic { .. } => "Basic",
            Self::Bearer(_) => "Bearer",
        })
    }
}

/// Without secrets, which a header or a parameter may be too.
impl fmt::Debug for PromOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PromOptions")
            .field("within", &self.within)
            .field("job", &self.job)
            .field("matchers", &self.matchers)
            .field("auth", &self.auth)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_written_as_the_header_wants_them() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("ro:\u{fc}?>", "cm86w7w/Pg=="),
        ] {
            assert_eq!(base64(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn secrets_are_never_shown() {
        let options = PromOptions {
            auth: PromAuth::Basic {
                user: "me".into(),
                password: "secret".into(),
            },
            headers: vec![("x-token".into(), "secret".into())],
            ..PromOptions::default()
        };
        assert!(!format!("{options:?}").contains("secret"));
        let client = PromClient::with("https://me:secret@prom/a", options).unwrap();
        assert!(!format!("{client:?} {client}").contains("secret"));
    }

    #[test]
    fn a_moment_before_the_epoch_is_one_too() {
        assert_eq!(seconds(Timestamp::from_unix_millis(1_500)), "1.500");
        assert_eq!(seconds(Timestamp::from_unix_millis(60_007)), "60.007");
    }
}
