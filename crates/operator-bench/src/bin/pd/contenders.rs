//! What reads regions: our client, decoders that serde derives, and curl, which only throws them away.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures itself")]

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use operator_core::{
    DownPeer, Epoch, KeyRange, Peer, PeerId, PeerRole, Region, RegionFlow, RegionId, StoreId,
};
use operator_tikv::{PdClient, fuzzing};
use serde::Deserialize;

use crate::{Figures, Outcome};

/// The ways to read a page. All come to the same regions.
pub(crate) const WAYS: &[&str] = &["streaming", "derive, owned", "derive, borrowed", "nothing"];

/// As large as the pieces that arrive from a socket.
const PIECE: usize = 64 << 10;

pub(crate) fn read_page(how: &str, file: &str) -> Outcome<Figures> {
    let mut file = File::open(file)?;
    let mut piece = vec![0; PIECE];
    let begun = Instant::now();
    let regions = match how {
        "streaming" => {
            let mut failed = None;
            let pieces = Pieces {
                file: &mut file,
                failed: &mut failed,
            };
            let regions = fuzzing::regions(pieces)?.items;
            failed.map_or(Ok(regions), Err)?
        }
        "nothing" => {
            while file.read(&mut piece)? > 0 {}
            Vec::new()
        }
        _ => {
            let mut body = Vec::new();
            loop {
                let count = file.read(&mut piece)?;
                if count == 0 {
                    break;
                }
                body.extend_from_slice(&piece[..count]);
            }
            match how {
                "derive, owned" => {
                    let page: Page<Wire<String>> = serde_json::from_slice(&body)?;
                    page.regions
                        .into_iter()
                        .map(Wire::region)
                        .collect::<Option<_>>()
                }
                _ => {
                    let page: Page<Wire<&str>> = serde_json::from_slice(&body)?;
                    page.regions
                        .into_iter()
                        .map(Wire::region)
                        .collect::<Option<_>>()
                }
            }
            .ok_or("a key is no hexadecimal")?
        }
    };
    let seconds = begun.elapsed().as_secs_f64();
    Ok(Figures {
        seconds,
        peak_kib: peak_kib()?,
        check: check(&regions),
    })
}

struct Pieces<'a> {
    file: &'a mut File,
    failed: &'a mut Option<std::io::Error>,
}

impl Iterator for Pieces<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut piece = vec![0; PIECE];
        match self.file.read(&mut piece) {
            Ok(0) => None,
            Ok(count) => {
                piece.truncate(count);
                Some(piece)
            }
            Err(error) => {
                *self.failed = Some(error);
                None
            }
        }
    }
}

/// Something of everything that was read, so that all must have read the same.
fn check(regions: &[Region]) -> u64 {
    let of = |region: &Region| {
        let keys = region
            .range
            .start
            .iter()
            .chain(&region.range.end)
            .map(|byte| u64::from(*byte))
            .sum::<u64>();
        let peers = region
            .peers
            .iter()
            .map(|peer| peer.id.0 ^ peer.store.0)
            .sum::<u64>();
        let leader = region.leader.as_ref().map_or(1, |leader| leader.id.0);
        let down = region
            .down_peers
            .iter()
            .map(|down| down.down_seconds)
            .sum::<u64>();
        let size = region.size_bytes.unwrap_or(7) ^ region.keys.unwrap_or(9);
        let flow = region.flow.written_bytes.unwrap_or(3) ^ region.flow.read_keys.unwrap_or(5);
        region.id.0 ^ keys ^ peers ^ leader ^ down ^ size ^ flow ^ region.pending_peers.len() as u64
    };
    regions.iter().fold(0, |sum: u64, region| {
        sum.rotate_left(7).wrapping_add(of(region))
    })
}

/// The most memory that this process has held.
fn peak_kib() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Scans everything at a URL as a monitor would, on one thread.
pub(crate) fn scan(url: &str) -> Outcome<Figures> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let begun = Instant::now();
    let tally = runtime.block_on(PdClient::new(url)?.tally(|_| {}))?;
    let seconds = begun.elapsed().as_secs_f64();
    if !tally.holes.is_empty() || tally.unread > 0 {
        return Err("the scan left something out".into());
    }
    Ok(Figures {
        seconds,
        peak_kib: peak_kib()?,
        check: tally.regions,
    })
}

