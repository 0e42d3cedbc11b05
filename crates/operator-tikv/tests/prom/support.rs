//! A scripted server that reads forms, and says byte by byte what it is told to.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use operator_core::{Store, StoreId};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What was asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) form: BTreeMap<String, String>,
}

impl Request {
    pub(crate) fn query(&self) -> &str {
        self.form.get("query").map_or("", String::as_str)
    }
}

type Script = Arc<dyn Fn(&Request) -> Vec<u8> + Send + Sync>;

/// A server on a port of its own. It ends when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Answers each request with these bytes.
    pub(crate) async fn start(
        script: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (script, asked): (Script, _) = (Arc::new(script), Arc::<Mutex<Vec<_>>>::default());
        let log = asked.clone();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                connections.spawn(serve(socket, script.clone(), log.clone()));
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
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(socket: TcpStream, script: Script, log: Arc<Mutex<Vec<Request>>>) {
    let mut stream = BufReader::new(socket);
    while let Some(request) = read(&mut stream).await {
        log.lock().unwrap().push(request.clone());
        let reply = script(&request);
        if stream.write_all(&reply).await.is_err() {
            return;
        }
        // Where less was sent than was promised, the rest never comes.
        if !is_whole(&reply) {
            return;
        }
    }
}

fn is_whole(reply: &[u8]) -> bool {
    let end = reply.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.unwrap_or(reply.len());
    let head = String::from_utf8_lossy(&reply[..end]);
    let length = head.split("content-length: ").nth(1);
    let length = length.and_then(|rest| rest.lines().next()?.parse::<usize>().ok());
    length.is_some_and(|length| reply.len() == end + 4 + length)
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let mut words = line.split(' ');
    let mut request = Request {
        method: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
        ..Request::default()
    };
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        let name = name.to_ascii_lowercase();
        request.headers.insert(name, value.to_owned());
    }
    let length = request.headers.get("content-length");
    let mut body = vec![0; length.map_or(0, |text| text.parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    let form = format!("http://x/?{}", String::from_utf8(body).unwrap());
    let form = reqwest::Url::parse(&form).unwrap();
    request.form = form.query_pairs().into_owned().collect();
    Some(request)
}

/// A whole answer.
pub(crate) fn answer(status: u16, kind: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    answer_with(status, kind, "", body)
}

/// A whole answer with further header lines.
pub(crate) fn answer_with(status: u16, kind: &str, lines: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\n{lines}content-length: {}\r\n\
         date: Sat, 21 Nov 2026 12:00:00 GMT\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

pub(crate) fn json(body: impl AsRef<[u8]>) -> Vec<u8> {
    answer(200, "application/json", body)
}

/// A vector at second 1,000,000, of labels as they stand in JSON, and values.
pub(crate) fn vector<L: AsRef<str>>(rows: impl IntoIterator<Item = (L, String)>) -> String {
    let rows = rows.into_iter().map(|(labels, value)| {
        let labels = labels.as_ref();
        format!(r#"{{"metric":{{{labels}}},"value":[1000000,"{value}"]}}"#)
    });
    let rows: Vec<String> = rows.collect();
    format!(
        r#"{{"status":"success","data":{{"resultType":"vector","result":[{}]}}}}"#,
        rows.join(",")
    )
}

/// An answer that found nothing.
pub(crate) fn nothing() -> Vec<u8> {
    json(vector(Vec::<(&str, String)>::new()))
}

/// A store as tiup deploys it.
pub(crate) fn store(id: u64, host: &str) -> Store {
    Store {
        status_address: Some(format!("{host}:20180")),
        ..Store::new(StoreId(id), format!("{host}:20160"))
    }
}
