//! `regions_without_quorum`: regions have lost the majority of their replicas.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use operator_core::{
    Broken, Entity, Evidence, Gap, Invariant, KeyRange, Kind, Measured, PeerRole, Quantity, Region,
    Rule, Scope, Severity, Snapshot, StoreId, StoreState, Timestamp, Verdicts, Why,
};

use super::Settings;
use super::common::settled;
use super::death::{Death, never_reported};
use super::page::Page;
use super::registry::Documented;
use crate::facts::SilentRegions;

/// Regions have no majority of living voters. They stand still, and PD's counts show nothing of it.
#[derive(Debug)]
pub(super) struct RegionsWithoutQuorum {
    rule: Rule,
    death: Death,
}

/// So many regions are named in the evidence.
const NAMED: usize = 20;
/// So many bytes of a key are shown.
const SHOWN: usize = 48;

impl Documented for RegionsWithoutQuorum {
    const PAGE: &'static Page = &Page {
        code: "regions_without_quorum",
        kind: Kind::Cluster,
        summary: "regions have lost the majority of their replicas",
        broken_when: "critical: two or more stores are dead (as store_down has it, without its grace), and there are \
                      regions of which so many voters are on those that the others cannot elect a leader; during a change of membership, of the old \
                      or of the new voters",
        entity: "the cluster",
        input: "PD /stores and `up` as store_down; PD /regions/store of up to 6 dead stores, up to 2000 regions each",
        meaning: "Nothing can be read from or written to those ranges until enough of the dead stores are back. No \
                  election and no PD can help: the data of what was written last may be on the dead stores alone",
        evidence: "how many regions, or at least how many; which stores are dead; the ranges of up to 20 regions",
        origin: "the rule of Raft. PD counts such regions as healthy, as their leaders can no longer tell it anything",
        false_alarms: "It goes by what PD was last told of a region's replicas. A store that is cut off from PD and from \
                       Prometheus, but not from the other stores, is taken for dead",
        what_to_do: &[
            "Bring back any of the dead stores, whichever is quickest: one store back may be all it takes.",
            "Do not wipe or replace a dead store's disk while this is open.",
            "Do not restart the stores that live.",
            "Only if the stores are lost for good: PD's online unsafe recovery. It loses data; decide with those who own it.",
        ],
        grace: Duration::ZERO,
        settle: Rule::ONE_TICK,
        knobs: &[],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        let rule = Self::PAGE.rule(settings);
        Self {
            rule: rule.symptom_of("store_down", Scope::Any),
            death: Death::by(settings),
        }
    }
}

impl Invariant for RegionsWithoutQuorum {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        let toll = self.toll(snapshot)?;
        verdicts.judge(Entity::Cluster, || judge(&toll, snapshot));
        Ok(())
    }
}

/// Which stores are dead, and which may be.
#[derive(Debug, Default)]
struct Toll {
    dead: BTreeSet<StoreId>,
    /// Since when all of them are.
    since: Option<Timestamp>,
    unknown: BTreeSet<StoreId>,
    /// Why it is not known of the latter.
    gap: Option<Gap>,
    /// Why there may be more stores than are known.
    partial: Option<Gap>,
}

impl RegionsWithoutQuorum {
    fn toll(&self, snapshot: &Snapshot) -> Result<Toll, Gap> {
        let stores = snapshot.stores()?;
        let mut toll = Toll::default();
        for store in &stores.items {
            if store.state == Some(StoreState::Tombstone) || never_reported(store, stores) {
                continue;
            }
            match self.death.of(store, stores, snapshot) {
                Ok(None) => {}
                Ok(Some(dead)) => {
                    toll.dead.insert(store.id);
                    toll.since = toll.since.max(Some(dead.since));
                }
                Err(gap) => {
                    toll.unknown.insert(store.id);
                    toll.gap = toll.gap.or(Some(gap));
                }
            }
        }
        // Whom the list left out may be dead too, and of a list that is not whole nobody knows how many.
        let nameless = stores.gaps.iter().find(|gap| gap.entity().is_none());
        if let Some(gap) = nameless {
            toll.partial = Some(gap.clone());
        } else if stores.items.is_empty() || stores.next.is_some() {
            toll.partial = Some(Gap::new("stores", Why::Unsaid));
        }
        for gap in stores.gaps.iter() {
            if let Some(Entity::Store(id)) = gap.entity()
                && !stores.items.iter().any(|store| store.id == *id)
            {
                toll.unknown.insert(*id);
                toll.gap = toll.gap.or_else(|| Some(gap.clone()));
            }
        }
        Ok(toll)
    }
}

