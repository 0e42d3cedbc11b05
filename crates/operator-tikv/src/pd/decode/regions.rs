//! Lists of regions, `{"count":2,"regions":[{..},{..}]}`, read as their bytes arrive.
//!
//! Only the regions themselves and the one piece that is being read are held, never a body as a whole. A
//! region that cannot be read costs itself.

use std::ops::ControlFlow;

use operator_core::{Entity, Fault, Gap, KeyRange, Listing, Region, RegionId, Why};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Deserializer;
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::json;
use super::region::{WireRegion, is_nothing, region};
use crate::pd::ask::Intake;
use crate::pd::units;

/// The field that holds the items.
const FIELD: &str = "regions";

/// Takes in a list of regions, up to a number of them.
pub(crate) struct RegionList {
    /// What has arrived and was not yet read: less than one item and one piece.
    rest: Vec<u8>,
    /// Reading was tried and more is needed; it is tried again when so much has arrived. Doubling keeps
    /// the work linear for an item that comes in a thousand pieces.
    again_at: usize,
    at: At,
    limit: usize,
    listing: Listing<Region>,
    end: Option<Vec<u8>>,
    read: usize,
    named: bool,
    more: bool,
}

/// What was read of a list.
pub(crate) struct RegionsRead {
    pub(crate) listing: Listing<Region>,
    /// Whether there was more than was asked for.
    pub(crate) more: bool,
    /// Where the last of them ends, also if nothing else of it can be read.
    pub(crate) end: Option<Vec<u8>>,
}

/// Where in the list reading has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Begin,
    Field,
    Separator,
    Item,
    ItemEnd,
    End,
}

enum Step {
    /// So many bytes were read, and this is where reading has come to.
    To(usize, At),
    /// What has arrived does not reach.
    Short,
}

