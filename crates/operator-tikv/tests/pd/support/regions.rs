//! Regions as PD keeps and writes them.

use std::sync::{Arc, Mutex};

use super::{Reply, Request, Server, fake};

/// A region as PD keeps it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    pub(crate) id: u64,
    pub(crate) start: Vec<u8>,
    pub(crate) end: Vec<u8>,
    pub(crate) leader: Option<u64>,
    pub(crate) stores: Vec<u64>,
    pub(crate) size_mib: u64,
}

impl Kept {
    pub(crate) fn new(id: u64, start: &[u8], end: &[u8]) -> Self {
        let (start, end) = (start.to_vec(), end.to_vec());
        let stores = vec![1, 4, 5];
        Self {
            id,
            start,
            end,
            leader: Some(1),
            stores,
            size_mib: 96,
        }
    }
}

/// Which way the server reads keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// Knows no `format`: the key is the bytes.
    V7,
    /// Takes hexadecimal where `format=hex` says so, and the bytes else.
    V8,
}

/// The regions, in the order of their keys; a test may change them between two pages.
pub(crate) type Tree = Arc<Mutex<Vec<Kept>>>;

/// A member that leads alone and keeps these regions. Before each page, `meanwhile` is called with the
/// number of the pages that were asked for.
pub(crate) async fn keeping(
    tree: Tree,
    version: Version,
    meanwhile: impl Fn(usize, &mut Vec<Kept>) + Send + Sync + 'static,
) -> Server {
    let pages = Mutex::new(0);
    fake::alone(move |request| match request.path() {
        "/pd/api/v1/regions/key" => {
            let mut tree = tree.lock().unwrap();
            let mut pages = pages.lock().unwrap();
            meanwhile(*pages, &mut tree);
            *pages += 1;
            page(&tree, version, request)
        }
        _ => Reply::text(404, "404 page not found\n"),
    })
    .await
}

fn page(tree: &[Kept], version: Version, request: &Request) -> Reply {
    let parameter = |name: &str| {
        let query = request.target.split_once('?')?.1;
        let found = query.split('&').filter_map(|pair| pair.split_once('='));
        found
            .into_iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| unescaped(value))
    };
    let mut key = parameter("key").unwrap_or_default();
    if version == Version::V8 && parameter("format").as_deref() == Some(b"hex") {
        let text = String::from_utf8(key).unwrap();
        let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        key = (0..text.len()).step_by(2).map(byte).collect();
    }
    let limit: usize = String::from_utf8(parameter("limit").unwrap())
        .unwrap()
        .parse()
        .unwrap();
    assert!(
        (1..=10_240).contains(&limit),
        "a limit PD would change: {limit}"
    );
    let holds = |kept: &&Kept| kept.end.is_empty() || kept.end > key;
    let regions: Vec<_> = tree.iter().filter(holds).take(limit).map(written).collect();
    let body = format!(
        r#"{{"count":{},"regions":[{}]}}"#,
        regions.len(),
        regions.join(",")
    );
    Reply::answer(200, "application/octet-stream", body)
}

/// As Go reads it: a plus is a space.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'%' => {
                let digits = std::str::from_utf8(&tail[..2]).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
                rest = &tail[2..];
            }
            b'+' => bytes.push(b' '),
            other => bytes.push(*other),
        }
    }
    bytes
}

pub(crate) fn hex(key: &[u8]) -> String {
    key.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// As PD writes it: zeros left out, the leader always there.
pub(crate) fn written(kept: &Kept) -> String {
    let peer = |store: &u64| {
        format!(
            r#"{{"role_name":"Voter","id":{},"store_id":{store}}}"#,
            kept.id * 10 + store
        )
    };
    let peers: Vec<_> = kept.stores.iter().map(peer).collect();
    let peers = match peers.is_empty() {
        true => String::new(),
        false => format!(r#""peers":[{}],"#, peers.join(",")),
    };
    let leader = kept
        .leader
        .as_ref()
        .map_or_else(|| r#"{"role_name":""}"#.to_owned(), peer);
    format!(
        r#"{{"id":{},"start_key":"{}","end_key":"{}","epoch":{{"conf_ver":5,"version":7}},{peers}"leader":{leader},"cpu_usage":0,"written_bytes":1,"read_bytes":0,"written_keys":1,"read_keys":0,"approximate_size":{},"approximate_keys":{}}}"#,
        kept.id,
        hex(&kept.start),
        hex(&kept.end),
        kept.size_mib,
        kept.size_mib * 10_000,
    )
}

/// So many regions side by side, with keys of four bytes that hold every byte there is.
pub(crate) fn many(count: u32) -> Vec<Kept> {
    let key = |n: u32| match n {
        0 => Vec::new(),
        n if n == count => Vec::new(),
        n => n.wrapping_mul(u32::MAX / count).to_be_bytes().to_vec(),
    };
    (0..count)
        .map(|n| Kept::new(u64::from(n) + 1, &key(n), &key(n + 1)))
        .collect()
}
