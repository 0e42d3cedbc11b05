//! The one place that fetches: deadline, size limit, connection, date. What an answer means is for
//! its caller to say.

pub(crate) mod endpoint;
mod packed;
mod tls;

use std::fmt;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper_util::client::legacy::connect::HttpInfo;
use operator_core::{Fault, Timestamp, within};
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderValue};
use reqwest::{Client, RequestBuilder, Url};

use packed::Unpacking;
pub use tls::{IdentityFiles, TlsFiles};

/// How much of a failed answer is kept: enough for its message, and for the head of a stack trace.
const EXCERPT_BYTES: usize = 4096;

/// The clients that fetch: one without TLS, and one with it that is built when first needed, because
/// loading certificates costs more than everything else at a start.
pub(crate) struct Http {
    headers: HeaderMap,
    tls: TlsFiles,
    injected: Option<Client>,
    /// How long a server may take to accept a connection, within the deadline of the whole.
    connect: Duration,
    plain: Mutex<Option<Client>>,
    secure: Mutex<Option<Client>>,
}

/// One thing to fetch.
pub(crate) struct Ask {
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) within: Duration,
    pub(crate) limit_bytes: usize,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// When the server says that it answered.
    pub(crate) date: Option<Timestamp>,
    /// What the body is said to be, as in `application/json`.
    pub(crate) kind: Option<String>,
    /// Our end of the connection: it differs from the last one's after a reconnect.
    pub(crate) connection: Option<SocketAddr>,
    /// The beginning of what a failed answer said; empty in a good one, whose body went to the sink.
    pub(crate) excerpt: Vec<u8>,
}

impl Answer {
    pub(crate) fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// What is given the pieces of a good answer's body as they come. `Break` means that it has enough.
pub(crate) type Sink<'a> = dyn FnMut(&[u8]) -> Result<ControlFlow<()>, Fault> + Send + 'a;

impl Http {
    /// Clients that send `headers` with everything; or the injected one, which does all by itself. Of what an
    /// answer may take `usually`, half is there for connecting.
    pub(crate) fn new(
        headers: HeaderMap,
        tls: TlsFiles,
        injected: Option<Client>,
        usually: Duration,
    ) -> Self {
        Self {
            headers,
            tls,
            injected,
            connect: usually / 2,
            plain: Mutex::default(),
            secure: Mutex::default(),
        }
    }

    /// Fetches, and hands the body of a good answer to `sink` piece by piece.
    pub(crate) async fn get(&self, ask: &Ask, sink: &mut Sink<'_>) -> Result<Answer, Fault> {
        let request = self.client(&ask.url)?.get(ask.url.clone());
        self.within(ask, request, sink).await
    }

    /// The same for a question that is too long for a URL: a form, percent-encoded.
    pub(crate) async fn post(
        &self,
        ask: &Ask,
        form: String,
        sink: &mut Sink<'_>,
    ) -> Result<Answer, Fault> {
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        let request = self
            .client(&ask.url)?
            .post(ask.url.clone())
            .header(CONTENT_TYPE, kind)
            .body(form);
        self.within(ask, request, sink).await
    }

    async fn within(
        &self,
        ask: &Ask,
        request: RequestBuilder,
        sink: &mut Sink<'_>,
    ) -> Result<Answer, Fault> {
        let exchange = self.exchange(ask, request, sink);
        let outcome = match within(ask.within, exchange).await {
            Some(outcome) => outcome,
            None => Err(Fault::TimedOut { after: ask.within }),
        };
        if matches!(outcome, Err(Fault::Transport { .. })) && ask.url.scheme() == "https" {
            // Certificates get renewed while a monitor runs: the next attempt reads the files again.
            *lock(&self.secure) = None;
        }
        outcome
    }

    async fn exchange(
        &self,
        ask: &Ask,
        request: RequestBuilder,
        sink: &mut Sink<'_>,
    ) -> Result<Answer, Fault> {
        let request = request
            .headers(self.headers.clone())
            .headers(ask.headers.clone());
        let mut response = request.send().await.map_err(|error| transport(&error))?;
        let mut answer = Answer {
            status: response.status().as_u16(),
            date: date(response.headers()),
            kind: kind(response.headers()),
            connection: response.extensions().get().map(HttpInfo::local_addr),
            excerpt: Vec::new(),
        };
        let mut unpacking = Unpacking::of(response.headers(), ask.limit_bytes)?;
        while let Some(piece) = response.chunk().await.map_err(|error| transport(&error))? {
            let piece = unpacking.take(&piece)?;
            if !answer.is_good() {
                let room = EXCERPT_BYTES - answer.excerpt.len();
                answer.excerpt.extend(piece.iter().take(room));
                if answer.excerpt.len() == EXCERPT_BYTES {
                    return Ok(answer);
                }
                continue;
            }
            if sink(&piece)?.is_break() {
                return Ok(answer);
            }
        }
        let rest = unpacking.finish()?;
        match answer.is_good() {
            true if !rest.is_empty() => drop(sink(&rest)?),
            true => {}
            false => {
                let room = EXCERPT_BYTES.saturating_sub(answer.excerpt.len());
                answer.excerpt.extend(rest.iter().take(room));
            }
        }
        Ok(answer)
    }

    fn client(&self, url: &Url) -> Result<Client, Fault> {
        if let Some(client) = &self.injected {
            return Ok(client.clone());
        }
        let (place, files) = match url.scheme() {
            "https" => (&self.secure, Some(&self.tls)),
            _ => (&self.plain, None),
        };
        let mut place = lock(place);
        match &*place {
            Some(client) => Ok(client.clone()),
            None => Ok(place.insert(build(files, self.connect)?).clone()),
        }
    }
}

/// A client that goes where it is told: no redirects, no proxy from the environment.
fn build(files: Option<&TlsFiles>, connect: Duration) -> Result<Client, Fault> {
    let tls = match files {
        Some(files) => files.load()?,
        None => tls::trusting_nobody()?,
    };
    Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(connect)
        .build()
        .map_err(|error| transport(&error))
}

/// The mutexes guard single assignments, which a panic elsewhere cannot leave half done.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a transport error says: its innermost sources, without the URL, which the origin repeats.
fn transport(error: &reqwest::Error) -> Fault {
    let mut reason = None;
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        reason = Some(inner.to_string());
        source = inner.source();
    }
    let reason = reason.unwrap_or_else(|| error.to_string());
    Fault::Transport { reason }
}

fn kind(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(text.to_owned())
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(DATE)?.to_str().ok()?;
    let moment = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(text)
        .ok()?;
    Some(Timestamp::from_unix_millis(moment.as_millisecond()))
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http")
            .field("tls", &self.tls)
            .field("injected", &self.injected.is_some())
            .finish_non_exhaustive()
    }
}
