//! What must hold, and the three-valued answers to whether it does.

use std::fmt;
use std::time::Duration;

use crate::{Entity, Evidence, Gap, Listing, Snapshot, Store, Timestamp, Why};

/// Something that must hold of a subject: a pure function of a snapshot.
///
/// It names every entity it judged, healthy or not: what it does not name, it has not judged, and an
/// open finding about that entity stays as it is ([`Verdicts::others_hold`] and [`Verdicts::close_list`] say otherwise). It owns no state and asks no clock; grace, settling
/// and flaps are the [`Engine`](crate::Engine)'s.
///
/// ```
/// use operator_core::{Broken, Evidence, Gap, Invariant, Quantity, Rule, Severity, Snapshot, Verdicts};
/// use std::time::Duration;
///
/// #[derive(Debug)]
/// struct LowSpace { rule: Rule }
///
/// impl Invariant for LowSpace {
///     fn rule(&self) -> &Rule {
///         &self.rule
///     }
///
///     fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
///         // Names every store: the unreadable as unseen, and those that are no more as gone.
///         verdicts.judge_stores(snapshot, |store, _stores| {
///             // `?` on a gap ends the judgement of this store alone: it is unseen.
///             let metrics = snapshot.metrics_of(store.id)?;
///             let Some(free) = metrics.disk_available_bytes.measured()? else { return Ok(None) };
///             let low = free.value < 1 << 30;
///             Ok(low.then(|| {
///                 let free = Quantity::measured("disk available", free, "bytes").against(1u64 << 30);
///                 Broken::new(Severity::Warning, Evidence::of([free]))
///             }))
///         })
///     }
/// }
///
/// let rule = Rule::new("low_space", "a store's disk is nearly full").settle(Duration::from_secs(60));
/// # let _ = LowSpace { rule };
/// ```
pub trait Invariant: fmt::Debug + Send + Sync {
    /// What is known of the rule without judging.
    fn rule(&self) -> &Rule;

    /// Judges a snapshot: gives one verdict for each entity that the rule is about.
    ///
    /// # Errors
    /// The gap that keeps the rule from judging at all: it is blind.
    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap>;
}

impl<I: Invariant + ?Sized> Invariant for std::sync::Arc<I> {
    fn rule(&self) -> &Rule {
        (**self).rule()
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        (**self).check(snapshot, verdicts)
    }
}

/// What is known of a rule without judging.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name, stable for ever: `store_down`.
    pub code: &'static str,
    /// Whether it is about the subject, or about our sight of it.
    pub kind: Kind,
    /// What is so when it is broken, in one line without a full stop.
    pub summary: &'static str,
    /// Time seen broken before it is raised.
    pub grace: Duration,
    /// Time seen healthy before it is resolved.
    pub settle: Duration,
    /// The objective that is accounted by this rule, if one is.
    pub slo: Option<Slo>,
    /// Rules whose finding explains a finding of this one.
    pub symptom_of: Vec<(&'static str, Scope)>,
}

impl Rule {
    /// One tick of settling: the second look that sees health resolves. No two looks are closer.
    pub const ONE_TICK: Duration = Duration::from_secs(1);

    /// A rule about the subject, raised at first sight and resolved at first sight.
    pub fn new(code: &'static str, summary: &'static str) -> Self {
        Self {
            code,
            kind: Kind::Cluster,
            summary,
            grace: Duration::ZERO,
            settle: Duration::ZERO,
            slo: None,
            symptom_of: Vec::new(),
        }
    }

    /// A rule about our sight of the subject, raised at first sight and resolved at first sight.
    pub fn sight(code: &'static str, summary: &'static str) -> Self {
        Self {
            kind: Kind::Sight,
            ..Self::new(code, summary)
        }
    }

    /// The same rule, raised after this much time seen broken.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// The same rule, resolved after this much time seen healthy.
    #[must_use]
    pub fn settle(mut self, settle: Duration) -> Self {
        self.settle = settle;
        self
    }

    /// The same rule, accounting an objective.
    #[must_use]
    pub fn slo(mut self, slo: Slo) -> Self {
        self.slo = Some(slo);
        self
    }

    /// The same rule, a symptom of another.
    #[must_use]
    pub fn symptom_of(mut self, code: &'static str, scope: Scope) -> Self {
        self.symptom_of.push((code, scope));
        self
    }
}

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The subject.
    Cluster,
    /// Our ability to see the subject. What it finds is blindness, never a fault of the subject.
    Sight,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Cluster => "cluster",
            Self::Sight => "sight",
        })
    }
}

/// Which entity a cause may be about, seen from its symptom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The symptom's own.
    Same,
    /// Any.
    Any,
}

