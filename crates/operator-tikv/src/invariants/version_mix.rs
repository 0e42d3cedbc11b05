//! `version_mix`: stores run different versions.

use std::collections::BTreeMap;
use std::time::Duration;

use operator_core::{
    Broken, Entity, Evidence, Gap, Invariant, Kind, Listing, Quantity, Rule, Severity, Snapshot,
    Store, StoreId, StoreState, Verdicts, Why,
};

use super::Settings;
use super::page::Page;
use super::registry::Documented;
use crate::facts::is_tiflash;

/// More than one version among TiKV's stores, for longer than an upgrade should take.
#[derive(Debug)]
pub(super) struct VersionMix {
    rule: Rule,
}

/// So many versions, and so many stores of each, are named.
const MOST_VERSIONS: usize = 5;
const MOST_STORES: usize = 10;

impl Documented for VersionMix {
    const PAGE: &'static Page = &Page {
        code: "version_mix",
        kind: Kind::Cluster,
        summary: "TiKV's stores run different versions",
        broken_when: "warning: more than one version among TiKV's stores, for an hour",
        entity: "the cluster",
        input: "PD /stores: the version that each store registered with",
        meaning: "During an upgrade this is as it should be. Left so, the cluster keeps to what its oldest store \
                  can do, and behaves in ways that nobody tests for; what was measured of one store does not \
                  hold for the next",
        evidence: "how many versions; which stores run which",
        origin: "TiDB's inspection rule on versions. An hour lets a rolling upgrade of some dozen stores pass",
        false_alarms: "The upgrade of a large cluster takes longer than an hour: set the grace, or declare \
                       maintenance. A build of one's own differs by its suffix. A dead store keeps the version \
                       it last ran. TiFlash has versions of its own and is not looked at",
        what_to_do: &[
            "Is an upgrade under way, or did one stop half way? The stores with the older version are what is left.",
            "Was a store added from another image or package? Bring it to the version of the others.",
            "A dead store that will not come back: remove it.",
        ],
        grace: Duration::from_secs(3600),
        settle: Rule::ONE_TICK,
        knobs: &[],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        let rule = Self::PAGE.rule(settings);
        Self { rule }
    }
}

impl Invariant for VersionMix {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        let stores = snapshot.stores()?;
        verdicts.judge(Entity::Cluster, || judged(stores, snapshot));
        Ok(())
    }
}

fn judged(stores: &Listing<Store>, snapshot: &Snapshot) -> Result<Option<Broken>, Gap> {
    let mut running: BTreeMap<&str, Vec<StoreId>> = BTreeMap::new();
    // A gap about a store that is on the list is about something else than its version.
    let listed = |gap: &Gap| {
        stores
            .items
            .iter()
            .any(|s| gap.entity() == Some(&s.entity()))
    };
    let mut unknown = stores.gaps.iter().find(|gap| !listed(gap)).cloned();
    for store in stores.items.iter().filter(|store| counts(store)) {
        match stores.known(&store.entity(), "version", store.version.as_deref()) {
            Ok(version) => running.entry(version).or_default().push(store.id),
            Err(gap) => unknown = Some(gap),
        }
    }
    if running.len() > 1 {
        return Ok(Some(mixed(&running, snapshot)));
    }
    // One of those that are not known could run another one.
    let partial = stores.items.is_empty() || stores.next.is_some();
    match unknown.or(partial.then(|| Gap::new("stores", Why::Unsaid))) {
        Some(gap) => Err(gap),
        None => Ok(None),
    }
}

fn counts(store: &Store) -> bool {
    !is_tiflash(store) && store.state != Some(StoreState::Tombstone)
}

fn mixed(running: &BTreeMap<&str, Vec<StoreId>>, snapshot: &Snapshot) -> Broken {
    let source = "PD /stores";
    let versions = Quantity::new("versions", running.len() as u64, "", source, snapshot.at());
    let each = running.iter().take(MOST_VERSIONS).map(|(version, stores)| {
        let named = stores.iter().take(MOST_STORES).map(ToString::to_string);
        let mut named: Vec<String> = named.collect();
        if let Some(more) = stores.len().checked_sub(MOST_STORES).filter(|n| *n > 0) {
            named.push(format!("{more} more"));
        }
        let name = format!("stores of {version}");
        Quantity::new(name, named.join(", "), "", source, snapshot.at())
    });
    let evidence = Evidence::of([versions.against(1u64)].into_iter().chain(each));
    Broken::new(Severity::Warning, evidence)
}

#[cfg(test)]
mod tests {
    use super::super::scene::{of_stores, tiflash, up};
    use super::super::told::told;
    use super::*;

    fn running(id: u64, version: &str) -> Store {
        Store {
            version: (!version.is_empty()).then(|| version.to_owned()),
            ..up(id)
        }
    }

    fn check(stores: Vec<Store>, expected: &str) {
        assert_eq!(told::<VersionMix>(&of_stores(stores), "cluster"), expected);
    }

    #[test]
    fn stores_of_two_versions_are_named() {
        let old = || running(1, "8.1.2");
        check(vec![old(), running(2, "8.1.2")], "holds");
        check(
            vec![old(), running(2, "8.5.1"), running(3, "8.1.2")],
            "warning: versions 2 (threshold 1), stores of 8.1.2 1, 3, stores of 8.5.1 2",
        );
        let many = (2..=15).map(|id| running(id, "8.5.1"));
        let listed = "2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 4 more";
        check(
            many.chain([old()]).collect(),
            &format!(
                "warning: versions 2 (threshold 1), stores of 8.1.2 1, stores of 8.5.1 {listed}"
            ),
        );
    }

    #[test]
    fn tiflash_and_what_was_removed_run_what_they_like() {
        let flash = Store {
            version: Some("7.5.0".into()),
            ..tiflash(2)
        };
        let removed = Store {
            state: Some(StoreState::Tombstone),
            ..running(3, "6.5.0")
        };
        check(vec![up(1), flash, removed], "holds");
    }

    #[test]
    fn a_store_that_does_not_say_could_run_another() {
        check(
            vec![running(1, "8.1.2"), running(2, "")],
            "unseen: version of store/2 not seen: the answer does not say",
        );
        check(
            vec![running(1, "8.1.2"), running(2, ""), running(3, "8.5.1")],
            "warning: versions 2 (threshold 1), stores of 8.1.2 1, stores of 8.5.1 3",
        );
        check(
            Vec::new(),
            "unseen: stores not seen: the answer does not say",
        );
        let gap = Gap::new("store", Why::Unsaid).about(Entity::Store(StoreId(2)));
        let partial = Listing {
            gaps: vec![gap].into(),
            ..Listing::whole(vec![up(1)])
        };
        let snapshot = of_stores([]).with_stores(Ok(partial));
        assert_eq!(
            told::<VersionMix>(&snapshot, "cluster"),
            "unseen: store of store/2 not seen: the answer does not say"
        );
    }
}
