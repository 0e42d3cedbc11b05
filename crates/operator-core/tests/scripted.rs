//! What the reference implementation does, where it is more than a script: regions and an action.

use std::ops::ControlFlow;

use operator_core::{
    Action, Ailment, Cursor, DrainStore, Fault, Flow, KeyRange, Peer, PeerId, PeerRole, Region,
    RegionFlow, RegionId, Regions, ScriptedSubject, Standing, StoreId, Subject, TransferLeader,
};

fn peer(region: u64, store: u64) -> Peer {
    Peer {
        id: PeerId(region * 10 + store),
        store: StoreId(store),
        role: PeerRole::Voter,
        witness: false,
    }
}

/// Region `id` holds the keys that begin with the byte `id`; the first and the last are unbounded.
fn region(id: u64, of: u64) -> Region {
    let key = |id: u64| u8::try_from(id).into_iter().collect::<Vec<u8>>();
    Region {
        id: RegionId(id),
        range: KeyRange {
            start: if id == 1 { Vec::new() } else { key(id) },
            end: if id == of { Vec::new() } else { key(id + 1) },
        },
        epoch: None,
        peers: vec![peer(id, 1), peer(id, 2)],
        leader: Some(peer(id, 1)),
        down_peers: Vec::new(),
        pending_peers: if id == 3 {
            vec![peer(id, 2)]
        } else {
            Vec::new()
        },
        size_bytes: None,
        keys: None,
        flow: RegionFlow {
            written_bytes: Some(id * 100),
            ..RegionFlow::default()
        },
    }
}

fn subject() -> ScriptedSubject {
    ScriptedSubject::new("scripted").with_regions((1..=40).map(|id| region(id, 40)).collect())
}

fn ids(regions: &[Region]) -> Vec<u64> {
    regions.iter().map(|region| region.id.0).collect()
}

#[tokio::test]
async fn a_leader_is_transferred_to_a_store_that_has_a_peer() {
    let subject = subject();
    let action: Action = "transfer-leader region=12 to=2".parse().unwrap();
    let receipt = subject
        .actions()
        .act(subject.name(), &action)
        .await
        .unwrap();
    assert_eq!((receipt.action, receipt.standing), (action, Standing::Done));
    let region = subject.regions().unwrap().one(RegionId(12)).await.unwrap();
    assert_eq!(region.leader, Some(peer(12, 2)));
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_and_changes_nothing() {
    let subject = subject();
    for (action, expected) in [
        (
            TransferLeader {
                region: RegionId(12),
                to: StoreId(9),
            }
            .into(),
            "cannot transfer-leader region=12 to=9 from scripted: refused: store 9 has no peer of it",
        ),
        (
            TransferLeader {
                region: RegionId(99),
                to: StoreId(1),
            }
            .into(),
            "cannot transfer-leader region=99 to=1 from scripted: region/99 not found",
        ),
        (
            Action::from(DrainStore { store: StoreId(1) }),
            "cannot drain-store store=1: scripted does not support it",
        ),
    ] {
        let error = subject
            .actions()
            .act(subject.name(), &action)
            .await
            .unwrap_err();
        assert_eq!(format!("{error:#}"), expected);
    }
    let region = subject.regions().unwrap().one(RegionId(12)).await.unwrap();
    assert_eq!(region.leader, Some(peer(12, 1)));
}

#[tokio::test]
async fn regions_are_found_by_id_by_key_by_flow_and_by_ailment() {
    let subject = subject();
    let regions = subject.regions().unwrap();
    assert_eq!(regions.holding(&[7, 7]).await.unwrap().id, RegionId(7));
    let hottest = regions.hottest(Flow::Write, 2).await.unwrap();
    assert_eq!(ids(&hottest.items), [40, 39]);
    let pending = regions.ailing(Ailment::PendingPeer, 5).await.unwrap();
    assert_eq!((ids(&pending.items), pending.next), (vec![3], None));
    let error = regions.ailing(Ailment::Oversized, 5).await.unwrap_err();
    assert!(matches!(*error.fault, Fault::Unsupported { .. }));
}

/// Every region once and in order; broken off anywhere, a scan goes on where it was.
#[tokio::test]
async fn a_scan_that_is_broken_off_goes_on_where_it_was() {
    async fn scan(
        regions: &dyn Regions,
        from: Option<&Cursor>,
        pages: usize,
    ) -> (Vec<u64>, Option<Cursor>) {
        let (mut seen, mut next, mut left) = (Vec::new(), None, pages);
        regions
            .scan(from, &mut |page| {
                seen.extend(ids(&page.items));
                next = page.next;
                left -= 1;
                if left == 0 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
            .await
            .unwrap();
        (seen, next)
    }
    let subject = subject();
    let regions = subject.regions().unwrap();
    let whole: Vec<u64> = (1..=40).collect();
    assert_eq!(scan(regions, None, 99).await, (whole.clone(), None));
    let (mut seen, next) = scan(regions, None, 1).await;
    assert!(seen.len() < whole.len() && next.is_some());
    let (rest, end) = scan(regions, next.as_ref(), 99).await;
    seen.extend(rest);
    assert_eq!((seen, end), (whole, None));
}