impl RegionList {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            rest: Vec::new(),
            again_at: 0,
            at: At::Begin,
            limit,
            listing: Listing::whole(Vec::new()),
            end: None,
            read: 0,
            named: false,
            more: false,
        }
    }

    /// Reads on in `bytes`; says how many of them were read.
    fn advance(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let mut read = 0;
        while !self.more {
            let spaces = |byte: &&u8| byte.is_ascii_whitespace();
            let tail = bytes.get(read..).unwrap_or_default();
            read += tail.iter().take_while(spaces).count();
            let tail = bytes.get(read..).unwrap_or_default();
            let Some(first) = tail.first() else { break };
            match self.step(*first, tail)? {
                Step::To(count, at) => {
                    read += count;
                    self.at = at;
                }
                Step::Short => break,
            }
        }
        Ok(read)
    }

    fn step(&mut self, first: u8, tail: &[u8]) -> Result<Step, Fault> {
        match (self.at, first) {
            (At::Begin, b'{') => Ok(Step::To(1, At::Field)),
            (At::Field, b'}') | (At::Separator, b'}') => Ok(Step::To(1, At::End)),
            (At::Separator, b',') => Ok(Step::To(1, At::Field)),
            (At::Field, b'"') => self.field(tail),
            (At::Item | At::ItemEnd, b']') => Ok(Step::To(1, At::Separator)),
            (At::ItemEnd, b',') => Ok(Step::To(1, At::Item)),
            (At::Item, _) => self.item(tail),
            _ => Err(broken(tail)),
        }
    }

    /// A field's name, and its value where that is not the list of regions.
    fn field(&mut self, tail: &[u8]) -> Result<Step, Fault> {
        let mut names = Deserializer::from_slice(tail).into_iter::<String>();
        let name = match names.next() {
            Some(Ok(name)) => name,
            Some(Err(error)) if !error.is_eof() => return Err(broken(tail)),
            Some(Err(_)) | None => return Ok(Step::Short),
        };
        let colon = |byte: &u8| !byte.is_ascii_whitespace();
        let after = tail.get(names.byte_offset()..).unwrap_or_default();
        let Some(at) = after.iter().position(colon) else {
            return Ok(Step::Short);
        };
        if after.get(at) != Some(&b':') {
            return Err(broken(after));
        }
        let value = after.get(at + 1..).unwrap_or_default();
        let Some(spaces) = value.iter().position(colon) else {
            return Ok(Step::Short);
        };
        let value = value.get(spaces..).unwrap_or_default();
        let of_regions = name == FIELD;
        self.named |= of_regions;
        let begun = tail.len() - value.len();
        match value.first() {
            Some(b'[') if of_regions => Ok(Step::To(begun + 1, At::Item)),
            Some(b'{' | b'[' | b'"') if !of_regions => match skipped(value)? {
                Some(count) => Ok(Step::To(begun + count, At::Separator)),
                None => Ok(Step::Short),
            },
            // What is left has no end of its own: it reaches to the separator, which must have arrived.
            _ => match value.iter().position(|byte| matches!(byte, b',' | b'}')) {
                Some(end) if is_value(value.get(..end).unwrap_or_default(), of_regions) => {
                    Ok(Step::To(begun + end, At::Separator))
                }
                Some(_) => Err(broken(value)),
                None => Ok(Step::Short),
            },
        }
    }

    fn item(&mut self, tail: &[u8]) -> Result<Step, Fault> {
        if self.read == self.limit {
            self.more = true;
            return Ok(Step::Short);
        }
        let mut items = Deserializer::from_slice(tail).into_iter::<WireRegion<'_>>();
        match items.next() {
            Some(Ok(wire)) => {
                let end = units::key(&wire.end_key);
                match region(wire) {
                    Ok(region) => self.listing.items.push(region),
                    Err(gap) => self.bad(gap)?,
                }
                self.end = end;
            }
            Some(Err(error)) if error.classify() == Category::Data => {
                return self.skip(tail, &error);
            }
            Some(Err(error)) if !error.is_eof() => return Err(broken(tail)),
            Some(Err(_)) | None => return Ok(Step::Short),
        }
        self.read += 1;
        Ok(Step::To(items.byte_offset(), At::ItemEnd))
    }

    /// Passes over an item that is no region.
    fn skip(&mut self, tail: &[u8], error: &serde_json::Error) -> Result<Step, Fault> {
        let mut items = Deserializer::from_slice(tail).into_iter::<&RawValue>();
        let item = match items.next() {
            Some(Ok(item)) => item,
            Some(Err(error)) if !error.is_eof() => return Err(broken(tail)),
            Some(Err(_)) | None => return Ok(Step::Short),
        };
        let found = format!("{} ({error})", super::beginning(item.get().as_bytes()));
        let expected = "a region".into();
        let why = Why::Unusable { expected, found };
        self.read += 1;
        let name = field_of::<Id>(item).map(|Id { id }| Entity::Region(RegionId(id)));
        self.end = field_of(item).and_then(|End { end_key }| units::key(end_key));
        self.bad(match name {
            Some(entity) => Gap::new("region", why).about(entity),
            None => Gap::new(format!("region number {} of the list", self.read), why),
        })?;
        Ok(Step::To(items.byte_offset(), At::ItemEnd))
    }
}

impl RegionList {
    fn bad(&mut self, gap: Gap) -> Result<(), Fault> {
        self.listing.gaps.push(gap);
        super::bound(self.listing.gaps.len(), "region")
    }
}

impl Intake for RegionList {
    type Value = RegionsRead;

    fn take(&mut self, piece: &[u8]) -> Result<ControlFlow<()>, Fault> {
        if self.rest.is_empty() {
            let read = self.advance(piece)?;
            self.rest.extend(piece.iter().skip(read));
        } else {
            self.rest.extend_from_slice(piece);
            if self.rest.len() < self.again_at {
                return Ok(ControlFlow::Continue(()));
            }
            let rest = std::mem::take(&mut self.rest);
            let read = self.advance(&rest)?;
            self.rest = rest;
            self.rest.drain(..read);
        }
        self.again_at = self.rest.len() * 2;
        match self.more {
            true => Ok(ControlFlow::Break(())),
            false => Ok(ControlFlow::Continue(())),
        }
    }

