//! Requests and answers between sockets and what speaks there.

use std::future::Future;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{DATE, HeaderValue};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use operator_core::Timestamp;
use tokio::net::TcpStream;

pub(super) type Request = hyper::Request<Bytes>;
pub(super) type Response = hyper::Response<Full<Bytes>>;

/// The most that a request may hold.
const MOST_BYTES: usize = 4 << 20;

/// Why a connection ends without an answer.
#[derive(Debug)]
struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is closed without an answer")
    }
}

impl std::error::Error for Closed {}

/// Answers what comes in over one connection; `None` ends it without an answer.
pub(super) async fn serve<F, A>(stream: TcpStream, answer: F)
where
    F: Fn(Request) -> A,
    A: Future<Output = Option<Response>>,
{
    let service = service_fn(|incoming| async {
        let request = whole(incoming).await.ok_or(Closed)?;
        answer(request).await.ok_or(Closed)
    });
    // What a client does wrong on a connection ends that connection, and concerns nobody else.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn whole(incoming: hyper::Request<Incoming>) -> Option<Request> {
    let (parts, body) = incoming.into_parts();
    let body = Limited::new(body, MOST_BYTES).collect().await.ok()?;
    Some(hyper::Request::from_parts(parts, body.to_bytes()))
}

/// An answer that was made at a moment.
pub(super) fn response(status: u16, kind: &str, body: Bytes, at: Timestamp) -> Option<Response> {
    let builder = hyper::Response::builder().status(status);
    let builder = builder.header("content-type", kind).header(DATE, date(at)?);
    builder.body(Full::new(body)).ok()
}

/// The moment as the header has it: in whole seconds.
pub(super) fn date(at: Timestamp) -> Option<HeaderValue> {
    let at = jiff::Timestamp::from_millisecond(at.unix_millis()).ok()?;
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    let text = printer.timestamp_to_rfc9110_string(&at).ok()?;
    HeaderValue::from_str(&text).ok()
}

/// What is between `&` and `=` in the query of a URL or in a form, decoded.
pub(super) fn pairs(text: &[u8]) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> + '_ {
    let pairs = text.split(|byte| *byte == b'&');
    pairs.filter(|pair| !pair.is_empty()).map(|pair| {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let mut half = || decoded(halves.next().unwrap_or_default());
        (half(), half())
    })
}

/// Undoes percent-encoding. What is no encoding stays as it is.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let (byte, after) = match (byte, after) {
            (b'+', _) => (b' ', after),
            (b'%', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, after),
                _ => (b'%', &rest[1..]),
            },
            _ => (*byte, after),
        };
        plain.push(byte);
        rest = after;
    }
    plain
}

pub(super) fn digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_and_what_is_no_encoding_stays() {
        let check = |text: &str, expected: &[(&str, &str)]| {
            let found: Vec<_> = pairs(text.as_bytes())
                .map(|(name, value)| {
                    let text = |bytes| String::from_utf8(bytes).unwrap();
                    (text(name), text(value))
                })
                .collect();
            let found: Vec<_> = found.iter().map(|(a, b)| (&**a, &**b)).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("", &[]);
        check("a=1&b", &[("a", "1"), ("b", "")]);
        check("&a=%41+%zz%4&=", &[("a", "A %zz%4"), ("", "")]);
    }

    #[test]
    fn dates_are_written_as_servers_write_them() {
        let at = Timestamp::from_unix_millis(1_795_222_040_630);
        assert_eq!(date(at).unwrap(), "Sat, 21 Nov 2026 00:47:20 GMT");
    }
}
