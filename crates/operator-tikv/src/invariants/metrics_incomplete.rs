//! `metrics_incomplete`: Prometheus answers, and something that should be measured is not.

use std::time::Duration;

use operator_core::{
    Broken, Evidence, Gap, Invariant, Kind, Quantity, Reading, Rule, Severity, Snapshot, Store,
    Verdicts, Why,
};

use super::Settings;
use super::common::{measured, name_up_stores};
use super::page::Page;
use super::registry::Documented;
use super::sight::is_silence;
use crate::facts::{Contract, ContractCheck, ContractStanding};

/// A store that PD calls Up is not measured, or a query relies on series that are not there.
///
/// Both look like peace: what is not there breaks no threshold.
#[derive(Debug)]
pub(super) struct MetricsIncomplete {
    rule: Rule,
}

impl Documented for MetricsIncomplete {
    const PAGE: &'static Page = &Page {
        code: "metrics_incomplete",
        kind: Kind::Sight,
        summary: "Prometheus answers, but a store or a query has no series to go by",
        broken_when: "warning: a store that PD calls Up has no series `up`, several, a stale one (older than 60 s \
                      and four scrapes), or one that says 0; or the families, or the values of labels, that a \
                      query relies on are not there though every healthy store has them from its start",
        entity: "the store, or the query as `query/NAME`",
        input: "`up` and its sample time, matched to PD's stores by status address; the contract: every family \
                and label that our queries rely on, checked every 5 min, and every minute while one is in doubt",
        meaning: "What is not measured cannot break a threshold. Rules on measurements do not see this store, or \
                  what this query feeds, and a death of the store is found by PD's word alone",
        evidence: "what was expected and what was found; for a query what is missing and which readings it feeds",
        origin: "An instant query looks back 5 min, so a stale series must be told by its sample's time. Four \
                 scrapes are what a rate needs; 60 s of grace let a store, or Prometheus, start",
        false_alarms: "A store that has just joined and is not yet among the targets. A Prometheus that was \
                       started afresh, for its first scrapes. A store that hangs: PD calls it Up for up to 20 s \
                       more. Label values that a later version of TiKV no longer has. Not for TiFlash, and not \
                       while Prometheus as a whole is away: prometheus_unreachable says that",
        what_to_do: &[
            "One store: is it among Prometheus' targets, and is it up there? `http://PROMETHEUS:9090/targets`.",
            "It is there under another name: compare `instance` with the store's status address. A template for \
             instances, or a label that was renamed, explains a mismatch of every store.",
            "Several series of one store: two jobs scrape it, or two Prometheus servers write to one. Narrow the \
             matchers.",
            "`up` is 0 though PD calls it Up: the status port (20180) is closed to Prometheus, or hangs.",
            "A query: was TiKV upgraded, or does a relabelling drop families? The evidence names them.",
        ],
        grace: Duration::from_secs(60),
        settle: Duration::from_secs(60),
        knobs: &[],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        let rule = Self::PAGE.rule(settings);
        Self { rule }
    }
}

impl Invariant for MetricsIncomplete {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        measured(snapshot)?;
        // Whom PD calls Up nobody knows then: that is pd_unreachable's to tell, and everything stays as it is.
        let Ok(stores) = snapshot.stores() else {
            return Ok(());
        };
        name_up_stores(stores, verdicts, |store, _| unmeasured(store, snapshot));
        // While the contract cannot be read nobody knows whom it names, and so nobody is gone.
        let Ok(contract) = snapshot.part::<Contract>() else {
            return Ok(());
        };
        let contract = &contract.value;
        for check in &contract.checks {
            verdicts.judge(check.entity(), || missing(check, contract, snapshot));
        }
        verdicts.close_stores(stores)
    }
}

/// Why a store is not measured, where the answer is what is wrong, and not that there is none.
fn unmeasured(store: &Store, snapshot: &Snapshot) -> Result<Option<Broken>, Gap> {
    let gap = match snapshot.metrics_of(store.id).map(|metrics| &metrics.up) {
        Ok(Reading::Seen(up)) if up.value => return Ok(None),
        Ok(Reading::Seen(up)) => {
            let up = Quantity::new("up", 0u64, "", up.source.clone(), up.sampled_at);
            return Ok(Some(warning([up.against(1u64)])));
        }
        Ok(Reading::Idle) => Gap::new("up", Why::Unsaid).about(store.entity()),
        Ok(Reading::Blind(gap)) => gap.clone(),
        Err(gap) => gap,
    };
    if is_silence(gap.why()) {
        return Err(gap);
    }
    let source = gap.origin().unwrap_or("Prometheus").to_owned();
    let at = gap.standing_since().unwrap_or(snapshot.at());
    let why = Quantity::new("up", gap.why().to_string(), "", source, at);
    Ok(Some(warning([why])))
}

/// What a query misses, where there are stores whose series it could be among.
fn missing(
    check: &ContractCheck,
    contract: &Contract,
    snapshot: &Snapshot,
) -> Result<Option<Broken>, Gap> {
    let is_up = |up: &Reading<bool>| up.value() == Some(&true);
    if !snapshot.metrics()?.items.iter().any(|m| is_up(&m.up)) {
        let what = "stores that are up";
        return Err(Gap::new("series", Why::Needs { what }).about(check.entity()));
    }
    let quantity = |name, what: String| {
        Quantity::new(name, what, "", "Prometheus, by name", contract.checked_at)
    };
    let missing = match &check.standing {
        ContractStanding::Live | ContractStanding::Idle | ContractStanding::NotScraped => {
            return Ok(None);
        }
        ContractStanding::SeriesMissing(names) => quantity("series missing", names.join(", ")),
        ContractStanding::ValueUnknown(values) => quantity("no series with", values.join(", ")),
        ContractStanding::Unseen(why) => {
            let because = why.clone().into();
            return Err(Gap::new("series", Why::Distrusted { because }).about(check.entity()));
        }
    };
    let feeds = quantity("which feed", check.feeds.join(", "));
    Ok(Some(warning([missing, feeds])))
}

