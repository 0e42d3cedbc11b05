//! One connection: bytes in, the model's answer out.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::http::{Outcome, Reply, Request};

use super::{Face, Hall, answer};

/// The most that a request's body may hold.
const MAX_BODY: usize = 4 << 20;
/// How long the longest silence lasts: a client has given up by then.
const SILENCE: Duration = Duration::from_secs(3600);

/// Why a connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed without an answer")]
struct Closed;

pub(super) async fn serve(stream: TcpStream, hall: Arc<Hall>, face: Face) {
    let service = service_fn(move |incoming| respond(Arc::clone(&hall), face, incoming));
    // What a client does wrong on a connection ends that connection, and concerns nobody else.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(
    hall: Arc<Hall>,
    face: Face,
    incoming: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, Closed> {
    let (parts, body) = incoming.into_parts();
    let body = Limited::new(body, MAX_BODY)
        .collect()
        .await
        .map_err(|_| Closed)?
        .to_bytes();
    let headers = parts.headers.iter();
    let request = Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers
            .map(|(name, value)| {
                (
                    name.as_str().to_owned(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect(),
        body: body.to_vec(),
    };
    hall.count(face, &request.path);
    let outcome = answer(&mut hall.lock(), face, &request);
    match outcome {
        Outcome::Reply(reply) => {
            if reply.after > Duration::ZERO {
                tokio::time::sleep(reply.after).await;
            }
            response(reply)
        }
        Outcome::Refused => Err(Closed),
        Outcome::Silence => {
            let _ = tokio::time::timeout(SILENCE, pending::<()>()).await;
            Err(Closed)
        }
    }
}

fn response(reply: Reply) -> Result<hyper::Response<Full<Bytes>>, Closed> {
    let mut builder = hyper::Response::builder().status(reply.status);
    if let Some(kind) = reply.content_type {
        builder = builder.header("content-type", kind);
    }
    for (name, value) in &reply.headers {
        builder = builder.header(*name, value);
    }
    let mut body = reply.body;
    if let Some(cut) = reply.cut_at {
        body.truncate(cut);
    }
    builder
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| Closed)
}