/// An objective: the share of the time in which a rule shall hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slo {
    /// What it is called.
    pub name: &'static str,
    /// The share of seen time in which it shall hold, from 0 to 1.
    pub target_ratio: f64,
    /// The time over which it is accounted.
    pub window: Duration,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Someone should look today.
    Warning,
    /// Someone should look now.
    Critical,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        })
    }
}

/// What a rule found broken.
#[derive(Debug, Clone, PartialEq)]
pub struct Broken {
    /// How bad it is now.
    pub severity: Severity,
    /// The numbers it was judged by.
    pub evidence: Evidence,
    /// A grace of its own, where this finding has another than its rule.
    pub grace: Option<Duration>,
    /// Broken since then, where the source proves it: that time counts as seen.
    pub since: Option<Timestamp>,
}

impl Broken {
    /// Broken, with the numbers it was judged by.
    pub fn new(severity: Severity, evidence: Evidence) -> Self {
        Self {
            severity,
            evidence,
            grace: None,
            since: None,
        }
    }

    /// The same finding, with a grace of its own.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// The same finding, proved to stand since then.
    #[must_use]
    pub fn since(mut self, since: Timestamp) -> Self {
        self.since = Some(since);
        self
    }
}

/// A rule's answer about one entity.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not.
    Broken(Box<Broken>),
    /// Nobody can tell.
    Unseen(Gap),
    /// There is no such entity any more.
    Gone,
}

/// What is so of every entity that is neither named nor listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Others {
    Hold,
    AreGone,
}

impl Others {
    fn verdict(self) -> Verdict {
        match self {
            Self::Hold => Verdict::Holds,
            Self::AreGone => Verdict::Gone,
        }
    }
}

/// Where a rule puts its answers. Name each entity once; where it is named twice, the worse counts.
#[derive(Debug, Default)]
pub struct Verdicts {
    named: Vec<(Entity, Verdict)>,
    others: Option<Others>,
    /// Whom a list held, named or not: they are not among the others.
    listed: Vec<Entity>,
    /// Health is only counted where nobody remembers anything that it could end.
    only_count_health: bool,
    healthy: usize,
    as_of: Option<Timestamp>,
}

impl Verdicts {
    /// The rule holds of this entity.
    pub fn holds(&mut self, entity: Entity) {
        self.healthy += 1;
        if !self.only_count_health {
            self.named.push((entity, Verdict::Holds));
        }
    }

    /// The rule is broken by this entity.
    pub fn broken(&mut self, entity: Entity, broken: Broken) {
        self.named.push((entity, Verdict::Broken(Box::new(broken))));
    }

    /// Nobody can tell: what is open stays open, what is pending stays pending.
    ///
    /// Also the verdict where the source may be believed when it says broken, but not when it says
    /// healthy or gone: such a rule may raise and not resolve.
    pub fn unseen(&mut self, entity: Entity, gap: Gap) {
        self.named.push((entity, Verdict::Unseen(gap)));
    }

    /// There is no such entity any more: what is open about it is resolved.
    pub fn gone(&mut self, entity: Entity) {
        self.named.push((entity, Verdict::Gone));
    }

    /// The rule holds of every entity that is not named: it judges a whole list of what is wrong, and
    /// what is not on it is well. Without this, what is not named freezes.
    pub fn others_hold(&mut self) {
        self.others = Some(Others::Hold);
    }

    /// Every entity that is not named is gone: the rule judges a whole list of all there is. Without this,
    /// what is not named freezes. [`Verdicts::close_list`] says it where it is so.
    pub fn others_are_gone(&mut self) {
        self.others = Some(Others::AreGone);
    }

    /// The verdicts are about that moment, where it is earlier than the look: they were drawn from a part
    /// that is read more seldom than looks are taken.
    ///
    /// Grace and settle then count from reading to reading. Without it, one old reading that is looked at
    /// twice would count as seen twice.
    pub fn as_of(&mut self, sampled_at: Timestamp) {
        self.as_of = Some(sampled_at);
    }

    /// Judges every item of a list by a closure in which `?` works on gaps, and
    /// [closes](Verdicts::close_list) the list.
    pub fn judge_list<T>(
        &mut self,
        list: &Listing<T>,
        entity: impl Fn(&T) -> Entity,
        mut judgement: impl FnMut(&T) -> Result<Option<Broken>, Gap>,
    ) {
        for item in &list.items {
            self.judge(entity(item), || judgement(item));
        }
        self.close_list(list, entity);
    }

