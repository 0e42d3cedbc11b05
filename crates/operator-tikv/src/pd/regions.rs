//! Regions: one, a page, the ones with the most of something, the ones that something ails, all.

use std::ops::ControlFlow;

use async_trait::async_trait;
use operator_core::{
    Ailment, Cursor, Entity, Error, Fault, Flow, Gap, KeyRange, Listing, Region, RegionId, Regions,
    Result, StoreId, Visit, Why,
};

use super::ask::Query;
use super::decode::{RegionList, RegionsRead};
use super::{PdClient, decode};
use crate::facts::RegionTop;

/// More than this PD does not give at once.
pub(super) const MOST_PER_PAGE: usize = 10_240;

impl PdClient {
    /// How many regions there are.
    ///
    /// # Errors
    /// When no endpoint told.
    pub async fn region_count(&self) -> Result<u64> {
        // Without `count` PD walks the whole range, and some versions never come to its end.
        let path = "/stats/region?start_key=&end_key=&count";
        let query = Query::new("count regions", path);
        self.read(query, decode::count).await
    }

    /// Ranges of keys that no region covers.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn range_holes(&self) -> Result<Listing<KeyRange>> {
        let query = Query::new("read range holes", "/regions/range-holes");
        self.read(query, decode::holes).await
    }

    /// The `limit` regions with the most of something, most first. PD looks at all of them each time.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn top_regions(&self, by: RegionTop, limit: usize) -> Result<Listing<Region>> {
        if limit == 0 {
            return Ok(Listing::whole(Vec::new()));
        }
        let word = match by {
            RegionTop::WriteFlow => "writeflow",
            RegionTop::ReadFlow => "readflow",
            RegionTop::WriteQuery => "writequery",
            RegionTop::ReadQuery => "readquery",
            RegionTop::Size => "size",
            RegionTop::Keys => "keys",
            RegionTop::ConfVer => "confver",
            RegionTop::Version => "version",
        };
        let path = format!("/regions/{word}?limit={}", limit.min(MOST_PER_PAGE));
        let query = Query::new("read top regions", &path);
        self.list_regions(query, limit).await
    }

    /// Up to `limit` regions with a peer on a store. A `next` in the list says that there are more.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn regions_on(&self, store: StoreId, limit: usize) -> Result<Listing<Region>> {
        // PD would take a type of peer here as well, and hang for good on one that it does not know.
        let path = format!("/regions/store/{store}");
        let query = Query::new("read regions of a store", &path);
        self.list_regions(query, limit).await
    }

    /// A list that may have no end: it is read up to the limit and no further.
    async fn list_regions(&self, query: Query<'_>, limit: usize) -> Result<Listing<Region>> {
        let RegionsRead {
            mut listing, more, ..
        } = self.take(query, || RegionList::new(limit)).await?.value;
        // PD cannot be asked for the rest: that there is one is all that this says.
        listing.next = more.then(|| Cursor::new([]));
        Ok(listing)
    }

    /// A page of regions from a key on.
    pub(super) async fn page_from(&self, key: &[u8], limit: usize) -> Result<Page> {
        let path = page_path(key, limit);
        let taken = self.take(self.page_query(&path), || RegionList::new(limit));
        Page::new(key, taken.await?.value)
    }

    /// The bytes of a page, which were not yet looked at.
    pub(super) async fn raw_page_from(&self, key: &[u8], limit: usize) -> Result<Vec<u8>> {
        let path = page_path(key, limit);
        Ok(self.take(self.page_query(&path), Vec::new).await?.value)
    }

    fn page_query<'a>(&self, path: &'a str) -> Query<'a> {
        Query {
            within: Some(self.page_within),
            ..Query::new(READ_PAGE, path)
        }
    }
}

const READ_PAGE: &str = "read a page of regions";

/// Every version takes the bytes of the key; only some take its hexadecimal form.
fn page_path(key: &[u8], limit: usize) -> String {
    let limit = limit.min(MOST_PER_PAGE);
    format!("/regions/key?key={}&limit={limit}", percent_encoded(key))
}

/// Some regions in the order of their keys, and the ranges between them.
pub(super) struct Page {
    pub(super) listing: Listing<Region>,
    pub(super) holes: Vec<KeyRange>,
}

