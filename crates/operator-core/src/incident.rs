//! Groups what is broken into causes and symptoms.

use std::collections::{BTreeMap, HashMap};

use crate::{Entity, Scope, Severity, Timestamp, Violation};

/// One thing that happened: its causes, and what follows from them.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// What explains the rest, the earliest first; never empty. Several where they share a symptom of
    /// the cluster, which no one of them explains alone.
    pub causes: Vec<Violation>,
    /// What is explained by the causes, the earliest first.
    pub symptoms: Vec<Violation>,
}

impl Incident {
    /// The earliest cause.
    pub fn cause(&self) -> &Violation {
        &self.causes[0]
    }

    /// Every violation of it, causes first.
    pub fn violations(&self) -> impl Iterator<Item = &Violation> {
        self.causes.iter().chain(&self.symptoms)
    }

    /// How bad the worst of it is.
    pub fn severity(&self) -> Severity {
        let worst = self.violations().map(|violation| violation.severity).max();
        worst.unwrap_or(Severity::Info)
    }

    /// Since when any of it is broken.
    pub fn since(&self) -> Timestamp {
        let first = self.violations().map(|violation| violation.since).min();
        first.unwrap_or(Timestamp::EPOCH)
    }
}

/// Groups open violations into incidents, the worst first, then the earliest.
///
/// A violation whose rule is a [symptom](crate::Rule::symptom_of) of another that is open stands under
/// it: of several, under one about the same entity before any other, then under the earliest. A symptom
/// of the cluster stands under every cause it may have, and joins their incidents into one. Everything
/// else is an incident of its own, so that independent faults stay apart. It is a pure function of what
/// is open: a symptom that was seen before its cause moves under it when the cause appears.
pub fn incidents<'a>(open: impl IntoIterator<Item = &'a Violation>) -> Vec<Incident> {
    let mut open: Vec<&Violation> = open.into_iter().collect();
    open.sort_by_key(|violation| key(violation));
    let index = Index::of(&open);
    let causes: Vec<Vec<usize>> = (0..open.len())
        .map(|symptom| index.causes_of(symptom))
        .collect();
    let mut incidents: Vec<Incident> = joined(&causes)
        .into_values()
        .map(|members| incident(&members, &causes, &open))
        .collect();
    incidents.sort_by(|a, b| {
        let by_severity = b.severity().cmp(&a.severity());
        by_severity.then_with(|| key(a.cause()).cmp(&key(b.cause())))
    });
    incidents
}

/// The order of violations in time; what began together stands in the order of code and entity.
fn key(violation: &Violation) -> (Timestamp, &str, &Entity) {
    (violation.since, violation.code(), &violation.entity)
}

/// Open violations, earliest first, with where those of a code stand.
struct Index<'a> {
    open: &'a [&'a Violation],
    by_code: HashMap<&'a str, Vec<usize>>,
    by_entity: HashMap<(&'a str, &'a Entity), usize>,
}

impl<'a> Index<'a> {
    fn of(open: &'a [&'a Violation]) -> Self {
        let mut index = Self {
            open,
            by_code: HashMap::new(),
            by_entity: HashMap::new(),
        };
        for (position, violation) in open.iter().enumerate() {
            let (code, entity) = (violation.code(), &violation.entity);
            index.by_code.entry(code).or_default().push(position);
            index.by_entity.entry((code, entity)).or_insert(position);
        }
        index
    }

    /// The positions of what a violation is a symptom of.
    fn causes_of(&self, symptom: usize) -> Vec<usize> {
        let Violation { rule, entity, .. } = self.open[symptom];
        let about_same =
            |(code, _): &(&'a str, Scope)| self.by_entity.get(&(*code, entity)).copied();
        let same = rule.symptom_of.iter().filter_map(about_same);
        if let Some(earliest) = same.filter(|cause| *cause != symptom).min() {
            return vec![earliest];
        }
        let about_any = rule
            .symptom_of
            .iter()
            .filter(|(_, scope)| *scope == Scope::Any);
        let any = about_any.filter_map(|(code, _)| self.by_code.get(code));
        let any = any.map(|causes| causes.iter().copied().filter(|cause| *cause != symptom));
        match entity {
            Entity::Cluster => any.flatten().collect(),
            _ => any
                .filter_map(|mut causes| causes.next())
                .min()
                .into_iter()
                .collect(),
        }
    }
}

/// The positions of violations that are linked, directly or not, each group in the order of time.
fn joined(causes: &[Vec<usize>]) -> BTreeMap<usize, Vec<usize>> {
    let mut parent: Vec<usize> = (0..causes.len()).collect();
    for (symptom, causes) in causes.iter().enumerate() {
        for cause in causes {
            let (a, b) = (root(&mut parent, symptom), root(&mut parent, *cause));
            parent[a.max(b)] = a.min(b);
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for member in 0..causes.len() {
        groups
            .entry(root(&mut parent, member))
            .or_default()
            .push(member);
    }
    groups
}

fn root(parent: &mut [usize], mut member: usize) -> usize {
    while parent[member] != member {
        parent[member] = parent[parent[member]];
        member = parent[member];
    }
    member
}

/// Causes are the members that are symptoms of none. Where rules are symptoms of each other all around,
/// the earliest stands for the cause: an incident without one would be no help to anyone.
fn incident(members: &[usize], causes: &[Vec<usize>], open: &[&Violation]) -> Incident {
    let is_cause = |member: &usize| causes[*member].is_empty();
    let (mut roots, mut rest): (Vec<usize>, Vec<usize>) =
        members.iter().partition(|member| is_cause(member));
    if roots.is_empty() {
        roots.push(rest.remove(0));
    }
    let pick = |members: Vec<usize>| {
        members
            .into_iter()
            .map(|member| open[member].clone())
            .collect()
    };
    Incident {
        causes: pick(roots),
        symptoms: pick(rest),
    }
}
