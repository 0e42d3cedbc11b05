//! The conformance kit: the scripted subject passes every check, and for each check there is a subject
//! that is broken in just that way and fails it.

use std::time::Duration;

use async_trait::async_trait;
use operator_core::conformance::{self, Outcome, Probe};
use operator_core::{
    Act, Actions, Answer, Broken, ClusterMetrics, Cursor, Entity, Error, Evidence, Fault, Flow,
    Gap, Invariant, KeyRange, Listing, Measured, Part, Peer, PeerId, PeerRole, Reading, Receipt,
    Region, RegionFlow, RegionId, Regions, Result, Rule, Scope, Script, ScriptedSubject, Severity,
    Slo, Snapshot, Standing, Store, StoreId, StoreMetrics, Subject, Timestamp, TransferLeader,
    Verdicts, Visit, Why,
};

/// How a subject is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    ListsAStoreTwice,
    LeavesOutMetrics,
    GivesMetricsUnasked,
    LeadsOnStrangers,
    FindsAnotherRegion,
    PagesOverlap,
    HangsOnStores,
    InventsAbsentRegions,
    DiesOfCancellation,
    NamesPartsAlike,
    TypesPartsAlike,
    PartWithoutBound,
    PartHangs,
    GivesAnothersReceipt,
    ErrorsWithoutOrigin,
    ErrorsInProse,
    ReadableWhenUnreachable,
    RepeatsACode,
    ShoutsACode,
    SummaryWithFullStop,
    SymptomOfNothing,
    ImpossibleObjective,
    PanicsWhenBlind,
    HealthyWhenBlind,
    HealthyOfBlindReadings,
    BuriesTheUnreadable,
    BuriesTheUnseen,
    TakesBlindForHealthy,
    ScanGoesOn,
    GivesMoreThanAsked,
    HangsOnARegion,
}

/// The scripted subject, broken in one way.
#[derive(Debug)]
struct Flawed {
    inner: ScriptedSubject,
    flaw: Flaw,
    /// Nobody listens; and what no script makes fail is not there.
    unreachable: bool,
    waiting: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

fn stores() -> Vec<Store> {
    [1, 2]
        .map(|id| Store::new(StoreId(id), format!("10.0.0.{id}:20160")))
        .to_vec()
}

fn metrics(id: u64) -> StoreMetrics {
    let gap = Gap::new("metrics", Why::NotConfigured);
    StoreMetrics {
        up: Reading::Seen(Measured::new(true, Timestamp::EPOCH, "scripted")),
        ..StoreMetrics::blind(StoreId(id), &gap)
    }
}

fn region(id: u64, start: &str, end: &str) -> Region {
    let peer = |store| Peer {
        id: PeerId(id.wrapping_mul(10).wrapping_add(store)),
        store: StoreId(store),
        role: PeerRole::Voter,
        witness: false,
    };
    Region {
        id: RegionId(id),
        range: KeyRange {
            start: start.into(),
            end: end.into(),
        },
        epoch: None,
        peers: vec![peer(1), peer(2)],
        leader: Some(peer(1)),
        down_peers: Vec::new(),
        pending_peers: Vec::new(),
        size_bytes: None,
        keys: None,
        flow: RegionFlow::default(),
    }
}

/// A rule that finds a store broken when it is not up.
#[derive(Debug)]
struct NotUp {
    rule: Rule,
    flaw: Flaw,
}

impl NotUp {
    fn new(flaw: Flaw) -> Self {
        let summary = match flaw {
            Flaw::SummaryWithFullStop => "a store is not up.",
            _ => "a store is not up",
        };
        let code = if flaw == Flaw::ShoutsACode {
            "Not-Up"
        } else {
            "not_up"
        };
        let rule = Rule::new(code, summary);
        let rule = match flaw {
            Flaw::SymptomOfNothing => rule.symptom_of("nothing", Scope::Any),
            Flaw::ImpossibleObjective => rule.slo(Slo {
                name: "uptime",
                target_ratio: 99.9,
                window: Duration::from_secs(60),
            }),
            _ => rule,
        };
        Self { rule, flaw }
    }
}

impl Invariant for NotUp {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        if self.flaw == Flaw::BuriesTheUnreadable {
            let stores = snapshot.stores()?;
            for store in &stores.items {
                verdicts.holds(store.entity());
            }
            verdicts.others_are_gone();
            return Ok(());
        }
        if self.flaw == Flaw::BuriesTheUnseen {
            verdicts.others_are_gone();
        }
        let metrics = match (snapshot.metrics(), self.flaw) {
            (Err(_), Flaw::BuriesTheUnseen) => return Ok(()),
            (Ok(metrics), _) => metrics,
            (Err(gap), Flaw::PanicsWhenBlind) => panic!("{gap}"),
            (Err(_), Flaw::HealthyWhenBlind) => {
                verdicts.holds(Entity::Cluster);
                return Ok(());
            }
            (Err(gap), _) => return Err(gap),
        };
        for metrics in &metrics.items {
            if matches!(
                self.flaw,
                Flaw::HealthyOfBlindReadings | Flaw::TakesBlindForHealthy
            ) {
                match metrics.up.value() {
                    Some(false) => verdicts.broken(metrics.entity(), broken()),
                    _ => verdicts.holds(metrics.entity()),
                }
                continue;
            }
            verdicts.judge(metrics.entity(), || {
                let up = metrics.up.measured()?;
                Ok(up.is_some_and(|up| !up.value).then(broken))
            });
        }
        Ok(())
    }
}

