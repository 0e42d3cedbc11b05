//! A scan of every region, page by page.

use std::collections::HashSet;
use std::fmt;
use std::future::{Future, poll_fn, ready};
use std::pin::Pin;
use std::task::Poll;

use operator_core::{Cursor, KeyRange, Listing, Region, RegionId, Result};

use super::PdClient;
use super::regions::Page;
use crate::facts::Tally;

type NextPage<'a> = Pin<Box<dyn Future<Output = Result<Page>> + Send + 'a>>;

/// A scan that is under way: pages in the order of their keys. Dropping it ends it.
///
/// While a page is with the caller, the next one is already asked for; more than these two are never held.
/// Pages are looks at different moments: what splits, merges or moves between them may come twice, and no
/// range of keys is left out.
pub struct Scan<'a> {
    pd: &'a PdClient,
    pending: Option<NextPage<'a>>,
    /// The regions of the last page, to recognise those that come again.
    last: HashSet<RegionId>,
    reached: Vec<u8>,
    pages: u64,
    regions: u64,
}

/// One page of a scan.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanPage {
    /// Its regions. A range that no region covers is a gap; `next` is where a scan that was broken off here
    /// goes on.
    pub regions: Listing<Region>,
    /// Those of them that had come before in whole or in part, on the page before this one.
    pub seen_again: HashSet<RegionId>,
    /// The ranges that no region covers, each of which is a gap of `regions` as well.
    pub holes: Vec<KeyRange>,
    /// Pages so far, this one among them.
    pub pages_so_far: u64,
    /// Regions so far, those of this page among them.
    pub regions_so_far: u64,
}

impl PdClient {
    /// Begins a scan of every region, from the first or from where an earlier scan ended.
    pub fn scan_from(&self, from: Option<&Cursor>) -> Scan<'_> {
        let key = from.map(Cursor::as_bytes).unwrap_or_default();
        Scan {
            pd: self,
            pending: Some(self.ask_for_page(key.to_vec())),
            last: HashSet::new(),
            reached: key.to_vec(),
            pages: 0,
            regions: 0,
        }
    }

    fn ask_for_page(&self, key: Vec<u8>) -> NextPage<'_> {
        Box::pin(async move { self.page_from(&key, self.page_regions).await })
    }

    /// Sums over every region, holding none of them. `progress` is told the sums so far after each page.
    ///
    /// # Errors
    /// When a page could not be read.
    pub async fn tally(&self, mut progress: impl FnMut(&Tally)) -> Result<Tally> {
        let mut tally = Tally::default();
        let mut scan = self.scan_from(None);
        while let Some(page) = scan.next().await? {
            tally.add(&page.regions, &page.seen_again, &page.holes);
            progress(&tally);
        }
        Ok(tally)
    }
}

impl Scan<'_> {
    /// The next page; none when the last one has been given.
    ///
    /// # Errors
    /// When it could not be read. The scan is then over; what came before stays good.
    pub async fn next(&mut self) -> Result<Option<ScanPage>> {
        let Some(pending) = self.pending.take() else {
            return Ok(None);
        };
        let Page {
            listing: regions,
            holes,
        } = pending.await?;
        let seen_again = self.seen_again(&regions.items);
        self.last = regions.items.iter().map(|region| region.id).collect();
        self.pages += 1;
        self.regions += regions.items.len() as u64;
        if let Some(next) = &regions.next {
            self.reached = next.as_bytes().to_vec();
            let mut pending = self.pd.ask_for_page(self.reached.clone());
            // The request shall be on its way before the caller turns to this page.
            match poll_fn(|context| Poll::Ready(pending.as_mut().poll(context))).await {
                Poll::Pending => tokio::task::yield_now().await,
                Poll::Ready(page) => pending = Box::pin(ready(page)),
            }
            self.pending = Some(pending);
        }
        Ok(Some(ScanPage {
            seen_again,
            holes,
            pages_so_far: self.pages,
            regions_so_far: self.regions,
            regions,
        }))
    }

    /// A region that begins before this page does was there in part before, and so was one whose id was.
    fn seen_again(&self, regions: &[Region]) -> HashSet<RegionId> {
        let first = self.pages == 0;
        let again = |region: &&Region| {
            !first && (region.range.start < self.reached || self.last.contains(&region.id))
        };
        regions
            .iter()
            .filter(again)
            .map(|region| region.id)
            .collect()
    }
}

impl fmt::Debug for Scan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan")
            .field("pages", &self.pages)
            .field("regions", &self.regions)
            .finish_non_exhaustive()
    }
}
