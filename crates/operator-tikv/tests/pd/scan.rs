//! Regions by key, by page and all of them, while they split and merge.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use operator_core::{Cursor, Fault, Flow, KeyRange, Listing, Region, RegionId, Regions, StoreId};
use operator_tikv::{PdClient, PdOptions, RegionTop};
use proptest::prelude::*;

use crate::support::regions::{Kept, Tree, Version, keeping, many};
use crate::support::{Reply, fake};

fn tree(regions: Vec<Kept>) -> Tree {
    Arc::new(Mutex::new(regions))
}

fn patient(endpoints: &str) -> PdClient {
    PdClient::with(endpoints, fake::patient()).unwrap()
}

async fn scanned(pd: &PdClient, from: Option<&Cursor>) -> Vec<Listing<Region>> {
    let mut pages = Vec::new();
    let mut keep = |page| {
        pages.push(page);
        ControlFlow::Continue(())
    };
    pd.scan(from, &mut keep).await.unwrap();
    pages
}

/// Panics unless every key is in one of these.
fn assert_covers_everything(regions: &[&Region]) {
    let mut reached: Option<Vec<u8>> = Some(Vec::new());
    for region in regions {
        let until = reached.expect("nothing follows the last region");
        assert!(
            region.range.start <= until,
            "nothing covers {} to {}",
            Cursor::new(until),
            region.range
        );
        let end = region.range.end.clone();
        reached = (!end.is_empty()).then(|| end.max(until));
    }
    assert_eq!(reached, None, "nothing covers the end");
}

#[tokio::test]
async fn a_key_finds_its_region_in_every_version_whatever_its_bytes() {
    for version in [Version::V7, Version::V8] {
        let server = keeping(tree(many(256)), version, |_, _| {}).await;
        let pd = patient(&server.url());
        for byte in 0..=255_u8 {
            let key = [byte, b'+', b' ', b'%', byte];
            let region = pd.holding(&key).await.unwrap();
            assert!(
                region.range.contains(&key),
                "{version:?} {byte} {}",
                region.range
            );
        }
        assert_eq!(pd.holding(b"").await.unwrap().id, RegionId(1));
    }
}

#[tokio::test]
async fn a_key_that_no_region_holds_is_not_found() {
    let tree = tree(vec![Kept::new(1, b"", b"b"), Kept::new(2, b"d", b"e")]);
    let server = keeping(tree, Version::V8, |_, _| {}).await;
    let pd = patient(&server.url());
    for key in [b"c", b"x"] {
        assert!(pd.holding(key).await.unwrap_err().is_not_found());
    }
    assert_eq!(pd.holding(b"d").await.unwrap().id, RegionId(2));
}

