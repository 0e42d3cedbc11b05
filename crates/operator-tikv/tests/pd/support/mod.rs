//! A scripted server: it says what it is told to, byte by byte where a proper one could not, over TCP or
//! TLS. And what a PD says of its members.

pub(crate) mod fake;
pub(crate) mod regions;
pub(crate) mod tls;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What is done about a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// A proper answer.
    Answer {
        status: u16,
        kind: &'static str,
        body: Vec<u8>,
    },
    /// A redirect.
    Redirect(String),
    /// These bytes, and the connection is closed.
    Raw(Vec<u8>),
    /// These bytes, and then nothing, for as long as the other side waits.
    RawThenSilence(Vec<u8>),
    /// These bytes, and the connection is reset.
    RawThenReset(Vec<u8>),
    /// A body without end, in chunks.
    Endless(Vec<u8>),
}

impl Reply {
    pub(crate) fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::answer(200, "application/json; charset=UTF-8", body)
    }

    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self::answer(status, "text/plain; charset=utf-8", body)
    }

    pub(crate) fn answer(status: u16, kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self::Answer { status, kind, body }
    }

    pub(crate) fn silence() -> Self {
        Self::RawThenSilence(Vec::new())
    }

    /// The same answer as the last one over its connection, which it says: the next request needs a new one.
    pub(crate) fn last(self) -> Self {
        let Self::Answer { status, kind, body } = self else {
            return self;
        };
        let head = head(status, kind, "connection: close\r\n", body.len());
        Self::Raw([head.into_bytes(), body].concat())
    }
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// Path and query, as they were sent.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

pub(crate) type Script = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

/// A server on a port of its own. It ends when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, Arc::new(script), None)
    }

    pub(crate) async fn start_tls(
        acceptor: tokio_rustls::TlsAcceptor,
        script: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, Arc::new(script), Some(acceptor))
    }

    pub(crate) fn on(
        listener: TcpListener,
        script: Script,
        tls: Option<tokio_rustls::TlsAcceptor>,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                socket.set_nodelay(true).unwrap();
                let (script, log, tls) = (script.clone(), log.clone(), tls.clone());
                connections.spawn(async move {
                    match tls {
                        None => {
                            // Only a TCP connection can be reset.
                            let reset = serve(socket, &script, &log).await;
                            if let Some(socket) = reset {
                                socket.set_zero_linger().unwrap();
                            }
                        }
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(socket).await {
                                serve(stream, &script, &log).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            address,
            asked,
            task,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    /// How often something below this path was asked for.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.asked()
            .iter()
            .filter(|request| request.path() == path)
            .count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers one connection's requests; gives the connection back if it is to be reset.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    script: &Script,
    log: &Mutex<Vec<Request>>,
) -> Option<S> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream).await {
        log.lock().unwrap().push(request.clone());
        let reply = script(&request);
        let sent = match &reply {
            Reply::Answer { status, kind, body } => {
                let head = head(*status, kind, "", body.len());
                let head = stream.write_all(head.as_bytes()).await;
                head.and(stream.write_all(body).await)
            }
            Reply::Redirect(to) => {
                let head = format!("HTTP/1.1 307 X\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
                stream.write_all(head.as_bytes()).await
            }
            Reply::Raw(bytes) | Reply::RawThenSilence(bytes) | Reply::RawThenReset(bytes) => {
                stream.write_all(bytes).await
            }
            Reply::Endless(chunk) => {
                let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                let mut sent = stream.write_all(head.as_bytes()).await;
                while sent.is_ok() {
                    let size = format!("{:x}\r\n", chunk.len());
                    let framed = [size.as_bytes(), chunk, b"\r\n"].concat();
                    sent = stream.write_all(&framed).await;
                }
                sent
            }
        };
        if sent.and(stream.flush().await).is_err() {
            return None;
        }
        match reply {
            Reply::RawThenSilence(_) => std::future::pending().await,
            Reply::RawThenReset(_) => return Some(stream.into_inner()),
            Reply::Raw(_) => return None,
            _ => {}
        }
    }
    None
}

/// The head of a proper answer, with further lines.
fn head(status: u16, kind: &str, lines: &str, length: usize) -> String {
    format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\n{lines}content-length: {length}\r\n\
         date: Sat, 21 Nov 2026 12:00:00 GMT\r\n\r\n"
    )
}

async fn read_request<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let target = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        match line.trim_end().split_once(": ") {
            Some((key, value)) => headers.push((key.to_owned(), value.to_owned())),
            None => break,
        }
    }
    Some(Request { target, headers })
}
