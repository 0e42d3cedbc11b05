//! What commands that only look have to say: the payload, and what is missing from it.

use operator_core::{Gap, Result as ReadResult, Timestamp};
use serde::Serialize;

use super::{BlindForm, SCHEMA};
use crate::context::{Answer, Context};
use crate::exit::Exit;
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
    for gap in gaps.iter().take(MOST_GAPS) {
        page.line(Line::default().tone(Tone::Warn, gap.to_string()).hang(4));
    }
    if gaps.len() > MOST_GAPS {
        let rest = gaps.len() - MOST_GAPS;
        page.line(Line::default().tone(Tone::Warn, format!("and {rest} more that were not seen")));
    }
    page
}

const MOST_GAPS: usize = 20;

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

    pub(crate) fn kept<T>(&mut self, read: Result<T, Gap>) -> Option<T> {
        read.map_err(|gap| self.miss(gap)).ok()
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
