//! Checks of what a subject's reads return, and of how they fail.

use std::collections::BTreeSet;
use std::future::Future;
use std::ops::ControlFlow;

use futures_util::FutureExt;
use tokio::time::timeout;

use super::{Check, Outcome, Probe, repeated};
use crate::{
    Ailment, Clock, Entity, Error, Fault, Flow, Listing, Result, Store, StoreId, StoreMetrics,
    Subject, Timestamp,
};

/// Reads tell of the same things: each store once, metrics of every store that was asked for and of no
/// other, regions that are found by the id and the key they are listed with.
///
/// # Errors
/// Where they do not.
pub async fn reads_agree(subject: &dyn Subject, probe: &Probe<'_>) -> Outcome {
    let mut check = Check::new("reads_agree");
    if let Some(stores) = read(&mut check, "stores", probe, subject.stores()).await {
        let ids = || stores.items.iter().map(|store| store.id);
        for id in repeated(ids()) {
            check.expect(false, || format!("store {id} is listed more than once"));
        }
        metrics_agree(&mut check, subject, probe, &stores).await;
        cluster_agrees(&mut check, subject, probe, &stores).await;
    }
    regions_agree(&mut check, subject, probe).await;
    check.end()
}

async fn metrics_agree(
    check: &mut Check,
    subject: &dyn Subject,
    probe: &Probe<'_>,
    stores: &Listing<Store>,
) {
    let asked = &stores.items[..stores.items.len().min(2)];
    let Some(metrics) = read(check, "store metrics", probe, subject.store_metrics(asked)).await
    else {
        return;
    };
    for id in repeated(metrics.items.iter().map(|metrics| metrics.store)) {
        check.expect(false, || {
            format!("metrics of store {id} are given more than once")
        });
    }
    for store in asked {
        let told = metrics
            .items
            .iter()
            .any(|metrics| metrics.store == store.id)
            || metrics.gap_about(&store.entity()).is_some();
        check.expect(told, || {
            format!(
                "metrics of store {} were asked for, and neither they nor a gap came",
                store.id
            )
        });
    }
    for metrics in &metrics.items {
        let was_asked = asked.iter().any(|store| store.id == metrics.store);
        check.expect(was_asked, || {
            format!(
                "metrics of store {} came, and were not asked for",
                metrics.store
            )
        });
    }
}

async fn cluster_agrees(
    check: &mut Check,
    subject: &dyn Subject,
    probe: &Probe<'_>,
    stores: &Listing<Store>,
) {
    let Some(cluster) = read(check, "cluster metrics", probe, subject.cluster_metrics()).await
    else {
        return;
    };
    let known: BTreeSet<StoreId> = stores.items.iter().map(|store| store.id).collect();
    for id in cluster
        .leaders_per_store
        .value()
        .iter()
        .flat_map(|leaders| leaders.keys())
    {
        let named = known.contains(id) || stores.gap_about(&Entity::Store(*id)).is_some();
        check.expect(named, || {
            format!("store {id} has leaders, and is not listed")
        });
    }
}

async fn regions_agree(check: &mut Check, subject: &dyn Subject, probe: &Probe<'_>) {
    let Some(regions) = subject.regions() else {
        return;
    };
    let Some(page) = read(check, "a page of regions", probe, regions.page(None, 2)).await else {
        return;
    };
    check.expect(page.items.len() <= 2, || {
        format!("a page of 2 regions holds {}", page.items.len())
    });
    for listed in &page.items {
        let by_id = read(check, "a region by its id", probe, regions.one(listed.id)).await;
        check.expect(by_id.is_none_or(|found| found.id == listed.id), || {
            format!("another region than {} is found by its id", listed.id)
        });
        let key = &listed.range.start;
        let by_key = read(check, "a region by its key", probe, regions.holding(key)).await;
        check.expect(by_key.is_none_or(|found| found.range.contains(key)), || {
            format!(
                "the region found by the first key of region {} does not hold it",
                listed.id
            )
        });
    }
    for (what, list) in [
        ("the hottest regions", regions.hottest(Flow::Write, 2)),
        ("ailing regions", regions.ailing(Ailment::DownPeer, 2)),
    ] {
        let list = read(check, what, probe, list).await;
        let many = list.map_or(0, |list| list.items.len());
        check.expect(many <= 2, || {
            format!("2 of {what} were asked for, and {many} came")
        });
    }
    let mut pages = 0;
    let mut first_page = |_| {
        pages += 1;
        ControlFlow::Break(())
    };
    read(check, "a scan", probe, regions.scan(None, &mut first_page)).await;
    check.expect(pages == 1, || {
        format!("a scan that was told to end went on for {pages} pages")
    });
    let Some(next) = &page.next else { return };
    if let Some(rest) = read(check, "the next page", probe, regions.page(Some(next), 2)).await {
        let again = rest
            .items
            .iter()
            .find(|region| page.items.iter().any(|one| one.id == region.id));
        check.expect(again.is_none(), || {
            "the next page begins within the one before it".to_owned()
        });
    }
}