/// Fetches the same pages over one connection and throws them away.
pub(crate) fn curl(config: &Path) -> Outcome<Figures> {
    let begun = Instant::now();
    let output = Command::new("curl")
        .arg("-s")
        .arg("-w")
        .arg("%{num_connects}\n")
        .arg("-K")
        .arg(config)
        .output()?;
    let seconds = begun.elapsed().as_secs_f64();
    let connections: u64 = String::from_utf8(output.stdout)?
        .lines()
        .filter_map(|line| line.parse::<u64>().ok())
        .sum();
    match output.status.success() && connections == 1 {
        true => Ok(Figures {
            seconds,
            peak_kib: 1,
            check: connections,
        }),
        false => Err(format!("curl made {connections} connections").into()),
    }
}

#[derive(Deserialize)]
struct Page<R> {
    regions: Vec<R>,
}

/// A region as anyone would derive it: with texts of its own, or borrowed ones.
#[derive(Deserialize)]
struct Wire<T> {
    #[serde(default)]
    id: u64,
    start_key: T,
    end_key: T,
    epoch: Option<WireEpoch>,
    #[serde(default = "Vec::new")]
    peers: Vec<WirePeer<T>>,
    leader: Option<WirePeer<T>>,
    #[serde(default = "Vec::new")]
    down_peers: Vec<WireDownPeer<T>>,
    #[serde(default = "Vec::new")]
    pending_peers: Vec<WirePeer<T>>,
    written_bytes: Option<u64>,
    read_bytes: Option<u64>,
    written_keys: Option<u64>,
    read_keys: Option<u64>,
    #[serde(default)]
    approximate_size: u64,
    #[serde(default)]
    approximate_keys: u64,
}

#[derive(Deserialize)]
struct WireEpoch {
    #[serde(default)]
    conf_ver: u64,
    #[serde(default)]
    version: u64,
}

#[derive(Deserialize)]
struct WirePeer<T> {
    role_name: T,
    #[serde(default)]
    id: u64,
    #[serde(default)]
    store_id: u64,
    #[serde(default)]
    is_witness: bool,
}

#[derive(Deserialize)]
struct WireDownPeer<T> {
    peer: WirePeer<T>,
    #[serde(default)]
    down_seconds: u64,
}

impl<T: AsRef<str>> Wire<T> {
    fn region(self) -> Option<Region> {
        let reported = self.approximate_size > 0;
        Some(Region {
            id: RegionId(self.id),
            range: KeyRange {
                start: fuzzing::key(self.start_key.as_ref())?,
                end: fuzzing::key(self.end_key.as_ref())?,
            },
            epoch: self
                .epoch
                .map(|WireEpoch { conf_ver, version }| Epoch { conf_ver, version }),
            peers: self.peers.into_iter().map(WirePeer::peer).collect(),
            leader: self
                .leader
                .filter(|leader| leader.store_id != 0)
                .map(WirePeer::peer),
            down_peers: self
                .down_peers
                .into_iter()
                .map(WireDownPeer::peer)
                .collect(),
            pending_peers: self.pending_peers.into_iter().map(WirePeer::peer).collect(),
            size_bytes: reported.then_some(self.approximate_size << 20),
            keys: reported.then_some(self.approximate_keys),
            flow: RegionFlow {
                written_bytes: self.written_bytes,
                written_keys: self.written_keys,
                read_bytes: self.read_bytes,
                read_keys: self.read_keys,
            },
        })
    }
}

impl<T: AsRef<str>> WirePeer<T> {
    fn peer(self) -> Peer {
        Peer {
            id: PeerId(self.id),
            store: StoreId(self.store_id),
            role: match self.role_name.as_ref() {
                "Voter" => PeerRole::Voter,
                "Learner" => PeerRole::Learner,
                other => PeerRole::Unknown(other.to_owned()),
            },
            witness: self.is_witness,
        }
    }
}

impl<T: AsRef<str>> WireDownPeer<T> {
    fn peer(self) -> DownPeer {
        DownPeer {
            peer: self.peer.peer(),
            down_seconds: self.down_seconds,
        }
    }
}
