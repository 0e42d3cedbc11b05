//! Prometheus, which measures the cluster: read over its HTTP API, as are those that speak its language.

mod contract;
mod failure;
mod instances;
mod load;
mod observe;
mod options;
mod own;
mod quantile;
mod queries;
mod readings;
mod regions;
mod samples;
mod standing;
mod vanished;
mod wire;

use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use operator_core::{Error, Fault, Result, Timestamp};
use reqwest::Url;
use reqwest::header::HeaderMap;

use crate::http::endpoint::Endpoint;
use crate::http::{Answer, Ask, Http};

pub use instances::InstanceTemplate;
pub use observe::PromLook;
pub use options::{PromAuth, PromOptions};
pub use samples::{Number, One, Point, Samples, Series};

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
        let headers = options::headers(&options.auth, &options.headers)?;
        Ok(Self {
            scope: queries::Scope::new(&options),
            http: Http::new(headers, options.tls, options.client, options.within),
            endpoint,
            parameters: options.parameters,
            within: options.within,
            limit_bytes: options.limit_bytes,
            concurrency: options.concurrency.max(1),
            template: options.template,
        })
    }

    /// Where the server is: a URL without secrets.
    pub fn origin(&self) -> &str {
        self.endpoint.origin()
    }

    /// How long one query may take.
    pub(crate) fn patience(&self) -> Duration {
        self.within
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

impl fmt::Display for PromClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.origin())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_before_the_epoch_is_one_too() {
        assert_eq!(seconds(Timestamp::from_unix_millis(1_500)), "1.500");
        assert_eq!(seconds(Timestamp::from_unix_millis(60_007)), "60.007");
    }
}
