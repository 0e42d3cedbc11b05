//! Which instance is which store. Decided in memory and by equality: a regular expression over addresses
//! takes 10.0.0.1 for 10.0.0.11, and the port that clients use is in no instance at all.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use operator_core::{Gap, Store, StoreId, StoreState, Why};

/// So many instances are named when none fits.
const MOST_NAMED: usize = 5;

/// How a deployment calls its instances: text with `{host}`, `{port}`, `{status_port}`, `{pod}` and `{id}`.
///
/// ```
/// use operator_tikv::InstanceTemplate;
///
/// let template: InstanceTemplate = "{host}:9100".parse()?;
/// assert!("{hots}:9100".parse::<InstanceTemplate>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceTemplate(String);

const WORDS: [&str; 5] = ["{host}", "{port}", "{status_port}", "{pod}", "{id}"];

impl FromStr for InstanceTemplate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = WORDS
            .iter()
            .fold(text.to_owned(), |rest, word| rest.replace(word, ""));
        match rest.contains(['{', '}']) || rest == text {
            true => Err(format!(
                "`{text}` names no instance: expected one or more of {}",
                WORDS.join(" ")
            )),
            false => Ok(Self(text.to_owned())),
        }
    }
}

impl InstanceTemplate {
    fn of(&self, store: &Store) -> Option<String> {
        let (host, port) = split(&store.address);
        let status_port = store.status_address.as_deref().and_then(|at| split(at).1);
        let id = store.id.to_string();
        let values = [Some(host), port, status_port, Some(pod(host)), Some(&id)];
        let mut text = self.0.clone();
        for (word, value) in WORDS.iter().zip(values) {
            if text.contains(word) {
                text = text.replace(word, value?);
            }
        }
        Some(text)
    }
}

/// Whether a store is one that TiKV's jobs measure: not `TiFlash`, which PD lists too, and not removed.
pub(super) fn is_measured(store: &Store) -> bool {
    let engine = store.labels.get("engine").map_or("", String::as_str);
    !engine.starts_with("tiflash") && store.state != Some(StoreState::Tombstone)
}

/// The instance of each of these stores, or why none can be said to be its own.
pub(super) fn assign<'i>(
    stores: &[&Store],
    instances: &BTreeSet<&'i str>,
    template: Option<&InstanceTemplate>,
) -> BTreeMap<StoreId, Result<&'i str, Gap>> {
    let named = |name: Option<String>| instances.get(name?.as_str()).copied();
    let by_name = |store: &Store| {
        named(store.status_address.clone())
            .or_else(|| named(advertised(store)))
            .or_else(|| named(Some(pod(split(&store.address).0).to_owned())))
    };
    let mut found: Vec<Option<&'i str>> = stores.iter().map(|store| by_name(store)).collect();
    // A host alone says little: it is asked only of instances that nobody else has a better claim to.
    let claimed: BTreeSet<&str> = found.iter().copied().flatten().collect();
    let free: Vec<&'i str> = instances.difference(&claimed).copied().collect();
    for (store, place) in stores.iter().zip(&mut found) {
        let by_host = || only(free.iter().copied().filter(|at| shares_host(store, at)));
        let by_template = || named(template.and_then(|template| template.of(store)));
        *place = place.or_else(by_host).or_else(by_template);
    }
    let mut claims: BTreeMap<&str, usize> = BTreeMap::new();
    for instance in found.iter().flatten() {
        *claims.entry(instance).or_default() += 1;
    }
    stores
        .iter()
        .zip(found)
        .map(|(store, found)| {
            let own = match found {
                Some(instance) if claims.get(instance) == Some(&1) => Ok(instance),
                Some(instance) => Err(shared(store, instance)),
                None => Err(absent(store, instances)),
            };
            (store.id, own)
        })
        .collect()
}

