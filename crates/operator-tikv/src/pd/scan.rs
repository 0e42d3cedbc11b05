//! A scan of every region, page by page.

use std::collections::HashSet;
use std::fmt;
use std::future::{Future, poll_fn, ready};
use std::pin::Pin;
use std::task::Poll;

use operator_core::{Cursor, KeyRange, Listing, Region, RegionId, Result};

use super::PdClient;
use super::ask::Intake;
use super::decode::{self, RegionList};
use super::regions::Page;
use crate::facts::Tally;

type RawPage<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>>> + Send + 'a>>;

/// A scan that is under way: pages in the order of their keys. Dropping it ends it.
///
/// While a page is being read, and while it is with the caller, the next one is already on its way; more
/// than these two are never held.
///
/// Pages are looks at different moments: what splits, merges or moves between them may come twice, and no
/// range of keys is left out.
pub struct Scan<'a> {
    pd: &'a PdClient,
    /// Where the next page begins; none behind the last.
    reached: Option<Vec<u8>>,
    /// A page that has been asked for ahead, and from which key on.
    ahead: Option<(Vec<u8>, RawPage<'a>)>,
    /// The regions of the last page, to recognise those that come again.
    last: HashSet<RegionId>,
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
            reached: Some(key.to_vec()),
            ahead: None,
            last: HashSet::new(),
            pages: 0,
            regions: 0,
        }
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
    /// Dropping this future loses nothing: the next call asks again.
    ///
    /// # Errors
    /// When it could not be read. What came before stays good, and the next call tries again.
    pub async fn next(&mut self) -> Result<Option<ScanPage>> {
        let Some(key) = self.reached.clone() else {
            return Ok(None);
        };
        let raw = match self.ahead.take_if(|(ahead, _)| *ahead == key) {
            Some((_, raw)) => raw.await?,
            None => self.pd.raw_page_from(&key, self.pd.page_regions).await?,
        };
        // Where this page ends shows at a glance, and so the next one can be asked for before this one is
        // read. What was glimpsed is believed only once reading has come to the same.
        if let Some(end) = decode::end_at_a_glance(&raw) {
            self.ask_ahead(end).await;
        }
        let Page { listing, holes } = match read(&key, &raw, self.pd.page_regions) {
            Some(page) => page,
            // Another endpoint may give one that can be read.
            None => self.pd.page_from(&key, self.pd.page_regions).await?,
        };
        drop(raw);
        let next = listing.next.as_ref().map(|next| next.as_bytes().to_vec());
        self.ahead
            .take_if(|(ahead, _)| Some(&*ahead) != next.as_ref());
        if let (Some(next), None) = (&next, &self.ahead) {
            self.ask_ahead(next.clone()).await;
        }
        let seen_again = self.seen_again(&listing.items, &key);
        self.last = listing.items.iter().map(|region| region.id).collect();
        self.reached = next;
        self.pages += 1;
        self.regions += listing.items.len() as u64;
        Ok(Some(ScanPage {
            seen_again,
            holes,
            pages_so_far: self.pages,
            regions_so_far: self.regions,
            regions: listing,
        }))
    }

    /// Sends a request on its way, and does not wait for the answer.
    async fn ask_ahead(&mut self, key: Vec<u8>) {
        let (pd, from) = (self.pd, key.clone());
        let page = async move { pd.raw_page_from(&from, pd.page_regions).await };
        let mut raw: RawPage<'_> = Box::pin(page);
        match poll_fn(|context| Poll::Ready(raw.as_mut().poll(context))).await {
            Poll::Pending => tokio::task::yield_now().await,
            Poll::Ready(page) => raw = Box::pin(ready(page)),
        }
        self.ahead = Some((key, raw));
    }

    /// A region that begins before this page does was there in part before, and so was one whose id was.
    fn seen_again(&self, regions: &[Region], key: &[u8]) -> HashSet<RegionId> {
        let first = self.pages == 0;
        let again = |region: &&Region| {
            !first && (region.range.start.as_slice() < key || self.last.contains(&region.id))
        };
        regions
            .iter()
            .filter(again)
            .map(|region| region.id)
            .collect()
    }
}

fn read(key: &[u8], raw: &[u8], limit: usize) -> Option<Page> {
    let mut list = RegionList::new(limit);
    let _ = list.take(raw).ok()?;
    Page::new(key, list.finish().ok()?).ok()
}

impl fmt::Debug for Scan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan")
            .field("pages", &self.pages)
            .field("regions", &self.regions)
            .finish_non_exhaustive()
    }
}