    /// Says what is so of the entities that a list of all there is does not hold: unseen where a gap
    /// names them, and gone otherwise. They are not gone while there is more to fetch, or while a gap does
    /// not say whom it is about: it may be about any of them.
    ///
    /// What is on the list and was not judged is as it was: a rule may leave out whom it does not concern.
    pub fn close_list<T>(&mut self, list: &Listing<T>, entity: impl Fn(&T) -> Entity) {
        if list.gaps.is_empty() && self.only_count_health {
            // Nothing to name, and nobody remembered who could be gone.
            return;
        }
        self.listed.extend(list.items.iter().map(entity));
        self.listed.sort_unstable();
        let mut whole_but_for_named = list.next.is_none();
        for gap in &list.gaps {
            match gap.entity() {
                Some(named) if self.listed.binary_search(named).is_ok() => {}
                Some(named) => self.unseen(named.clone(), gap.clone()),
                None => whole_but_for_named = false,
            }
        }
        if whole_but_for_named {
            self.others_are_gone();
        }
    }

    /// Judges every store, as [`Verdicts::judge_list`] does.
    ///
    /// A rule on metrics judges stores too, and asks for
    /// [`metrics_of`](Snapshot::metrics_of) each: so it names those that have none. A rule that does not
    /// concern every store goes through [`Snapshot::stores`] itself, and ends with
    /// [`Verdicts::close_stores`].
    ///
    /// # Errors
    /// The gap, when no list of stores could be read, or when it is empty: a cluster without stores is one
    /// that was not seen.
    ///
    /// ```
    /// # use operator_core::*;
    /// # fn check(snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
    /// verdicts.judge_stores(snapshot, |store, stores| {
    ///     let busy = stores.known(&store.entity(), "busy", store.busy)?;
    ///     Ok(busy.then(|| Broken::new(Severity::Info, Evidence::default())))
    /// })
    /// # }
    /// ```
    pub fn judge_stores(
        &mut self,
        snapshot: &Snapshot,
        mut judgement: impl FnMut(&Store, &Listing<Store>) -> Result<Option<Broken>, Gap>,
    ) -> Result<(), Gap> {
        let stores = snapshot.stores()?;
        for store in &stores.items {
            self.judge(store.entity(), || judgement(store, stores));
        }
        self.close_stores(stores)
    }

    /// [Closes](Verdicts::close_list) a list of stores.
    ///
    /// # Errors
    /// A gap, when the list is empty: a cluster without stores is one that was not seen.
    pub fn close_stores(&mut self, stores: &Listing<Store>) -> Result<(), Gap> {
        if stores.items.is_empty() && stores.gaps.is_empty() {
            let why = Why::Unusable {
                expected: "at least one store".into(),
                found: "none".to_owned(),
            };
            return Err(Gap::new("stores", why));
        }
        self.close_list(stores, Store::entity);
        Ok(())
    }

    /// Judges one entity by a closure in which `?` works on gaps: `None` holds, a gap is unseen.
    pub fn judge(
        &mut self,
        entity: Entity,
        judgement: impl FnOnce() -> Result<Option<Broken>, Gap>,
    ) {
        match judgement() {
            Ok(None) => self.holds(entity),
            Ok(Some(broken)) => self.broken(entity, broken),
            Err(gap) => self.unseen(entity, gap),
        }
    }

    /// What was given so far.
    pub fn iter(&self) -> impl Iterator<Item = (&Entity, &Verdict)> {
        self.named.iter().map(|(entity, verdict)| (entity, verdict))
    }

    /// What was said of an entity, by its name or as one of the others. For testing a rule.
    pub fn of(&self, entity: &Entity) -> Option<Verdict> {
        let named = self.iter().find(|(named, _)| *named == entity);
        named
            .map(|(_, verdict)| verdict.clone())
            .or_else(|| self.of_unnamed(entity))
    }

    /// What is so of an entity that was not named.
    pub(crate) fn of_unnamed(&self, entity: &Entity) -> Option<Verdict> {
        let others = self.others?;
        let is_listed = self.listed.binary_search(entity).is_ok();
        (!is_listed).then(|| others.verdict())
    }

    /// Whether anything is said of those who are not named.
    pub(crate) fn speaks_of_others(&self) -> bool {
        self.others.is_some()
    }

    /// Makes room for the verdicts of one rule at one look.
    pub(crate) fn begin(&mut self, only_count_health: bool) {
        self.named.clear();
        self.others = None;
        self.listed.clear();
        self.only_count_health = only_count_health;
        self.healthy = 0;
        self.as_of = None;
    }

    /// The moment that the verdicts of a look are about.
    pub(crate) fn moment(&self, at: Timestamp) -> Timestamp {
        self.as_of.map_or(at, |moment| moment.min(at))
    }

    /// How many were said to be well.
    pub(crate) fn healthy(&self) -> usize {
        self.healthy
    }

    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (Entity, Verdict)> {
        self.named.drain(..)
    }
}
