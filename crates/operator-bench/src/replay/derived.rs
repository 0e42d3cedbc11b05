//! Answers that were not recorded as such, and follow from what was.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::http::{digit, pairs};

/// More than this PD does not give at once.
const MOST_REGIONS: usize = 10_240;

/// All regions, as they were at the beginning, in the order of their keys.
#[derive(Debug)]
pub(super) struct Regions(Vec<Known>);

#[derive(Debug)]
struct Known {
    id: u64,
    start: Vec<u8>,
    /// Empty where it has no end.
    end: Vec<u8>,
    text: Box<RawValue>,
}

impl Regions {
    pub(super) fn parse(text: &[u8]) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct All {
            regions: Vec<Box<RawValue>>,
        }
        #[derive(Deserialize)]
        struct One {
            id: u64,
            #[serde(default)]
            start_key: String,
            #[serde(default)]
            end_key: String,
        }
        let all: All = serde_json::from_slice(text)?;
        let mut known = Vec::with_capacity(all.regions.len());
        for text in all.regions {
            let one: One = serde_json::from_str(text.get())?;
            known.push(Known {
                id: one.id,
                start: bytes(&one.start_key),
                end: bytes(&one.end_key),
                text,
            });
        }
        known.sort_by(|a, b| a.start.cmp(&b.start));
        Ok(Self(known))
    }

    /// What follows from these regions, of a path below PD's root; `None` where nothing does.
    pub(super) fn answer(&self, path: &str) -> Option<Bytes> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        if let Some(id) = path.strip_prefix("/pd/api/v1/region/id/") {
            let id: u64 = id.parse().ok()?;
            let found = self.0.iter().find(|region| region.id == id)?;
            return Some(found.text.get().to_owned().into());
        }
        (path == "/pd/api/v1/regions/key").then(|| self.page(query))?
    }

    fn page(&self, query: &str) -> Option<Bytes> {
        let (mut from, mut limit) = (Vec::new(), None);
        for (name, value) in pairs(query.as_bytes()) {
            match name.as_slice() {
                b"key" => from = value,
                b"limit" => limit = Some(std::str::from_utf8(&value).ok()?.parse::<usize>().ok()?),
                _ => return None,
            }
        }
        let limit = limit.unwrap_or(16).min(MOST_REGIONS);
        let rest = self.0.iter();
        let rest = rest.filter(|region| region.end.is_empty() || region.end > from);
        let regions: Vec<&RawValue> = rest.take(limit).map(|region| &*region.text).collect();
        let list = serde_json::to_string(&regions).ok()?;
        Some(format!(r#"{{"count":{},"regions":{list}}}"#, regions.len()).into())
    }
}

/// The count of regions in all of the statistics, as PD tells it when it is asked for nothing else.
pub(super) fn count(statistics: &[u8]) -> Option<Bytes> {
    let statistics: Value = serde_json::from_slice(statistics).ok()?;
    let answer = json!({
        "count": statistics.get("count")?.as_u64()?,
        "empty_count": 0, "storage_size": 0, "user_storage_size": 0, "storage_keys": 0,
        "store_leader_count": null, "store_peer_count": null, "store_leader_size": null,
        "store_leader_keys": null, "store_peer_size": null, "store_peer_keys": null,
    });
    Some(answer.to_string().into())
}

/// The path of the statistics, if it is their count over all keys that is asked for.
pub(super) fn counted(path: &str) -> Option<&str> {
    let (path, query) = path.split_once('?')?;
    let (mut count, mut whole) = (false, path == "/pd/api/v1/stats/region");
    for (name, value) in pairs(query.as_bytes()) {
        match name.as_slice() {
            b"count" => count = true,
            b"start_key" | b"end_key" => whole &= value.is_empty(),
            _ => whole = false,
        }
    }
    (count && whole).then_some(path)
}

/// The bytes of a key that is written in hexadecimal.
fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks_exact(2);
    let byte = |pair: &[u8]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
    pairs.filter_map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(answer: Option<Bytes>) -> Vec<u64> {
        let answer: Value = serde_json::from_slice(&answer.unwrap()).unwrap();
        let regions = answer["regions"].as_array().unwrap();
        assert_eq!(answer["count"], regions.len());
        regions
            .iter()
            .map(|region| region["id"].as_u64().unwrap())
            .collect()
    }

    #[test]
    fn regions_are_found_by_key_and_by_id() {
        let text = br#"{"count":3,"regions":[
            {"id":7,"start_key":"62","end_key":"6280"},
            {"id":9,"start_key":"6280","end_key":""},
            {"id":8,"start_key":"","end_key":"62"}]}"#;
        let regions = Regions::parse(text).unwrap();
        let page = |query: &str| regions.answer(&format!("/pd/api/v1/regions/key?{query}"));
        assert_eq!(ids(page("key=&limit=9")), [8, 7, 9]);
        assert_eq!(ids(page("key=b&limit=1")), [7]);
        assert_eq!(ids(page("key=b%80&limit=9")), [9]);
        assert_eq!(page("key=&type=odd"), None);
        let one = |id: &str| regions.answer(&format!("/pd/api/v1/region/id/{id}"));
        assert!(one("7").is_some());
        assert_eq!((one("5"), one("x")), (None, None));
        assert!(Regions::parse(b"[]").is_err());
    }

    #[test]
    fn regions_are_counted_over_all_keys_only() {
        let path = "/pd/api/v1/stats/region";
        assert_eq!(
            counted(&format!("{path}?start_key=&end_key=&count")),
            Some(path)
        );
        assert_eq!(counted(&format!("{path}?count")), Some(path));
        for other in [
            "",
            "?start_key=&end_key=",
            "?start_key=a&count",
            "?count&use_hot",
        ] {
            assert_eq!(counted(&format!("{path}{other}")), None, "{other}");
        }
        let answer =
            count(br#"{"count":45,"empty_count":9,"store_leader_count":{"1":2}}"#).unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(
            (&answer["count"], &answer["store_leader_count"]),
            (&45.into(), &Value::Null)
        );
        assert_eq!(count(b"null"), None);
    }
}