fn warning<const N: usize>(quantities: [Quantity; N]) -> Broken {
    Broken::new(Severity::Warning, Evidence::of(quantities))
}

#[cfg(test)]
mod tests {
    use super::super::scene::{self, ago, of_stores, tiflash, up, with_ups};
    use super::super::told::told;
    use super::*;
    use operator_core::StoreState;

    fn check(up: Result<bool, Why>, expected: &str) {
        let snapshot = with_ups(of_stores([scene::up(1)]), [(1, up)]);
        let contract = Contract::found(Vec::new(), ago(0), None);
        let snapshot = snapshot.with_part("contract", Ok(contract));
        assert_eq!(told::<MetricsIncomplete>(&snapshot, "store/1"), expected);
    }

    #[test]
    fn a_store_that_pd_calls_up_is_measured_or_says_why_not() {
        check(Ok(true), "holds");
        check(Ok(false), "warning: up 0 (threshold 1)");
        let (age, limit) = (Duration::from_secs(75), Duration::from_secs(60));
        check(
            Err(Why::Stale { age, limit }),
            "warning: up 75 s old, at most 60 s is believed",
        );
        let (expected, found) = ("one series `up`".into(), "2".into());
        check(
            Err(Why::Unusable { expected, found }),
            "warning: up expected one series `up`, found 2",
        );
        check(
            Err(Why::Vanished),
            "warning: up it was there, and is no more",
        );
        check(Err(Why::Unsaid), "warning: up the answer does not say");
    }

    #[test]
    fn that_nothing_answers_is_another_rules_business() {
        let after = Duration::from_secs(4);
        check(
            Err(Why::TimedOut { after }),
            "unseen: metrics of store/1 not seen: no answer within 4 s",
        );
        check(
            Err(Why::NotConfigured),
            "blind: store metrics not seen: not configured",
        );
    }

    #[test]
    fn who_is_not_up_and_who_is_no_tikv_is_not_named() {
        let silent = Store {
            state: Some(StoreState::Disconnected),
            ..up(2)
        };
        let removed = Store {
            state: Some(StoreState::Tombstone),
            ..up(3)
        };
        let stores = of_stores([up(1), silent, removed, tiflash(4)]);
        let ups = [(1, Ok(true)), (2, Ok(false)), (4, Err(Why::NotConfigured))];
        let contract = Contract::found(Vec::new(), ago(0), None);
        let snapshot = with_ups(stores, ups).with_part("contract", Ok(contract));
        let told = |entity| told::<MetricsIncomplete>(&snapshot, entity);
        assert_eq!(told("store/2"), "not named");
        assert_eq!(told("store/3"), "gone");
        assert_eq!(told("store/4"), "not named");
    }

    /// What is said of the query of writes where it stands so.
    fn writes(standing: ContractStanding, up: bool) -> String {
        let check = ContractCheck {
            query: "writes",
            feeds: vec!["write_p95_seconds", "write_p99_seconds"],
            cost: "",
            standing,
        };
        let contract = Contract::found(vec![check], ago(50), None);
        let snapshot = with_ups(of_stores([scene::up(1)]), [(1, Ok(up))]);
        let snapshot = snapshot.with_part("contract", Ok(contract));
        told::<MetricsIncomplete>(&snapshot, "query/writes")
    }

    #[test]
    fn a_query_whose_series_are_gone_is_named() {
        let names = || vec!["tikv_a".to_owned(), "tikv_b".to_owned()];
        let feeds = "which feed write_p95_seconds, write_p99_seconds";
        assert_eq!(
            writes(ContractStanding::SeriesMissing(names()), true),
            format!("warning: series missing tikv_a, tikv_b, {feeds}")
        );
        let values = vec![r#"type="kv_commit""#.to_owned()];
        assert_eq!(
            writes(ContractStanding::ValueUnknown(values), true),
            format!(r#"warning: no series with type="kv_commit", {feeds}"#)
        );
        assert_eq!(writes(ContractStanding::Live, true), "holds");
        assert_eq!(writes(ContractStanding::Idle, true), "holds");
        assert_eq!(
            writes(ContractStanding::Unseen("too slow".into()), true),
            "unseen: series of query/writes not seen: not believed: too slow"
        );
    }

    /// Where every store is dead all series are gone, and no query is to blame.
    #[test]
    fn a_query_is_not_judged_where_no_store_is_up() {
        let missing = ContractStanding::SeriesMissing(vec!["tikv_a".into()]);
        for standing in [missing, ContractStanding::Live] {
            assert_eq!(
                writes(standing, false),
                "unseen: series of query/writes not seen: it needs stores that are up, which were not seen"
            );
        }
    }

    #[test]
    fn a_contract_that_was_not_read_names_nobody() {
        let snapshot = with_ups(of_stores([up(1)]), [(1, Ok(true))]);
        let gap = Gap::new("contract", Why::Unsaid);
        let snapshot = snapshot.with_part::<Contract>("contract", Err(gap));
        let told = |entity| told::<MetricsIncomplete>(&snapshot, entity);
        assert_eq!(told("store/1"), "holds");
        assert_eq!(told("query/writes"), "not named");
    }
}
