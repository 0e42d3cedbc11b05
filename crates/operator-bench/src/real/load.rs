//! Stores and regions that PD is told of, and that are nowhere.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use super::{Server, ask, eventually, loopback};
use crate::folder::Folder;

/// The first reports of regions come a minute after the stores'.
const START: Duration = Duration::from_secs(600);

/// `pd-heartbeat-bench`, which plays stores with regions to the PD that leads: every region has three voters
/// and next to nothing in it.
#[derive(Debug)]
pub struct Load {
    server: Server,
    pd: SocketAddr,
    regions: u64,
    _folder: Folder,
}

impl Load {
    /// Starts it against the member of PD that leads.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(program: &Path, pd: SocketAddr, stores: u64, regions: u64) -> io::Result<Self> {
        let folder = Folder::new("load")?;
        let config = folder.join("config.toml");
        std::fs::write(
            &config,
            format!(
                "round = 0\nstore-count = {stores}\nregion-count = {regions}\nreplica = 3\nleader-update-ratio = 0.0\n"
            ),
        )?;
        let host: Ipv4Addr = loopback();
        let arguments = [
            format!("--config={}", config.display()),
            format!("--pd-endpoints=http://{pd}"),
            format!("--status-addr={host}:20180"),
            format!("--metrics-addr={host}:9090"),
        ];
        Ok(Self {
            server: Server::start(program, arguments, &folder.join("log"))?,
            pd,
            regions,
            _folder: folder,
        })
    }

    /// Waits until PD knows the stores.
    ///
    /// # Errors
    /// When it does not come to.
    pub async fn stores_known(&self) -> io::Result<()> {
        let known = || async { self.count("/pd/api/v1/stores").filter(|count| *count > 0) };
        self.known(eventually(START, known).await)
    }

    /// Waits until PD knows every region.
    ///
    /// # Errors
    /// When it does not come to.
    pub async fn regions_known(&self) -> io::Result<()> {
        let known = || async {
            let count = self.count("/pd/api/v1/regions/count")?;
            (count >= self.regions).then_some(count)
        };
        self.known(eventually(START, known).await)
    }

    fn known(&self, count: Option<u64>) -> io::Result<()> {
        let missing = || io::Error::other(self.server.last_words());
        count.map(drop).ok_or_else(missing)
    }

    fn count(&self, path: &str) -> Option<u64> {
        let said = ask(self.pd, "GET", path, "").ok()?;
        said.json()?.get("count")?.as_u64()
    }
}