fn broken() -> Broken {
    Broken::new(Severity::Critical, Evidence::default())
}

impl Flawed {
    fn new(flaw: Flaw) -> Self {
        let inner = ScriptedSubject::new("scripted")
            .with_part("words", Script::new(vec!["word".to_owned()]), |part| part)
            .with_part("numbers", Script::new(7u64), |part| {
                part.every(Duration::from_secs(60))
            })
            .with_regions(vec![
                region(1, "", "d"),
                region(2, "d", "m"),
                region(3, "m", "t"),
                region(4, "t", ""),
            ]);
        inner.stores.set(Answer::Value(Listing::whole(stores())));
        inner
            .metrics
            .set(Answer::Value(Listing::whole(vec![metrics(1), metrics(2)])));
        Self {
            inner,
            flaw,
            unreachable: false,
            waiting: Default::default(),
        }
    }

    /// The same subject where nobody listens.
    fn unreachable(flaw: Flaw) -> Self {
        let twin = Self {
            unreachable: true,
            ..Self::new(flaw)
        };
        let refused = || Fault::Transport {
            reason: "connection refused".into(),
        };
        if flaw != Flaw::ReadableWhenUnreachable {
            twin.inner.stores.set(Answer::Fails(refused()));
        }
        twin.inner.metrics.set(Answer::Fails(refused()));
        twin.inner.cluster.set(Answer::Fails(refused()));
        twin
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn spoil(&self, mut error: Error) -> Error {
        match self.flaw {
            Flaw::ErrorsWithoutOrigin => error.origin = None,
            Flaw::ErrorsInProse => error.operation = "Reading the stores failed.".into(),
            _ => {}
        }
        error
    }
}

#[async_trait]
impl Subject for Flawed {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn invariants(&self) -> Vec<Box<dyn Invariant>> {
        let mut rules: Vec<Box<dyn Invariant>> = vec![Box::new(NotUp::new(self.flaw))];
        if self.is(Flaw::RepeatsACode) {
            rules.push(Box::new(NotUp::new(self.flaw)));
        }
        rules
    }

    async fn stores(&self) -> Result<Listing<Store>> {
        use std::sync::atomic::Ordering::Relaxed;
        if self.is(Flaw::HangsOnStores) {
            std::future::pending::<()>().await;
        }
        if self.is(Flaw::DiesOfCancellation) {
            if self.waiting.swap(true, Relaxed) {
                let reason = "still reading".to_owned();
                return Err(Error::new("read stores", Fault::Transport { reason }).at("scripted"));
            }
            tokio::task::yield_now().await;
            self.waiting.store(false, Relaxed);
        }
        let mut stores = self
            .inner
            .stores()
            .await
            .map_err(|error| self.spoil(error))?;
        if self.is(Flaw::ListsAStoreTwice) {
            stores.items.extend(stores.items.first().cloned());
        }
        Ok(stores)
    }