fn judge(toll: &Toll, snapshot: &Snapshot) -> Result<Option<Broken>, Gap> {
    let unknown = || {
        let unknown = || Gap::new("which stores are dead", Why::Unsaid);
        toll.gap.clone().unwrap_or_else(unknown)
    };
    if toll.dead.len() < 2 {
        return match (&toll.partial, toll.dead.len() + toll.unknown.len() < 2) {
            (Some(gap), _) => Err(gap.clone()),
            (None, true) => Ok(None),
            (None, false) => Err(unknown()),
        };
    }
    let part = snapshot.part::<SilentRegions>()?;
    let regions = &part.value.regions;
    let is_lost = |region: &&Region| lost(region, |store| toll.dead.contains(&store));
    let of_the_lost: Vec<&Region> = regions.items.iter().filter(is_lost).collect();
    let read_all = toll
        .dead
        .iter()
        .all(|dead| part.value.silent.contains(dead));
    let whole = regions.is_whole() && read_all;
    if !of_the_lost.is_empty() {
        let broken = Broken::new(
            Severity::Critical,
            evidence(&of_the_lost, whole, toll, part),
        );
        return Ok(Some(match toll.since {
            Some(since) => broken.since(since),
            None => broken,
        }));
    }
    if let Some(gap) = regions.gaps.first() {
        return Err(gap.clone());
    }
    if !whole {
        let because = "not all regions of the dead stores were read".into();
        return Err(Gap::new(
            "regions of dead stores",
            Why::Distrusted { because },
        ));
    }
    let may_be_dead = |store| toll.dead.contains(&store) || toll.unknown.contains(&store);
    if regions.items.iter().any(|region| lost(region, may_be_dead)) {
        return Err(unknown());
    }
    if let Some(region) = regions.items.iter().find(|region| has_unknown_role(region)) {
        return Err(Gap::new("who votes", Why::Unsaid).about(region.entity()));
    }
    if let Some(gap) = &toll.partial {
        return Err(gap.clone());
    }
    settled(snapshot)?;
    Ok(None)
}

/// Whether the voters that live are no majority. While voters change, both the old and the new must agree.
fn lost(region: &Region, is_dead: impl Fn(StoreId) -> bool) -> bool {
    let no_majority_of = |half: PeerRole| {
        let votes = |role: &PeerRole| *role == PeerRole::Voter || *role == half;
        let voters = region.peers.iter().filter(|peer| votes(&peer.role));
        let (mut all, mut living) = (0_usize, 0_usize);
        for voter in voters {
            all += 1;
            living += usize::from(!is_dead(voter.store));
        }
        all > 0 && living * 2 <= all
    };
    // An unknown role may vote or not: nothing is said of such a region.
    !has_unknown_role(region)
        && (no_majority_of(PeerRole::DemotingVoter) || no_majority_of(PeerRole::IncomingVoter))
}

fn has_unknown_role(region: &Region) -> bool {
    region.peers.iter().any(|peer| peer.role.votes().is_none())
}