impl Page {
    /// What was read from `key` on. What it skips is a gap; its `next` is where the next one begins.
    pub(super) fn new(key: &[u8], read: RegionsRead) -> Result<Self> {
        let RegionsRead {
            mut listing, end, ..
        } = read;
        let last = listing.items.last().map(|region| &region.range.end);
        listing.next = match end.or_else(|| last.cloned()) {
            Some(end) if end.is_empty() => None,
            Some(end) if end.as_slice() > key => Some(Cursor::new(end)),
            Some(end) => return Err(stuck(key, format!("an end at {}", Cursor::new(end)))),
            None if listing.items.is_empty() && listing.gaps.is_empty() => None,
            None => return Err(stuck(key, "no end that can be read".to_owned())),
        };
        let holes = holes(key, &listing);
        let gap = |range: &KeyRange| Gap::new(format!("a region for {range}"), Why::Unsaid);
        listing.gaps.extend(holes.iter().map(gap));
        Ok(Self { listing, holes })
    }
}

fn stuck(key: &[u8], found: String) -> Error {
    let expected = format!("regions beyond {}", Cursor::new(key));
    Error::new(READ_PAGE, Fault::Decode { expected, found }).at("PD")
}

/// The ranges from `key` on that the regions of a page leave out. Where one of them could not be read,
/// nobody can tell.
fn holes(key: &[u8], listing: &Listing<Region>) -> Vec<KeyRange> {
    let mut holes = Vec::new();
    if !listing.gaps.is_empty() {
        return holes;
    }
    let mut reached = key;
    for region in &listing.items {
        let KeyRange { start, end } = &region.range;
        if start.as_slice() > reached {
            let (start, end) = (reached.to_vec(), start.clone());
            holes.push(KeyRange { start, end });
        }
        reached = end;
    }
    if listing.items.is_empty() {
        let (start, end) = (key.to_vec(), Vec::new());
        holes.push(KeyRange { start, end });
    }
    holes
}

/// All bytes but those that mean themselves everywhere in a URL.
fn percent_encoded(key: &[u8]) -> String {
    let mut text = String::with_capacity(key.len() * 3);
    for byte in key {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(*byte));
            }
            other => text.extend(['%', hex(other >> 4), hex(other & 15)]),
        }
    }
    text
}

fn hex(nibble: u8) -> char {
    char::from_digit(nibble.into(), 16).map_or('0', |digit| digit.to_ascii_uppercase())
}

#[async_trait]
impl Regions for PdClient {
    async fn one(&self, id: RegionId) -> Result<Region> {
        let absent = || Fault::NotFound(Entity::Region(id));
        let operation = "read region";
        let path = format!("/region/id/{id}");
        let query = Query {
            about: Some(Entity::Region(id)),
            ..Query::new(operation, &path)
        };
        if id.0 == 0 {
            return Err(Error::new(operation, absent()));
        }
        self.read(query, |body| decode::one(body)?.ok_or_else(absent))
            .await
    }

    async fn holding(&self, key: &[u8]) -> Result<Region> {
        let listing = self.page_from(key, 1).await?.listing;
        let region = listing.items.into_iter().next();
        region
            .filter(|region| region.range.contains(key))
            .ok_or_else(|| {
                let range = Entity::named("key", Cursor::new(key).to_string());
                Error::new("read the region of a key", Fault::NotFound(range))
            })
    }

    async fn page(&self, from: Option<&Cursor>, limit: usize) -> Result<Listing<Region>> {
        let key = from.map(Cursor::as_bytes).unwrap_or_default();
        if limit == 0 {
            let next = Some(Cursor::new(key));
            return Ok(Listing {
                next,
                ..Listing::whole(Vec::new())
            });
        }
        Ok(self.page_from(key, limit).await?.listing)
    }

    async fn hottest(&self, flow: Flow, limit: usize) -> Result<Listing<Region>> {
        let by = match flow {
            Flow::Write => RegionTop::WriteFlow,
            Flow::Read => RegionTop::ReadFlow,
        };
        self.top_regions(by, limit).await
    }

    async fn ailing(&self, ailment: Ailment, limit: usize) -> Result<Listing<Region>> {
        let word = match ailment {
            Ailment::MissingPeer => "miss-peer",
            Ailment::ExtraPeer => "extra-peer",
            Ailment::DownPeer => "down-peer",
            Ailment::PendingPeer => "pending-peer",
            Ailment::LearnerPeer => "learner-peer",
            Ailment::OfflinePeer => "offline-peer",
            Ailment::Empty => "empty-region",
            Ailment::Oversized => "oversized-region",
            Ailment::Undersized => "undersized-region",
        };
        let path = format!("/regions/check/{word}");
        let query = Query::new("read ailing regions", &path);
        self.list_regions(query, limit).await
    }

    async fn scan(&self, from: Option<&Cursor>, visit: &mut Visit<'_>) -> Result<()> {
        let mut scan = self.scan_from(from);
        while let Some(page) = scan.next().await? {
            if visit(page.regions) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }
}