    async fn store_metrics(&self, stores: &[Store]) -> Result<Listing<StoreMetrics>> {
        let mut listing = self.inner.store_metrics(stores).await?;
        if self.is(Flaw::LeavesOutMetrics) {
            listing.items.pop();
        }
        if self.is(Flaw::GivesMetricsUnasked) {
            listing.items.push(metrics(77));
        }
        Ok(listing)
    }

    async fn cluster_metrics(&self) -> Result<ClusterMetrics> {
        let mut cluster = self.inner.cluster_metrics().await?;
        if self.is(Flaw::LeadsOnStrangers) {
            let leaders = [(StoreId(77), 3)].into();
            cluster.leaders_per_store =
                Reading::Seen(Measured::new(leaders, Timestamp::EPOCH, "scripted"));
        }
        Ok(cluster)
    }

    fn parts(&self) -> Vec<Part<'_>> {
        if self.unreachable {
            return Vec::new();
        }
        let mut parts = self.inner.parts();
        match self.flaw {
            Flaw::NamesPartsAlike => parts.push(Part::new("words", |_due| async { Ok(1.5f64) })),
            Flaw::TypesPartsAlike => parts.push(Part::new("more", |_due| async { Ok(9u64) })),
            Flaw::PartWithoutBound => {
                let part = Part::new("slow", |_due| async { Ok(1.5f64) });
                parts.push(part.every(Duration::from_secs(86_400)));
            }
            Flaw::PartHangs => parts.push(Part::new("hangs", |_due| {
                std::future::pending::<Result<f64>>()
            })),
            _ => {}
        }
        parts
    }

    fn regions(&self) -> Option<&dyn Regions> {
        (!self.unreachable).then_some(self as &dyn Regions)
    }

    fn actions(&self) -> Actions<'_> {
        Actions {
            transfer_leader: Some(self),
            ..Actions::none()
        }
    }
}

#[async_trait]
impl Regions for Flawed {
    async fn one(&self, id: RegionId) -> Result<Region> {
        if self.is(Flaw::HangsOnARegion) {
            std::future::pending::<()>().await;
        }
        let regions = self.inner.regions().expect("scripted regions");
        match (regions.one(id).await, self.flaw) {
            (Err(_), Flaw::InventsAbsentRegions) => Ok(region(id.0, "", "")),
            (Ok(_), Flaw::FindsAnotherRegion) => regions.one(RegionId(4)).await,
            (outcome, _) => outcome.map_err(|error| self.spoil(error)),
        }
    }

    async fn holding(&self, key: &[u8]) -> Result<Region> {
        self.inner
            .regions()
            .expect("scripted regions")
            .holding(key)
            .await
    }

    async fn page(&self, from: Option<&Cursor>, limit: usize) -> Result<Listing<Region>> {
        let from = from.filter(|_| !self.is(Flaw::PagesOverlap));
        self.inner
            .regions()
            .expect("scripted regions")
            .page(from, limit)
            .await
    }

    async fn hottest(&self, flow: Flow, limit: usize) -> Result<Listing<Region>> {
        let limit = if self.is(Flaw::GivesMoreThanAsked) {
            9
        } else {
            limit
        };
        self.inner
            .regions()
            .expect("scripted regions")
            .hottest(flow, limit)
            .await
    }

    async fn ailing(
        &self,
        ailment: operator_core::Ailment,
        limit: usize,
    ) -> Result<Listing<Region>> {
        self.inner
            .regions()
            .expect("scripted regions")
            .ailing(ailment, limit)
            .await
    }

    async fn scan(&self, from: Option<&Cursor>, visit: &mut Visit<'_>) -> Result<()> {
        if self.is(Flaw::ScanGoesOn) {
            for _ in 0..3 {
                let _ = visit(Listing::whole(Vec::new()));
            }
        }
        self.inner
            .regions()
            .expect("scripted regions")
            .scan(from, visit)
            .await
    }
}

#[async_trait]
impl Act<TransferLeader> for Flawed {
    async fn act(&self, action: &TransferLeader) -> Result<Receipt> {
        let receipt = self
            .inner
            .actions()
            .act("scripted", &(*action).into())
            .await?;
        Ok(match self.flaw {
            Flaw::GivesAnothersReceipt => Receipt {
                action: TransferLeader {
                    region: RegionId(9),
                    to: StoreId(9),
                }
                .into(),
                standing: Standing::Done,
                said: String::new(),
            },
            _ => receipt,
        })
    }
}