/// Where TiKV says `0.0.0.0` because nobody told it better, its status server is at its own address.
fn advertised(store: &Store) -> Option<String> {
    let (status_host, status_port) = split(store.status_address.as_deref()?);
    let unspecified = matches!(status_host, "" | "0.0.0.0" | "[::]" | "::");
    let host = split(&store.address).0;
    unspecified.then(|| format!("{host}:{}", status_port.unwrap_or_default()))
}

/// Whether an instance is on a store's host, and no port of the two says that it is another process.
fn shares_host(store: &Store, instance: &str) -> bool {
    let (host, port) = split(instance);
    let status_port = store.status_address.as_deref().and_then(|at| split(at).1);
    let same_port = port.is_none() || status_port.is_none() || port == status_port;
    let hosts = [
        Some(store.address.as_str()),
        store.status_address.as_deref(),
    ];
    same_port && hosts.into_iter().flatten().any(|at| split(at).0 == host)
}

/// The one element, if it is one.
fn only<T>(mut all: impl Iterator<Item = T>) -> Option<T> {
    let first = all.next()?;
    all.next().is_none().then_some(first)
}

/// The first label of a name; an address in numbers has none.
fn pod(host: &str) -> &str {
    match host.parse::<std::net::IpAddr>().is_ok() || host.starts_with('[') {
        true => host,
        false => host.split('.').next().unwrap_or(host),
    }
}

/// Host and port. An address of IPv6 keeps its brackets.
fn split(address: &str) -> (&str, Option<&str>) {
    match address.rsplit_once(':') {
        Some((host, port))
            if !port.contains(']') && (!host.contains(':') || host.ends_with(']')) =>
        {
            (host, Some(port))
        }
        _ => (address, None),
    }
}

fn shared(store: &Store, instance: &str) -> Gap {
    let why = Why::Unusable {
        expected: "an instance of its own".into(),
        found: format!("{instance}, which fits another store as well"),
    };
    Gap::new("metrics", why).about(store.entity())
}

