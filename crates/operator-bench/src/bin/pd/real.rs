//! A million regions of a real PD, where it and what plays its stores are at hand.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use operator_bench::real::{Load, PdMembers, ask, find};

use crate::Outcome;

/// As many regions as a scan asks for at once.
const PER_PAGE: usize = 4096;
const STORES: u64 = 100;

/// A PD that knows many regions.
pub(crate) struct Real {
    pub(crate) url: String,
    pub(crate) regions: usize,
    pub(crate) bytes: usize,
    pages: Vec<String>,
    pd: PdMembers,
}

impl Real {
    #[tokio::main(flavor = "current_thread")]
    pub(crate) async fn with(regions: u64) -> Outcome<Self> {
        let program = |name: &str| {
            find(name).ok_or_else(|| format!("nothing was measured: there is no `{name}`"))
        };
        let (server, bench) = (program("pd-server")?, program("pd-heartbeat-bench")?);
        let pd = PdMembers::started(&server, 1).await?;
        let address = pd.address("pd-0").ok_or("there is no member")?;
        let load = Load::start(&bench, address, STORES, regions)?;
        load.regions_known().await?;
        // A million reports a minute would be most of what PD does; it keeps what it was told.
        drop(load);
        let walked = walk(address)?;
        Ok(Self {
            url: pd.endpoints(),
            regions: walked.regions,
            bytes: walked.bytes,
            pages: walked.pages,
            pd,
        })
    }

    pub(crate) fn page_count(&self) -> usize {
        self.pages.len()
    }

    /// Has curl fetch every page over one connection.
    pub(crate) fn curl_config(&self) -> Outcome<PathBuf> {
        let path = self.pd.folder().join("pages.curl");
        let page = |page: &String| format!("url=\"{}{page}\"\noutput=\"/dev/null\"\n", self.url);
        fs::write(&path, self.pages.iter().map(page).collect::<String>())?;
        Ok(path)
    }

    /// How long PD's processor has worked so far, in seconds.
    pub(crate) fn worked(&self) -> Option<f64> {
        let worked = self.pd.server("pd-0")?.worked()?;
        Some(worked.as_secs_f64())
    }
}

/// The pages, as nothing of ours reads them.
struct Walked {
    pages: Vec<String>,
    regions: usize,
    bytes: usize,
}

fn walk(pd: SocketAddr) -> Outcome<Walked> {
    let (mut pages, mut regions, mut bytes) = (vec![], 0, 0);
    let mut key = String::new();
    loop {
        let page = format!("/pd/api/v1/regions/key?key={key}&limit={PER_PAGE}");
        let said = ask(pd, "GET", &page, "")?;
        let told = said.json().ok_or("a page is no JSON")?;
        let list = told["regions"].as_array().ok_or("a page has no regions")?;
        pages.push(page);
        regions += list.len();
        bytes += said.body.len();
        let end = list.last().and_then(|last| last["end_key"].as_str());
        match end {
            Some(end) if !end.is_empty() => key = escaped(end)?,
            _ => break,
        }
    }
    Ok(Walked {
        pages,
        regions,
        bytes,
    })
}

/// The bytes that hexadecimal digits mean, percent-encoded.
fn escaped(digits: &str) -> Outcome<String> {
    let mut text = String::new();
    for at in (0..digits.len()).step_by(2) {
        let pair = digits.get(at..at + 2).ok_or("half a byte")?;
        let byte = u8::from_str_radix(pair, 16)?;
        write!(text, "%{byte:02X}")?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_escaped_byte_by_byte() {
        assert_eq!(escaped("7400FF").unwrap(), "%74%00%FF");
        assert!(escaped("7").is_err());
        assert!(escaped("zz").is_err());
    }
}