async fn put_through(flaw: Flaw) -> Outcome {
    let (subject, twin) = (Flawed::new(flaw), Flawed::unreachable(flaw));
    let probe = Probe {
        deadline: Duration::from_millis(50),
        harmless: vec![
            TransferLeader {
                region: RegionId(2),
                to: StoreId(2),
            }
            .into(),
        ],
        unreachable: Some(&twin),
        ..Probe::default()
    };
    conformance::all(&subject, &probe).await
}

#[tokio::test(start_paused = true)]
async fn a_subject_without_flaw_passes_every_check() {
    put_through(Flaw::None).await.expect("it conforms");
}

/// Which check finds a flaw, and what it says.
const CHECKS: &[(Flaw, &str, &str)] = &[
    (
        Flaw::ListsAStoreTwice,
        "reads_agree",
        "store 1 is listed more than once",
    ),
    (
        Flaw::LeavesOutMetrics,
        "reads_agree",
        "metrics of store 2 were asked for, and neither they nor a gap came",
    ),
    (
        Flaw::GivesMetricsUnasked,
        "reads_agree",
        "metrics of store 77 came, and were not asked for",
    ),
    (
        Flaw::LeadsOnStrangers,
        "reads_agree",
        "store 77 has leaders, and is not listed",
    ),
    (
        Flaw::FindsAnotherRegion,
        "reads_agree",
        "another region than 1 is found by its id",
    ),
    (
        Flaw::PagesOverlap,
        "reads_agree",
        "the next page begins within the one before it",
    ),
    (
        Flaw::HangsOnStores,
        "reads_agree",
        "stores did not answer within 50ms",
    ),
    (
        Flaw::InventsAbsentRegions,
        "absent_ids_are_not_found",
        "region 18446744073709551615 is absent, and was read",
    ),
    (
        Flaw::DiesOfCancellation,
        "cancelled_reads_leave_it_usable",
        "stores could be read, and no longer after reads were dropped",
    ),
    (
        Flaw::NamesPartsAlike,
        "parts_are_named_and_bounded",
        "two parts are called `words`",
    ),
    (
        Flaw::TypesPartsAlike,
        "parts_are_named_and_bounded",
        "two parts have the type u64",
    ),
    (
        Flaw::PartWithoutBound,
        "parts_are_named_and_bounded",
        "`slow` may take, or stand for, more than an hour",
    ),
    (
        Flaw::PartHangs,
        "parts_are_named_and_bounded",
        "`hangs` did not answer within 50ms",
    ),
    (
        Flaw::GivesAnothersReceipt,
        "slots_answer",
        "`transfer-leader region=2 to=2` got the receipt of `transfer-leader region=9 to=9`",
    ),
    (
        Flaw::ErrorsWithoutOrigin,
        "errors_say_where",
        "does not say who was asked",
    ),
    (
        Flaw::ErrorsInProse,
        "errors_say_where",
        "`Reading the stores failed.` does not read on from `cannot`",
    ),
    (
        Flaw::ReadableWhenUnreachable,
        "errors_say_where",
        "stores of the unreachable twin were read",
    ),
    (
        Flaw::RepeatsACode,
        "rules_are_well_formed",
        "two rules have the code `not_up`",
    ),
    (
        Flaw::ShoutsACode,
        "rules_are_well_formed",
        "`Not-Up` is no code: expected lower_snake_case",
    ),
    (
        Flaw::SummaryWithFullStop,
        "rules_are_well_formed",
        "the summary of `not_up` is no line without a full stop",
    ),
    (
        Flaw::SymptomOfNothing,
        "rules_are_well_formed",
        "`not_up` is a symptom of `nothing`, which is no other rule",
    ),
    (
        Flaw::ImpossibleObjective,
        "rules_are_well_formed",
        "`uptime` is no objective",
    ),
    (
        Flaw::PanicsWhenBlind,
        "rules_tolerate_blindness",
        "with nothing seen, `not_up` panics: store metrics not seen",
    ),
    (
        Flaw::BuriesTheUnreadable,
        "rules_tolerate_blindness",
        "with store/1 unreadable, `not_up` finds store/1 healthy or gone, and did not before",
    ),
    (
        Flaw::BuriesTheUnseen,
        "rules_tolerate_blindness",
        "with nothing seen, `not_up` says what is so of those it does not name",
    ),
    (
        Flaw::TakesBlindForHealthy,
        "rules_tolerate_blindness",
        "with nothing in anything, `not_up` finds health",
    ),
    (
        Flaw::ScanGoesOn,
        "reads_agree",
        "a scan that was told to end went on for 4 pages",
    ),
    (
        Flaw::GivesMoreThanAsked,
        "reads_agree",
        "2 of the hottest regions were asked for, and 4 came",
    ),
    (
        Flaw::HangsOnARegion,
        "absent_ids_are_not_found",
        "is absent, and reading it hangs",
    ),
    (
        Flaw::HealthyWhenBlind,
        "rules_tolerate_blindness",
        "with nothing seen, `not_up` finds health",
    ),
];

