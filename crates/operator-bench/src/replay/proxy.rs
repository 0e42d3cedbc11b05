//! The way to Prometheus: it makes a moment of the past the server's now.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Uri;
use hyper::header::{CONTENT_LENGTH, DATE, HOST, HeaderMap, TRANSFER_ENCODING};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use operator_core::{ManualClock, Timestamp};

use super::Asked;
use super::door::Door;
use super::http::{self, Request, Response, pairs};

/// The most that an answer may hold.
const MOST_BYTES: usize = 64 << 20;

/// A port behind which the server answers as it would have then.
#[derive(Debug)]
pub(super) struct Proxy(Door);

#[derive(Debug, Clone)]
struct Way {
    server: String,
    client: Client<HttpConnector, Full<Bytes>>,
    clock: ManualClock,
    asked: Asked,
}

impl Proxy {
    pub(super) fn open(server: &str, clock: ManualClock, asked: Asked) -> io::Result<Self> {
        let way = Way {
            server: server.to_owned(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            clock,
            asked,
        };
        let mut door = Door::new()?;
        door.open(move |request| {
            let way = way.clone();
            async move { way.pass(request).await }
        })?;
        Ok(Self(door))
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

impl Way {
    async fn pass(&self, request: Request) -> Option<Response> {
        let now = self.clock.now();
        let (parts, body) = request.into_parts();
        let (target, body) = at_the_moment(&parts.uri, body, now);
        self.asked.prometheus(&question(&target, &body));
        let mut onward = hyper::Request::builder()
            .method(parts.method)
            .uri(format!("http://{}{target}", self.server));
        *onward.headers_mut()? =
            without(parts.headers, &[&HOST, &CONTENT_LENGTH, &TRANSFER_ENCODING]);
        let onward = onward.body(Full::new(body)).ok()?;
        let (parts, body) = self.client.request(onward).await.ok()?.into_parts();
        let body = Limited::new(body, MOST_BYTES)
            .collect()
            .await
            .ok()?
            .to_bytes();
        let mut response = hyper::Response::new(Full::new(body));
        *response.status_mut() = parts.status;
        *response.headers_mut() = without(parts.headers, &[&CONTENT_LENGTH, &TRANSFER_ENCODING]);
        response.headers_mut().insert(DATE, http::date(now)?);
        Some(response)
    }
}

fn without(mut headers: HeaderMap, names: &[&hyper::header::HeaderName]) -> HeaderMap {
    for name in names {
        headers.remove(*name);
    }
    headers
}

/// The same question about a moment, if it is one about now.
fn at_the_moment(uri: &Uri, body: Bytes, now: Timestamp) -> (String, Bytes) {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let query = uri.query().unwrap_or_default();
    let is_timed = |text: &[u8]| pairs(text).any(|(name, _)| name == b"time");
    let about_now = uri.path().ends_with("/api/v1/query");
    if !about_now || is_timed(query.as_bytes()) || is_timed(&body) {
        return (target.to_owned(), body);
    }
    let millis = now.unix_millis();
    let time = format!(
        "time={}.{:03}",
        millis.div_euclid(1000),
        millis.rem_euclid(1000)
    );
    if body.is_empty() {
        let joint = if uri.query().is_some() { '&' } else { '?' };
        return (format!("{target}{joint}{time}"), body);
    }
    let form = [&body, b"&".as_slice(), time.as_bytes()].concat();
    (target.to_owned(), form.into())
}

/// What is asked, in a word: the query, or the path.
fn question(target: &str, form: &[u8]) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let all = pairs(query.as_bytes()).chain(pairs(form));
    let mut queries = all.filter(|(name, _)| name == b"query");
    let query = queries.next().map(|(_, value)| value);
    query.map_or_else(
        || path.to_owned(),
        |query| String::from_utf8_lossy(&query).into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_question_about_now_is_given_the_moment() {
        let check = |uri: &'static str, form: &'static str, expected: (&str, &str)| {
            let now = Timestamp::from_unix_millis(7_050);
            let (target, form) = at_the_moment(&Uri::from_static(uri), form.into(), now);
            let form = String::from_utf8(form.to_vec()).unwrap();
            assert_eq!((&*target, &*form), expected, "{uri}");
        };
        check(
            "/api/v1/query?query=up",
            "",
            ("/api/v1/query?query=up&time=7.050", ""),
        );
        check(
            "/api/v1/query",
            "query=up",
            ("/api/v1/query", "query=up&time=7.050"),
        );
        check(
            "/api/v1/query",
            "query=a&time=5",
            ("/api/v1/query", "query=a&time=5"),
        );
        check(
            "/api/v1/query?time=5",
            "query=a",
            ("/api/v1/query?time=5", "query=a"),
        );
        check(
            "/api/v1/query_range?start=1",
            "",
            ("/api/v1/query_range?start=1", ""),
        );
        check("/-/ready", "", ("/-/ready", ""));
        assert_eq!(question("/api/v1/query", b"query=up%7B%7D&time=5"), "up{}");
        assert_eq!(question("/-/ready", b""), "/-/ready");
    }
}
