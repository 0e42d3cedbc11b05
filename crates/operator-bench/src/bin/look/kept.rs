//! Answers of a simulated cluster, kept when they are first given. The cluster stands still.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use operator_sim::{Cluster, Outcome as Answered, Request};
use tokio::net::TcpListener;

use crate::Outcome;

/// Where the faces are.
pub(crate) struct Served {
    pub(crate) pd: String,
    pub(crate) prometheus: String,
    hall: Arc<Hall>,
}

impl Served {
    /// Keeps nothing of what was answered so far: all of it is worked out again.
    pub(crate) fn forget(&self) {
        let kept = self.hall.kept.lock();
        kept.unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Face {
    Pd,
    Prometheus,
}

#[derive(Clone)]
struct Kept {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
}

/// Who was asked, for what, with which body.
type Asked = (Face, String, Vec<u8>);

struct Hall {
    cluster: Mutex<Cluster>,
    kept: Mutex<HashMap<Asked, Kept>>,
}

/// Serves on a thread of its own, for as long as the process lives.
pub(crate) fn serve(cluster: Cluster) -> Outcome<Served> {
    let bind = || -> std::io::Result<_> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?);
        Ok((listener, url))
    };
    let ((pd, pd_url), (prometheus, prometheus_url)) = (bind()?, bind()?);
    let hall = Arc::new(Hall {
        cluster: Mutex::new(cluster),
        kept: Mutex::default(),
    });
    let served = Served {
        pd: pd_url,
        prometheus: prometheus_url,
        hall: Arc::clone(&hall),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    thread::spawn(move || {
        runtime.block_on(async {
            let faces = [(pd, Face::Pd), (prometheus, Face::Prometheus)];
            let accepting = faces.map(|(listener, face)| {
                let hall = Arc::clone(&hall);
                tokio::spawn(accept(listener, face, hall))
            });
            for face in accepting {
                if let Ok(Err(error)) = face.await {
                    eprintln!("cannot accept: {error}");
                }
            }
        });
    });
    Ok(served)
}

async fn accept(
    listener: std::net::TcpListener,
    face: Face,
    hall: Arc<Hall>,
) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let hall = Arc::clone(&hall);
        tokio::spawn(async move {
            let service = service_fn(move |incoming| answer(face, Arc::clone(&hall), incoming));
            // A client that goes away ends its connection, and concerns nobody else.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    face: Face,
    hall: Arc<Hall>,
    incoming: hyper::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = incoming.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes());
    let body = body.unwrap_or_default().to_vec();
    let key = (face, parts.uri.to_string(), body.clone());
    let kept = hall
        .kept
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&key)
        .cloned();
    let kept = kept.unwrap_or_else(|| {
        let headers = parts.headers.iter().map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        });
        let request = Request {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: headers.collect(),
            body,
        };
        let told = hall.ask(face, &request);
        hall.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, told.clone());
        told
    });
    let mut response = Response::builder().status(kept.status);
    for (name, value) in &kept.headers {
        response = response.header(name, value);
    }
    Ok(response.body(Full::new(kept.body)).unwrap_or_else(|_| {
        let mut failed = Response::new(Full::default());
        *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        failed
    }))
}

impl Hall {
    fn ask(&self, face: Face, request: &Request) -> Kept {
        let mut cluster = self.cluster.lock().unwrap_or_else(PoisonError::into_inner);
        let answered = match face {
            Face::Pd => cluster.pd(0, request),
            Face::Prometheus => cluster.prometheus(request),
        };
        match answered {
            Answered::Reply(reply) => {
                let kind = reply
                    .content_type
                    .map(|kind| ("content-type".to_owned(), kind.to_owned()));
                let others = reply
                    .headers
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.clone()));
                Kept {
                    status: reply.status,
                    headers: kind.into_iter().chain(others).collect(),
                    body: reply.body.into(),
                }
            }
            Answered::Refused | Answered::Silence => Kept {
                status: 503,
                headers: Vec::new(),
                body: Bytes::new(),
            },
        }
    }
}