#[tokio::test(start_paused = true)]
async fn every_check_can_fail() {
    for (flaw, check, what) in CHECKS {
        let breaches = put_through(*flaw)
            .await
            .expect_err(&format!("{flaw:?} goes unnoticed"))
            .0;
        let found = breaches
            .iter()
            .any(|breach| breach.check == *check && breach.what.contains(what));
        assert!(found, "{flaw:?}: {breaches:#?}");
    }
    let checked: Vec<&str> = CHECKS.iter().map(|(_, check, _)| *check).collect();
    for check in [
        "reads_agree",
        "absent_ids_are_not_found",
        "cancelled_reads_leave_it_usable",
        "parts_are_named_and_bounded",
        "slots_answer",
        "errors_say_where",
        "rules_are_well_formed",
        "rules_tolerate_blindness",
    ] {
        assert!(checked.contains(&check), "{check} never failed");
    }
}

/// A store that is down must not be well because nobody measures it.
#[tokio::test(start_paused = true)]
async fn health_out_of_blind_readings_is_found() {
    let subject = Flawed::new(Flaw::HealthyOfBlindReadings);
    let down = StoreMetrics {
        up: Reading::Seen(Measured::new(false, Timestamp::EPOCH, "scripted")),
        ..metrics(1)
    };
    subject
        .inner
        .metrics
        .set(Answer::Value(Listing::whole(vec![down, metrics(2)])));
    let outcome = conformance::rules_tolerate_blindness(&subject, &Probe::default()).await;
    let breaches = outcome.expect_err("health out of ignorance").to_string();
    let expected = "with metrics that are all blind, `not_up` finds store/1 healthy or gone, and did not before";
    assert!(breaches.contains(expected), "{breaches}");
}

/// What blocks cannot be given up, and holds up everything beside it.
#[tokio::test]
async fn a_read_that_blocks_is_found() {
    #[derive(Debug)]
    struct Blocks(ScriptedSubject);

    #[async_trait]
    impl Subject for Blocks {
        fn name(&self) -> &str {
            "blocks"
        }
        fn invariants(&self) -> Vec<Box<dyn Invariant>> {
            Vec::new()
        }
        async fn stores(&self) -> Result<Listing<Store>> {
            let (_tell, told) = std::sync::mpsc::channel::<()>();
            let _ = told.recv_timeout(Duration::from_millis(30));
            self.0.stores().await
        }
        async fn store_metrics(&self, stores: &[Store]) -> Result<Listing<StoreMetrics>> {
            self.0.store_metrics(stores).await
        }
        async fn cluster_metrics(&self) -> Result<ClusterMetrics> {
            self.0.cluster_metrics().await
        }
        fn parts(&self) -> Vec<Part<'_>> {
            Vec::new()
        }
        fn regions(&self) -> Option<&dyn Regions> {
            None
        }
        fn actions(&self) -> Actions<'_> {
            Actions::none()
        }
    }

    let probe = Probe {
        deadline: Duration::from_millis(10),
        ..Probe::default()
    };
    let outcome = conformance::reads_agree(&Blocks(ScriptedSubject::new("blocks")), &probe).await;
    let breaches = outcome.expect_err("it blocks").to_string();
    assert!(
        breaches.contains("stores took longer than twice 10ms: the read blocks"),
        "{breaches}"
    );
}
