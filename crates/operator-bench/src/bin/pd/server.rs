//! A server of pages that were made beforehand: it costs next to nothing to serve them.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::{fs, io, thread};

use crate::Outcome;
use crate::data::{key, page};

/// As many regions as a scan asks for at once.
const PER_PAGE: u64 = 4096;

type Pages = HashMap<String, Vec<u8>>;

/// Serves until it is killed; says first where, and what there is.
pub(crate) fn serve(regions: &str) -> Outcome {
    let all: u64 = regions.parse()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    let mut pages = Pages::new();
    let member = format!(r#"{{"name":"pd-0","member_id":1,"client_urls":["{url}"]}}"#);
    let members =
        format!(r#"{{"header":{{"cluster_id":1}},"members":[{member}],"leader":{member}}}"#);
    pages.insert("/pd/api/v1/cluster".into(), r#"{"id":1}"#.into());
    pages.insert("/pd/api/v1/members".into(), members.into());
    pages.insert("/pd/api/v1/leader".into(), member.into());
    let (mut bytes, mut keys) = (0, Vec::new());
    let mut first = 0;
    while first < all {
        let end = (first + PER_PAGE).min(all);
        let body = page(first, end, all).into_bytes();
        bytes += body.len();
        keys.push(percent(&key(first, all)));
        pages.insert(
            format!(
                "/pd/api/v1/regions/key?key={}&limit={PER_PAGE}",
                percent(&key(first, all))
            ),
            body,
        );
        first = end;
    }
    println!("{url} {bytes} {}", keys.len());
    for key in keys {
        println!("{key}");
    }
    println!("end");
    io::stdout().flush()?;
    let pages = Arc::new(pages);
    for stream in listener.incoming() {
        let (pages, stream) = (pages.clone(), stream?);
        thread::spawn(move || answer(&stream, &pages));
    }
    Ok(())
}

/// The key's bytes as our client writes them.
fn percent(hex: &str) -> String {
    let byte = |pair: &[u8]| {
        std::str::from_utf8(pair)
            .ok()
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
    };
    let bytes = hex.as_bytes().chunks(2).filter_map(byte);
    bytes
        .map(|byte| match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

fn answer(stream: &TcpStream, pages: &Pages) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream);
    let mut out = stream;
    loop {
        let mut request = String::new();
        if lines.read_line(&mut request)? == 0 {
            return Ok(());
        }
        let mut header = String::new();
        while lines.read_line(&mut header)? > 2 {
            header.clear();
        }
        let target = request.split(' ').nth(1).unwrap_or_default();
        match pages.get(target) {
            Some(body) => {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                out.write_all(head.as_bytes())?;
                out.write_all(body)?;
            }
            None => out.write_all(b"HTTP/1.1 404 X\r\ncontent-length: 0\r\n\r\n")?,
        }
    }
}

/// What a server said of itself.
pub(crate) struct Served {
    pub(crate) url: String,
    pub(crate) bytes: u64,
    pub(crate) pages: usize,
    keys: Vec<String>,
}

impl Served {
    pub(crate) fn read(said: impl Read) -> Outcome<Self> {
        let mut lines = BufReader::new(said).lines();
        let first = lines.next().ok_or("the server says nothing")??;
        let mut words = first.split(' ');
        let mut next = || words.next().ok_or("the server does not say enough");
        let (url, bytes, pages) = (next()?.to_owned(), next()?.parse()?, next()?.parse()?);
        let keys = lines
            .by_ref()
            .take_while(|line| line.as_ref().is_ok_and(|line| line != "end"));
        let keys = keys.collect::<Result<_, _>>()?;
        Ok(Self {
            url,
            bytes,
            pages,
            keys,
        })
    }

    /// Has curl fetch every page over one connection.
    pub(crate) fn curl_config(&self) -> Outcome<PathBuf> {
        let path = std::env::temp_dir().join(format!("operator-bench-{}.curl", std::process::id()));
        let page = |key: &String| {
            format!(
                "url=\"{}/pd/api/v1/regions/key?key={key}&limit={PER_PAGE}\"\noutput=\"/dev/null\"\n",
                self.url
            )
        };
        fs::write(&path, self.keys.iter().map(page).collect::<String>())?;
        Ok(path)
    }
}