#[tokio::test]
async fn pages_follow_each_other_to_the_end() {
    for version in [Version::V7, Version::V8] {
        let server = keeping(tree(many(100)), version, |_, _| {}).await;
        let pd = patient(&server.url());
        let (mut from, mut ids) = (None, Vec::new());
        loop {
            let page = pd.page(from.as_ref(), 7).await.unwrap();
            ids.extend(page.items.iter().map(|region| region.id.0));
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        assert_eq!(ids, (1..=100).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_page_of_nothing_asks_for_nothing_and_goes_on_where_it_began() {
    let server = keeping(tree(many(3)), Version::V8, |_, _| {}).await;
    let page = patient(&server.url())
        .page(Some(&Cursor::new(*b"k")), 0)
        .await
        .unwrap();
    assert_eq!(page.next, Some(Cursor::new(*b"k")));
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_scan_visits_every_region_and_resumes_where_it_was_broken_off() {
    let server = keeping(tree(many(10_000)), Version::V8, |_, _| {}).await;
    let pd = patient(&server.url());
    let mut first = None;
    let mut once = |page: Listing<Region>| {
        first = Some(page);
        ControlFlow::Break(())
    };
    pd.scan(None, &mut once).await.unwrap();
    let first = first.unwrap();
    let rest = scanned(&pd, first.next.as_ref()).await;
    let pages = std::iter::once(&first).chain(&rest);
    let ids: Vec<_> = pages
        .clone()
        .flat_map(|page| &page.items)
        .map(|region| region.id.0)
        .collect();
    assert_eq!(ids, (1..=10_000).collect::<Vec<_>>());
    assert!(pages.clone().all(|page| page.gaps.is_empty()));
    let last = pages.last().unwrap();
    assert_eq!(last.next, None);
}

#[tokio::test]
async fn at_most_one_page_is_fetched_ahead() {
    let server = keeping(tree(many(30_000)), Version::V8, |_, _| {}).await;
    let pd = patient(&server.url());
    let mut scan = pd.scan_from(None);
    for asked in 2..=4 {
        scan.next().await.unwrap().unwrap();
        // However long the caller takes over it.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(server.count("/pd/api/v1/regions/key") <= asked);
    }
    drop(scan);
    pd.page(None, 1).await.unwrap();
}

#[tokio::test]
async fn a_dropped_call_for_the_next_page_loses_no_page() {
    let server = keeping(tree(many(10_000)), Version::V8, |_, _| {}).await;
    let pd = patient(&server.url());
    let mut scan = pd.scan_from(None);
    let mut regions = 0;
    for polls in 0.. {
        let outcome = {
            let mut next = std::pin::pin!(scan.next());
            let mut outcome = None;
            // Given up after one poll more each time, wherever it then is.
            for _ in 0..polls {
                let poll =
                    std::future::poll_fn(|cx| std::task::Poll::Ready(next.as_mut().poll(cx)));
                if let std::task::Poll::Ready(page) = poll.await {
                    outcome = Some(page);
                    break;
                }
                tokio::task::yield_now().await;
            }
            outcome
        };
        match outcome {
            None => {}
            Some(Ok(Some(page))) => regions += page.regions.items.len(),
            Some(Ok(None)) => break,
            Some(Err(error)) => panic!("{error:#}"),
        }
    }
    assert_eq!(regions, 10_000);
}

#[tokio::test]
async fn after_a_failure_a_scan_can_be_tried_again() {
    let failing = Arc::new(Mutex::new(true));
    let switch = failing.clone();
    let body = r#"{"count":1,"regions":[{"id":1,"start_key":"","end_key":""}]}"#;
    let server = fake::alone(move |_| match *switch.lock().unwrap() {
        true => Reply::text(503, "no leader"),
        false => Reply::json(body),
    })
    .await;
    let pd = patient(&server.url());
    let mut scan = pd.scan_from(None);
    scan.next().await.unwrap_err();
    *failing.lock().unwrap() = false;
    assert_eq!(
        scan.next().await.unwrap().map(|page| page.regions_so_far),
        Some(1)
    );
    assert_eq!(scan.next().await.unwrap(), None);
}

#[tokio::test]
async fn the_next_page_is_asked_for_before_this_one_is_given() {
    let server = keeping(tree(many(10_000)), Version::V8, |_, _| {}).await;
    let pd = patient(&server.url());
    let mut scan = pd.scan_from(None);
    scan.next().await.unwrap().unwrap();
    // The caller has the first page and has not come back; the server works on the second.
    let asked = async {
        while server.count("/pd/api/v1/regions/key") < 2 {
            tokio::task::yield_now().await;
        }
    };
    let asked = tokio::time::timeout(Duration::from_secs(60), asked).await;
    assert!(asked.is_ok(), "the second page was not asked for");
}

#[tokio::test]
async fn progress_is_told_with_each_page_and_sums_are_kept() {
    let mut regions = many(9000);
    regions[10].leader = None;
    regions[20].size_mib = 0;
    regions[30].size_mib = 1;
    regions[40].stores = vec![1, 4];
    regions[50].leader = Some(4);
    let server = keeping(tree(regions), Version::V8, |_, _| {}).await;
    let mut told = Vec::new();
    let tally = patient(&server.url())
        .tally(|tally| told.push(tally.regions))
        .await
        .unwrap();
    assert_eq!(told, [4096, 8192, 9000]);
    assert_eq!(
        (
            tally.regions,
            tally.leaderless,
            tally.unsized_regions,
            tally.empty
        ),
        (9000, 1, 1, 1)
    );
    assert_eq!(tally.size_bytes, (8998 * 96 + 1) << 20);
    assert_eq!(tally.keys, (8998 * 96 + 1) * 10_000);
    let store = |id| tally.stores[&StoreId(id)];
    assert_eq!(
        (store(1).leaders, store(4).leaders, store(5).leaders),
        (8998, 1, 0)
    );
    assert_eq!(
        (store(1).peers, store(4).peers, store(5).peers),
        (9000, 9000, 8999)
    );
    assert!(tally.holes.is_empty());
    assert_eq!((tally.seen_again, tally.unread), (0, 0));
}

#[tokio::test]
async fn a_hole_is_noticed_inside_a_page_between_pages_and_at_the_end() {
    let mut regions = many(9000);
    regions.pop();
    regions.remove(4096);
    regions.remove(100);
    let server = keeping(tree(regions), Version::V8, |_, _| {}).await;
    let pd = patient(&server.url());
    let tally = pd.tally(|_| {}).await.unwrap();
    let all = many(9000);
    let range = |n: usize| KeyRange {
        start: all[n].start.clone(),
        end: all[n].end.clone(),
    };
    assert_eq!(tally.holes, [range(100), range(4096), range(8999)]);
    assert_eq!((tally.regions, tally.unread), (8997, 0));
    let gaps: Vec<_> = scanned(&pd, None)
        .await
        .into_iter()
        .flat_map(|page| page.gaps.to_vec())
        .collect();
    assert_eq!(gaps.len(), 3);
    let expected = format!(
        "a region for {} not seen: the answer does not say",
        range(100)
    );
    assert_eq!(gaps[0].to_string(), expected);
}

#[tokio::test]
async fn a_merge_behind_the_page_end_comes_again_and_is_recognised() {
    let server = keeping(tree(many(9000)), Version::V8, |page, tree| {
        if page == 1 {
            // The last region of the first page takes in the first of the second.
            let gone = tree.remove(4096);
            tree[4095].end = gone.end;
        }
    })
    .await;
    let pd = patient(&server.url());
    let mut scan = pd.scan_from(None);
    let mut pages = Vec::new();
    while let Some(page) = scan.next().await.unwrap() {
        pages.push(page);
    }
    assert_eq!(pages[1].seen_again, [RegionId(4096)].into());
    let regions: Vec<_> = pages.iter().flat_map(|page| &page.regions.items).collect();
    assert_covers_everything(&regions);
    let total = pages
        .last()
        .map(|page| (page.pages_so_far, page.regions_so_far));
    assert_eq!(total, Some((3, 9000)));
}

#[tokio::test]
async fn a_region_that_moved_over_the_page_end_is_recognised_by_its_id() {
    let server = keeping(tree(many(9000)), Version::V8, |page, tree| {
        if page == 1 {
            // It merged with its neighbour and was split again, and keeps the right half.
            let end = tree[4096].end.clone();
            let cut = [tree[4096].start.clone(), vec![0]].concat();
            let mut left = Kept::new(77_777, &tree[4095].start.clone(), &cut);
            std::mem::swap(&mut tree[4095], &mut left);
            tree[4096] = Kept::new(left.id, &cut, &end);
        }
    })
    .await;
    let tally = patient(&server.url()).tally(|_| {}).await.unwrap();
    // The left half overlaps what was seen, the right half bears an id that was seen.
    assert_eq!((tally.regions, tally.seen_again), (8999, 2));
    assert!(tally.holes.is_empty());
}

#[tokio::test]
async fn a_page_that_does_not_advance_is_an_error_and_not_the_end() {
    let body = r#"{"count":1,"regions":[{"id":1,"start_key":"","end_key":"61"}]}"#;
    let server = fake::alone(move |_| Reply::json(body)).await;
    let error = patient(&server.url()).tally(|_| {}).await.unwrap_err();
    let expected =
        "cannot read a page of regions from PD: expected regions beyond 61, found an end at 61";
    assert_eq!(format!("{error:#}"), expected);
}

#[tokio::test]
async fn a_bad_region_at_the_end_of_a_page_does_not_end_the_scan() {
    let first = r#"{"count":1,"regions":[{"id":1,"start_key":"","end_key":"61"},{"id":"two","start_key":"61","end_key":"62"}]}"#;
    let second = r#"{"count":1,"regions":[{"id":3,"start_key":"62","end_key":""}]}"#;
    let server = fake::alone(move |request| match request.target.contains("key=&") {
        true => Reply::json(first),
        false => Reply::json(second),
    })
    .await;
    let tally = patient(&server.url()).tally(|_| {}).await.unwrap();
    assert_eq!((tally.regions, tally.unread, tally.holes.len()), (2, 1, 0));
    assert_eq!(server.count("/pd/api/v1/regions/key"), 2);
}

#[tokio::test]
async fn what_was_glimpsed_is_not_believed_where_reading_says_otherwise() {
    // A field of a later version that looks like an end key.
    let first = r#"{"count":1,"regions":[{"id":1,"start_key":"","end_key":"61","later":{"end_key":"7A"}}]}"#;
    let second = r#"{"count":1,"regions":[{"id":2,"start_key":"61","end_key":""}]}"#;
    let server = fake::alone(move |request| match request.target.contains("key=&") {
        true => Reply::json(first),
        false => Reply::json(second),
    })
    .await;
    let tally = patient(&server.url()).tally(|_| {}).await.unwrap();
    assert_eq!(
        (tally.regions, tally.holes.len(), tally.seen_again),
        (2, 0, 0)
    );
    let asked = server.asked();
    let read = |from: &str| asked.iter().any(|request| request.target.contains(from));
    assert!(read("key=a&"), "{asked:?}");
}

#[tokio::test]
async fn a_page_that_cannot_be_read_is_asked_of_another_member() {
    let good = keeping(tree(many(5000)), Version::V8, |_, _| {}).await;
    let bad = fake::alone(|_| Reply::json("<html>")).await;
    let pd = patient(&format!("{},{}", bad.url(), good.url()));
    assert_eq!(pd.tally(|_| {}).await.unwrap().regions, 5000);
    let error = patient(&bad.url()).tally(|_| {}).await.unwrap_err();
    assert!(
        format!("{error:#}").contains("expected an object with `regions`, found `<html>`"),
        "{error:#}"
    );
}

#[tokio::test]
async fn a_reset_in_mid_page_costs_no_region_where_another_member_answers() {
    let regions = tree(many(9000));
    let good = keeping(regions, Version::V8, |_, _| {}).await;
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 90000\r\n\r\n{\"count\":1,\"regions\":[{\"id\":1,\"start_key\":\"\",\"end_key\":\"61\"},";
    let bad = fake::alone(move |_| Reply::RawThenReset(half.into())).await;
    let pd = patient(&format!("{},{}", bad.url(), good.url()));
    let tally = pd.tally(|_| {}).await.unwrap();
    assert_eq!((tally.regions, tally.seen_again), (9000, 0));

    let alone = patient(&bad.url()).tally(|_| {}).await.unwrap_err();
    assert!(matches!(*alone.fault, Fault::Exhausted(_)), "{alone:#}");
}

#[tokio::test]
async fn the_most_of_something_is_asked_for_by_its_name_and_within_bounds() {
    let server = fake::alone(|_| Reply::json(r#"{"count":0,"regions":[]}"#)).await;
    let pd = patient(&server.url());
    assert!(pd.hottest(Flow::Write, 0).await.unwrap().is_whole());
    assert!(server.asked().is_empty(), "PD would take zero for no limit");
    pd.hottest(Flow::Write, 3).await.unwrap();
    pd.hottest(Flow::Read, 1_000_000).await.unwrap();
    pd.top_regions(RegionTop::ReadQuery, 5).await.unwrap();
    pd.top_regions(RegionTop::Size, 5).await.unwrap();
    let asked = server.asked();
    let targets: Vec<_> = asked
        .iter()
        .filter_map(|request| request.target.strip_prefix("/pd/api/v1/regions/"))
        .collect();
    assert_eq!(
        targets,
        [
            "writeflow?limit=3",
            "readflow?limit=10240",
            "readquery?limit=5",
            "size?limit=5"
        ]
    );
}

/// What happens to the regions between two pages.
#[derive(Debug, Clone)]
enum Change {
    Split(prop::sample::Index),
    Merge(prop::sample::Index),
}

fn apply(tree: &mut Vec<Kept>, change: &Change, id: u64) {
    match change {
        Change::Split(at) => {
            let at = at.index(tree.len());
            let Kept { start, end, .. } = tree[at].clone();
            let cut = [start.clone(), vec![128]].concat();
            if end.is_empty() || cut < end {
                tree[at].start = cut.clone();
                tree.insert(at, Kept::new(id, &start, &cut));
            }
        }
        Change::Merge(at) if tree.len() > 1 => {
            let at = at.index(tree.len() - 1);
            let gone = tree.remove(at + 1);
            tree[at].end = gone.end;
        }
        Change::Merge(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_range_is_lost_whatever_splits_and_merges_between_pages(
        count in 1_u32..300,
        changes in prop::collection::vec(
            prop_oneof![
                any::<prop::sample::Index>().prop_map(Change::Split),
                any::<prop::sample::Index>().prop_map(Change::Merge),
            ],
            0..40,
        ),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = keeping(tree(many(count)), Version::V8, move |page, tree| {
                if page > 0 {
                    for (number, change) in changes.iter().enumerate() {
                        apply(tree, change, 1_000_000 + (page * 100 + number) as u64);
                    }
                }
            })
            .await;
            let options = PdOptions { page_regions: 16, ..fake::patient() };
            let pd = PdClient::with(&server.url(), options).unwrap();
            let pages = scanned(&pd, None).await;
            let regions: Vec<_> = pages.iter().flat_map(|page| &page.items).collect();
            assert_covers_everything(&regions);
            assert!(pages.iter().all(|page| page.gaps.is_empty()));
        });
    }
}