    fn finish(mut self) -> Result<Self::Value, Fault> {
        let rest = std::mem::take(&mut self.rest);
        let read = self.advance(&rest)?;
        let ended = self.at == At::End && self.named && read == rest.len();
        if !ended && !self.more {
            return Err(broken(rest.get(read..).unwrap_or_default()));
        }
        Ok(RegionsRead {
            listing: self.listing,
            more: self.more,
            end: self.end,
        })
    }
}

/// How long the value at the beginning is, if all of it has arrived.
fn skipped(value: &[u8]) -> Result<Option<usize>, Fault> {
    let mut values = Deserializer::from_slice(value).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => Ok(Some(values.byte_offset())),
        Some(Err(error)) if !error.is_eof() => Err(broken(value)),
        Some(Err(_)) | None => Ok(None),
    }
}

/// Whether this is a value; the list of regions can only be `null` if it is none.
fn is_value(text: &[u8], of_regions: bool) -> bool {
    match of_regions {
        true => text.trim_ascii() == b"null",
        false => serde_json::from_slice::<IgnoredAny>(text).is_ok(),
    }
}

#[derive(Deserialize)]
struct Id {
    id: u64,
}

#[derive(Deserialize)]
struct End<'a> {
    end_key: &'a str,
}

/// What can still be read of an item that is no region.
fn field_of<'a, T: Deserialize<'a>>(item: &'a RawValue) -> Option<T> {
    serde_json::from_str(item.get()).ok()
}

fn broken(found: &[u8]) -> Fault {
    Fault::Decode {
        expected: "an object with `regions`".into(),
        found: super::beginning(found),
    }
}

/// Where the last region of a body seems to end, found without reading the body: PD writes the end key of a
/// region behind its id and start key, and regions in order.
pub(crate) fn end_at_a_glance(body: &[u8]) -> Option<Vec<u8>> {
    const NAME: &[u8] = br#""end_key":""#;
    let last = body
        .windows(NAME.len())
        .rposition(|window| window == NAME)?;
    let hex = body
        .get(last + NAME.len()..)?
        .split(|byte| *byte == b'"')
        .next()?;
    units::key(std::str::from_utf8(hex).ok()?).filter(|key| !key.is_empty())
}

/// One region, or none: `null` and a region of zeros are how versions say that there is none.
pub(crate) fn one(body: &[u8]) -> Result<Option<Region>, Fault> {
    let wire: Option<WireRegion<'_>> = json(body, "a region")?;
    match wire.filter(|wire| !is_nothing(wire)) {
        None => Ok(None),
        Some(wire) => region(wire).map(Some).map_err(|gap| Fault::Decode {
            expected: "a region".into(),
            found: gap.to_string(),
        }),
    }
}

/// How many regions there are.
pub(crate) fn count(body: &[u8]) -> Result<u64, Fault> {
    #[derive(Deserialize)]
    struct Wire {
        count: u64,
    }
    let wire: Wire = json(body, "an object with `count`")?;
    Ok(wire.count)
}

/// Ranges that no region covers.
pub(crate) fn holes(body: &[u8]) -> Result<Listing<KeyRange>, Fault> {
    let wire: Option<Vec<(String, String)>> = json(body, "a list of ranges")?;
    let mut listing = Listing::whole(Vec::new());
    for (start, end) in wire.unwrap_or_default() {
        match (units::key(&start), units::key(&end)) {
            (Some(start), Some(end)) => listing.items.push(KeyRange { start, end }),
            _ => {
                let expected = "two keys in hexadecimal".into();
                let found = super::beginning(format!("{start}, {end}").as_bytes());
                let why = Why::Unusable { expected, found };
                listing.gaps.push(Gap::new("range hole", why));
                super::bound(listing.gaps.len(), "range")?;
            }
        }
    }
    Ok(listing)
}