fn absent(store: &Store, instances: &BTreeSet<&str>) -> Gap {
    let mut found: Vec<&str> = instances.iter().copied().take(MOST_NAMED).collect();
    let more = instances.len().saturating_sub(found.len());
    let more = format!("{more} more");
    match instances.len() {
        0 => found.push("none at all"),
        count if count > MOST_NAMED => found.push(&more),
        _ => {}
    }
    let expected = store.status_address.as_deref().unwrap_or(&store.address);
    let why = Why::Unusable {
        expected: format!("an instance for {expected}").into(),
        found: found.join(", "),
    };
    Gap::new("metrics", why).about(store.entity())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(id: u64, address: &str, status: &str) -> Store {
        Store {
            status_address: (!status.is_empty()).then(|| status.to_owned()),
            ..Store::new(StoreId(id), address)
        }
    }

    /// Assigns, and shows each store's instance or the gap.
    fn shown(stores: &[Store], instances: &[&str], template: Option<&str>) -> Vec<String> {
        let template = template.map(|text| text.parse::<InstanceTemplate>().unwrap());
        let stores: Vec<&Store> = stores.iter().collect();
        let instances = instances.iter().copied().collect();
        assign(&stores, &instances, template.as_ref())
            .into_values()
            .map(|own| own.map_or_else(|gap| gap.to_string(), str::to_owned))
            .collect()
    }

    fn check(address: &str, status: &str, instances: &[&str], expected: &str) {
        let found = shown(&[store(1, address, status)], instances, None);
        assert_eq!(found, [expected], "{address} {status}");
    }

    #[test]
    fn every_deployment_names_its_instances_in_its_way() {
        // by the status address; never by the port that clients use
        let both = ["10.0.0.1:20160", "10.0.0.1:20180"];
        check("10.0.0.1:20160", "10.0.0.1:20180", &both, "10.0.0.1:20180");
        // a status server that listens everywhere
        check("10.0.0.1:20160", "0.0.0.0:20180", &both, "10.0.0.1:20180");
        check(
            "[fd::1]:20160",
            "[::]:20180",
            &["[fd::1]:20180"],
            "[fd::1]:20180",
        );
        // pods
        let pod = "basic-tikv-0.basic-tikv-peer.ns.svc:20160";
        let pods = ["basic-tikv-0", "basic-tikv-00", "basic-tikv-1"];
        check(pod, "0.0.0.0:20180", &pods, "basic-tikv-0");
        // the host alone, where it is the only one
        check(
            "10.0.0.1:20160",
            "10.0.0.1:20180",
            &["10.0.0.1", "10.0.0.11"],
            "10.0.0.1",
        );
        check("10.0.0.1:20160", "", &["10.0.0.1:29180"], "10.0.0.1:29180");
    }

    #[test]
    fn a_host_is_not_enough_where_a_port_or_another_store_says_otherwise() {
        let one = |found: &str| {
            format!(
                "metrics of store/1 not seen: expected an instance for 10.0.0.1:20180, found {found}"
            )
        };
        check(
            "10.0.0.1:20160",
            "10.0.0.1:20180",
            &["10.0.0.1:20181"],
            &one("10.0.0.1:20181"),
        );
        check("10.0.0.1:20160", "10.0.0.1:20180", &[], &one("none at all"));
        let many = [
            "10.0.0.10:1",
            "10.0.0.11:1",
            "10.0.0.12:1",
            "a",
            "b",
            "c",
            "d",
        ];
        check(
            "10.0.0.1:20160",
            "10.0.0.1:20180",
            &many,
            &one("10.0.0.10:1, 10.0.0.11:1, 10.0.0.12:1, a, b, 2 more"),
        );
        let two = [store(1, "h:20160", "h:20180"), store(2, "h:20161", "")];
        let found = shown(&two, &["h:20180"], None);
        assert_eq!(found[0], "h:20180");
        assert!(
            found[1].starts_with("metrics of store/2 not seen"),
            "{}",
            found[1]
        );
    }

    #[test]
    fn two_stores_never_share_an_instance() {
        let two = [
            store(1, "h:20160", "h:20180"),
            store(2, "h:20161", "h:20180"),
        ];
        for gap in shown(&two, &["h:20180"], None) {
            assert!(
                gap.ends_with("found h:20180, which fits another store as well"),
                "{gap}"
            );
        }
    }

    #[test]
    fn a_template_is_the_last_resort() {
        let stores = [
            store(1, "a.dc1:20160", "a.dc1:20180"),
            store(2, "b.dc1:20160", "b.dc1:20180"),
        ];
        let found = shown(
            &stores,
            &["a.dc1:20180", "b/20180/2"],
            Some("{pod}/{status_port}/{id}"),
        );
        assert_eq!(found, ["a.dc1:20180", "b/20180/2"]);
        for wrong in ["{host", "{x}:1", "fixed"] {
            assert!(wrong.parse::<InstanceTemplate>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn three_hundred_neighbours_are_each_matched_to_their_own() {
        let address = |n: usize| format!("10.0.{}.{}", n / 256, n % 256);
        let stores: Vec<Store> = (1..=300)
            .map(|n| {
                let host = address(n);
                store(n as u64, &format!("{host}:20160"), &format!("{host}:20180"))
            })
            .collect();
        let names: Vec<String> = (1..=300).map(|n| format!("{}:20180", address(n))).collect();
        let instances: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(shown(&stores, &instances, None), names);
    }

    #[test]
    fn tiflash_and_what_was_removed_are_left_out() {
        let mut tiflash = store(1, "a:3930", "a:20292");
        tiflash.labels.insert("engine".into(), "tiflash".into());
        let mut removed = store(2, "b:20160", "b:20180");
        removed.state = Some(StoreState::Tombstone);
        let left: Vec<_> = [tiflash, removed, store(3, "c:1", "c:2")]
            .iter()
            .filter(|store| is_measured(store))
            .map(|store| store.id.0)
            .collect();
        assert_eq!(left, [3]);
    }
}