/// A read that is dropped half-way leaves the subject able to answer as before.
///
/// # Errors
/// When a read that answered before does not answer after.
pub async fn cancelled_reads_leave_it_usable(subject: &dyn Subject, probe: &Probe<'_>) -> Outcome {
    let mut check = Check::new("cancelled_reads_leave_it_usable");
    let before = answers(subject, probe).await;
    for _ in 0..3 {
        // Polled once and dropped: where it first waits, it is given up.
        let _ = subject.stores().now_or_never();
        let _ = subject.store_metrics(&[]).now_or_never();
        let _ = subject.cluster_metrics().now_or_never();
        for part in subject.parts() {
            let _ = part.read(Timestamp::EPOCH, None).now_or_never();
        }
    }
    let after = answers(subject, probe).await;
    for ((what, before), (_, after)) in before.iter().zip(&after) {
        check.expect(!before || *after, || {
            format!("{what} could be read, and no longer after reads were dropped")
        });
    }
    check.end()
}

async fn answers(subject: &dyn Subject, probe: &Probe<'_>) -> Vec<(&'static str, bool)> {
    let deadline = probe.deadline;
    let mut answers = vec![
        (
            "stores",
            is_answer(&timeout(deadline, subject.stores()).await),
        ),
        (
            "store metrics",
            is_answer(&timeout(deadline, subject.store_metrics(&[])).await),
        ),
        (
            "cluster metrics",
            is_answer(&timeout(deadline, subject.cluster_metrics()).await),
        ),
    ];
    for part in subject.parts() {
        answers.push((
            part.name(),
            is_answer(&timeout(deadline, part.read(Timestamp::EPOCH, None)).await),
        ));
    }
    answers
}

fn is_answer<T, E>(outcome: &Result<Result<T>, E>) -> bool {
    matches!(outcome, Ok(Ok(_)))
}

/// Errors say doing what and where, each in the form that sentences are made of. Put to the
/// [unreachable](Probe::unreachable) twin of a subject, whose every read has to fail.
///
/// # Errors
/// Where one does not, or where the twin answers all the same.
pub async fn errors_say_where(subject: &dyn Subject, probe: &Probe<'_>) -> Outcome {
    let mut check = Check::new("errors_say_where");
    if let Some(regions) = subject.regions() {
        let absent = timeout(probe.deadline, regions.one(probe.absent_region)).await;
        if let Ok(Err(error)) = absent {
            says_where(&mut check, &error);
        }
    }
    let Some(twin) = probe.unreachable else {
        return check.end();
    };
    let some_store = [Store::new(StoreId(1), "unreachable:1")];
    let deadline = probe.deadline;
    let stores = timeout(deadline, twin.stores()).await;
    fails(&mut check, "stores", stores, |_| false);
    let metrics = timeout(deadline, twin.store_metrics(&some_store)).await;
    // Where nobody is asked, nobody fails: then nothing must have been seen.
    fails(&mut check, "store metrics", metrics, |metrics| {
        metrics.items.iter().all(StoreMetrics::is_blind)
    });
    let cluster = timeout(deadline, twin.cluster_metrics()).await;
    fails(&mut check, "cluster metrics", cluster, |_| false);
    for part in twin.parts() {
        let name = part.name();
        let read = timeout(deadline, part.read(Timestamp::EPOCH, None)).await;
        fails(&mut check, name, read, |_| false);
    }
    check.end()
}

/// A read that has to fail, or to have seen nothing.
fn fails<T, E>(
    check: &mut Check,
    what: &str,
    read: Result<Result<T>, E>,
    saw_nothing: impl Fn(&T) -> bool,
) {
    match read {
        Ok(Err(error)) => says_where(check, &error),
        Ok(Ok(value)) => check.expect(saw_nothing(&value), || {
            format!("{what} of the unreachable twin were read")
        }),
        Err(_) => check.expect(false, || format!("{what} of the unreachable twin hang")),
    }
}

fn says_where(check: &mut Check, error: &Error) {
    let Error {
        operation, origin, ..
    } = error;
    let is_phrase =
        operation.starts_with(|first: char| first.is_lowercase()) && !operation.ends_with('.');
    check.expect(is_phrase, || {
        format!("`{operation}` does not read on from `cannot`")
    });
    let has_origin = origin.as_ref().is_some_and(|origin| !origin.is_empty());
    // Where nothing is configured there was nobody to ask.
    let nobody = matches!(*error.fault, Fault::NotConfigured { .. });
    check.expect(has_origin || nobody, || {
        format!("`{error:#}` does not say who was asked")
    });
}

/// A read that has to answer in time.
async fn read<T>(
    check: &mut Check,
    what: &str,
    probe: &Probe<'_>,
    read: impl Future<Output = Result<T>>,
) -> Option<T> {
    let clock = Clock::system();
    let begin = clock.now();
    let outcome = timeout(probe.deadline, read).await;
    // What awaits is given up at the deadline; only what blocks can answer long after it.
    let blocks = clock.now().since(begin) >= probe.deadline * 2;
    check.expect(!blocks, || {
        format!(
            "{what} took longer than twice {:?}: the read blocks",
            probe.deadline
        )
    });
    match outcome {
        Ok(Ok(value)) => Some(value),
        Ok(Err(error)) => {
            check.expect(false, || format!("{what} could not be read: {error:#}"));
            None
        }
        Err(_) => {
            check.expect(false, || {
                format!("{what} did not answer within {:?}", probe.deadline)
            });
            None
        }
    }
}
