//! What commands that only look have to say: the payload, and what is missing from it.

use std::collections::BTreeSet;

use operator_core::{Entity, Gap, Result as ReadResult, Timestamp, Why};
use serde::Serialize;

use super::reasons::{by_reason, together};
use super::{BlindForm, SCHEMA};
use crate::context::{Answer, Context};
use crate::exit::Exit;
use crate::failure::advice;
use crate::findings::is_configured;
use crate::target::Shown;
use crate::text::{Line, Page, Tone};

/// What was seen, with what was not.
#[derive(Debug, Serialize)]
pub(crate) struct Seen<'a, P> {
    schema: &'static str,
    command: &'static str,
    at: String,
    target: &'a Shown,
    exit: u8,
    #[serde(flatten)]
    payload: P,
    blind: Vec<BlindForm>,
    #[serde(skip)]
    gaps: Vec<Gap>,
    #[serde(skip)]
    status: Exit,
}

impl<'a, P> Seen<'a, P> {
    pub(crate) fn new(
        command: &'static str,
        at: Timestamp,
        target: &'a Shown,
        payload: P,
        reads: Reads,
    ) -> Self {
        let gaps: Vec<Gap> = reads.gaps.into_iter().filter(is_configured).collect();
        let status = Exit::of_look(gaps.is_empty());
        Self {
            schema: SCHEMA,
            command,
            at: at.to_string(),
            target,
            exit: status.status(),
            payload,
            blind: gaps.iter().map(BlindForm::of_gap).collect(),
            gaps,
            status,
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        self.status
    }
}

/// A payload that people can read too.
pub(crate) trait Payload: Serialize {
    fn page(&self, context: &Context) -> Page;
}

impl<P: Payload> Answer for Seen<'_, P> {
    fn page(&self, context: &Context) -> Page {
        let mut page = self.payload.page(context);
        page.add(gaps_page(&self.gaps));
        page
    }
}

/// What could not be seen, one line each; of very many, the first.
pub(crate) fn gaps_page(gaps: &[Gap]) -> Page {
    let mut page = Page::default();
    let groups = by_reason(gaps, |gap| gap);
    for group in groups.iter().take(MOST_GAPS) {
        page.line(Line::default().tone(Tone::Warn, together(group)).hang(4));
    }
    if groups.len() > MOST_GAPS {
        let rest = groups.len() - MOST_GAPS;
        page.line(Line::default().tone(Tone::Warn, format!("and {rest} more that were not seen")));
    }
    page.add(advice_page(gaps));
    page
}

const MOST_GAPS: usize = 20;

/// What somebody can do about what could not be seen, each thing once.
pub(crate) fn advice_page<'a>(gaps: impl IntoIterator<Item = &'a Gap>) -> Page {
    let mut hints: Vec<String> = Vec::new();
    for gap in gaps {
        if let Why::Failed(error) = gap.why() {
            let new = advice(error).into_iter();
            let new: Vec<String> = new.filter(|hint| !hints.contains(hint)).collect();
            hints.extend(new);
        }
    }
    let mut page = Page::default();
    for hint in hints.iter().take(MOST_HINTS) {
        page.line(Line::default().faint(format!("    try: {hint}")).hang(9));
    }
    page
}

const MOST_HINTS: usize = 4;

/// Collects what reads could not see, so that each costs only itself.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    gaps: Vec<Gap>,
}

impl Reads {
    /// What was read; else nothing, and a gap.
    pub(crate) fn keep<T>(&mut self, what: &'static str, read: ReadResult<T>) -> Option<T> {
        read.map_err(|error| self.gaps.push(Gap::new(what, error.into())))
            .ok()
    }

    /// Notes a gap, once.
    pub(crate) fn miss(&mut self, gap: Gap) {
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }

    pub(crate) fn misses<'a>(&mut self, gaps: impl IntoIterator<Item = &'a Gap>) {
        gaps.into_iter().for_each(|gap| self.miss(gap.clone()));
    }
}

impl Reads {
    /// Notes the gaps of readings, those that have one reason together.
    pub(crate) fn misses_readings<'a>(&mut self, gaps: impl IntoIterator<Item = &'a Gap>) {
        let mut groups: Vec<(&Gap, usize, BTreeSet<&Entity>)> = Vec::new();
        for gap in gaps {
            let alike = |group: &&mut (&Gap, usize, _)| {
                group.0.why() == gap.why() && group.0.origin() == gap.origin()
            };
            let group = match groups.iter_mut().find(alike) {
                Some(group) => group,
                None => {
                    groups.push((gap, 0, BTreeSet::new()));
                    let last = groups.len() - 1;
                    &mut groups[last]
                }
            };
            group.1 += 1;
            group.2.extend(gap.entity());
        }
        for (first, count, entities) in groups {
            if count == 1 {
                self.miss(first.clone());
                continue;
            }
            let gap = Gap::new(format!("{count} readings"), first.why().clone());
            let gap = match (entities.len(), entities.first()) {
                (1, Some(one)) => gap.about((*one).clone()),
                (several, _) if several > 1 => Gap::new(
                    format!("{count} readings of {several} stores"),
                    first.why().clone(),
                ),
                _ => gap,
            };
            self.miss(match first.origin() {
                Some(origin) => gap.at(origin),
                None => gap,
            });
        }
    }
}