fn evidence(
    lost: &[&Region],
    whole: bool,
    toll: &Toll,
    part: &Measured<SilentRegions>,
) -> Evidence {
    let name = match whole {
        true => "regions without a quorum",
        false => "at least, regions without a quorum",
    };
    let dead: Vec<String> = toll.dead.iter().map(ToString::to_string).collect();
    let counted = [
        Quantity::measured(name, &part.map(|_| lost.len() as u64), "").against(0_u64),
        Quantity::measured("dead stores", &part.map(|_| dead.join(", ")), ""),
    ];
    let ranges = lost.iter().take(NAMED).map(|region| {
        let range = part.map(|_| shown(&region.range));
        Quantity::measured(region.entity().to_string(), &range, "")
    });
    Evidence::of(counted.into_iter().chain(ranges))
}

/// A range as it prints, its keys cut short.
fn shown(range: &KeyRange) -> String {
    let mut text = String::from("[");
    for (key, end) in [(&range.start, ", "), (&range.end, ")")] {
        for byte in key.iter().take(SHOWN) {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02X}");
        }
        if key.len() > SHOWN {
            text.push_str("..");
        }
        text.push_str(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::super::told::{self, CRITICAL, Told};
    use super::*;
    use operator_core::{Cursor, Listing, Peer, PeerId, RegionFlow, RegionId, Store};

    fn rule() -> RegionsWithoutQuorum {
        RegionsWithoutQuorum::new(&Settings::default())
    }

    fn region(id: u64, peers: &[(u64, PeerRole)]) -> Region {
        let peer = |(store, role): &(u64, PeerRole)| Peer {
            id: PeerId(id * 100 + store),
            store: StoreId(*store),
            role: role.clone(),
            witness: false,
        };
        Region {
            id: RegionId(id),
            range: KeyRange {
                start: vec![0x61],
                end: vec![0x62],
            },
            epoch: None,
            peers: peers.iter().map(peer).collect(),
            leader: None,
            down_peers: Vec::new(),
            pending_peers: Vec::new(),
            size_bytes: None,
            keys: None,
            flow: RegionFlow::default(),
        }
    }

    fn voters(id: u64, stores: &[u64]) -> Region {
        let peers: Vec<_> = stores.iter().map(|id| (*id, PeerRole::Voter)).collect();
        region(id, &peers)
    }

    /// Five stores, of which some are dead, and the regions that were read of those.
    fn with(dead: &[u64], regions: Listing<Region>) -> Snapshot {
        let of = |id| match dead.contains(&id) {
            true => scene::dead(id),
            false => scene::up(id),
        };
        let silent = SilentRegions {
            read_at: Timestamp::EPOCH,
            silent: dead.iter().copied().map(StoreId).collect(),
            regions,
        };
        scene::of_stores((1..=5).map(of)).with_part("regions", Ok(silent))
    }

    #[track_caller]
    fn check(snapshot: &Snapshot, expected: Told) {
        told::check_cluster(&rule(), snapshot, expected);
    }

    #[test]
    fn a_majority_must_live() {
        for (dead, stores, expected) in [
            (&[1, 2][..], &[1, 2, 3][..], CRITICAL),
            (&[1, 2], &[1, 3, 4], Told::Holds),
            (&[1, 2], &[1, 2, 3, 4], CRITICAL),
            (&[1, 2], &[1, 2, 3, 4, 5], Told::Holds),
            (&[1, 2, 3], &[1, 2, 3, 4, 5], CRITICAL),
            (&[1], &[1, 2, 3], Told::Holds),
            (&[], &[1, 2, 3], Told::Holds),
        ] {
            check(
                &with(dead, Listing::whole(vec![voters(7, stores)])),
                expected,
            );
        }
    }

    #[test]
    fn learners_have_no_vote_and_both_halves_of_a_change_must_agree() {
        use PeerRole::{DemotingVoter, IncomingVoter, Learner, Voter};
        for (peers, expected) in [
            (
                vec![(1, Learner), (2, Voter), (3, Voter), (4, Voter)],
                Told::Holds,
            ),
            (
                vec![
                    (1, Voter),
                    (3, Voter),
                    (2, DemotingVoter),
                    (4, IncomingVoter),
                ],
                CRITICAL,
            ),
            (
                vec![
                    (3, Voter),
                    (4, Voter),
                    (2, DemotingVoter),
                    (1, IncomingVoter),
                ],
                Told::Holds,
            ),
            (
                vec![(3, Voter), (1, IncomingVoter), (2, IncomingVoter)],
                CRITICAL,
            ),
            (
                vec![
                    (1, Voter),
                    (2, Voter),
                    (3, PeerRole::Unknown("Judge".into())),
                ],
                Told::Unseen,
            ),
        ] {
            let regions = Listing::whole(vec![region(7, &peers)]);
            check(&with(&[1, 2], regions), expected);
        }
    }

    #[test]
    fn the_evidence_names_regions_and_says_at_least() {
        let lost: Vec<Region> = (1..=25).map(|id| voters(id, &[1, 2, 3])).collect();
        let mut list = Listing::whole(lost);
        let evidence = |list| {
            let snapshot = with(&[1, 2], list);
            told::evidence(&rule(), &snapshot, &Entity::Cluster)
        };
        let whole = evidence(list.clone());
        let begins =
            "regions without a quorum 25 (threshold 0), dead stores 1, 2, region/1 [61, 62), ";
        assert!(whole.starts_with(begins), "{whole}");
        assert_eq!(whole.matches("region/").count(), NAMED);
        list.next = Some(Cursor::new([]));
        let capped = evidence(list);
        assert!(capped.starts_with("at least, regions without a quorum 25"));
    }

    #[test]
    fn long_keys_are_cut() {
        let range = KeyRange {
            start: vec![0xAB; 2000],
            end: Vec::new(),
        };
        let shown = shown(&range);
        assert!(shown.len() < 110 && shown.ends_with("AB.., )"), "{shown}");
    }

    #[test]
    fn what_was_not_read_is_not_well() {
        let fine = || Listing::whole(vec![voters(7, &[1, 3, 4])]);
        let mut capped = fine();
        capped.next = Some(Cursor::new([]));
        check(&with(&[1, 2], capped), Told::Unseen);
        let mut torn = fine();
        torn.gaps.push(scene::unsaid());
        check(&with(&[1, 2], torn), Told::Unseen);
        check(&scene::unsettled(with(&[1, 2], fine())), Told::Unseen);
        check(
            &scene::of_stores([scene::dead(1), scene::dead(2)]),
            Told::Unseen,
        );
        check(&Snapshot::unseen(scene::now()), Told::Unseen);
        // One was read, and two are dead.
        let silent = SilentRegions {
            read_at: Timestamp::EPOCH,
            silent: vec![StoreId(1)],
            regions: fine(),
        };
        let snapshot = with(&[1, 2], fine()).with_part("regions", Ok(silent));
        check(&snapshot, Told::Unseen);
    }

    #[test]
    fn a_store_that_may_be_dead_keeps_it_from_being_well() {
        let stateless = |id| Store {
            state: None,
            ..scene::up(id)
        };
        let regions = || Listing::whole(vec![voters(7, &[1, 3, 4])]);
        let silent = |regions| SilentRegions {
            read_at: Timestamp::EPOCH,
            silent: vec![StoreId(1), StoreId(2)],
            regions,
        };
        let of = |third: Store| {
            scene::of_stores([scene::dead(1), scene::dead(2), third, scene::up(4)])
                .with_part("regions", Ok(silent(regions())))
        };
        check(&of(stateless(3)), Told::Unseen);
        check(&of(scene::up(3)), Told::Holds);
        let two = scene::of_stores([scene::dead(1), stateless(2), scene::up(3)]);
        check(&two, Told::Unseen);
        let one = scene::of_stores([stateless(1), scene::up(2), scene::up(3)]);
        check(&one, Told::Holds);
    }
}
