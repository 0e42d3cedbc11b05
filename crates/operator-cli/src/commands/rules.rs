//! `operator rules`: the list; `operator explain CODE`: one of them, with all that a person needs to know.

use operator_core::{Rule, Scope};
use operator_tikv::invariants::{self, Page as Handbook, Settings};
use serde::Serialize;

use crate::args::{Explain, Rules};
use crate::config::Config;
use crate::context::{Answer, Context};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::report::{RuleForm, SCHEMA};
use crate::rulebook;
use crate::span::lasts;
use crate::text::{Align, Cell, Line, Page, Table, column, ordered};

#[derive(Debug, Serialize)]
struct List {
    schema: &'static str,
    command: &'static str,
    exit: u8,
    rules: Vec<RuleForm>,
    #[serde(skip)]
    rows: Vec<Rule>,
    #[serde(skip)]
    more: usize,
}

fn table() -> Table<Rule> {
    fn span(span: std::time::Duration) -> Cell {
        Cell::number(span.as_secs_f64(), lasts(span))
    }
    Table::new([
        column("code", Align::Left, 0, |rule: &Rule| Cell::text(rule.code)),
        column("kind", Align::Left, 2, |rule| {
            Cell::text(rule.kind.to_string())
        }),
        column("grace", Align::Right, 1, |rule| span(rule.grace)),
        column("settle", Align::Right, 2, |rule| span(rule.settle)),
        column("broken", Align::Left, 0, |rule| Cell::text(rule.summary)),
        column("objective", Align::Left, 3, |rule| match &rule.slo {
            Some(slo) => Cell::text(slo.name),
            None => Cell::none(""),
        }),
    ])
}

pub(crate) fn list(args: &Rules, config: &Config, context: &Context) -> Outcome {
    let rules = rulebook::rules(&config.rules.settings);
    let (rows, more) = ordered(&table(), rules, &args.order)?;
    context.say(&List {
        schema: SCHEMA,
        command: "rules",
        exit: Exit::Healthy.status(),
        rules: rows.iter().map(RuleForm::of).collect(),
        rows,
        more,
    })?;
    Ok(Exit::Healthy)
}

impl Answer for List {
    fn page(&self, context: &Context) -> Page {
        let mut page = table().page(&self.rows, context.terminal.width());
        page.more(self.more);
        let line = "operator explain CODE says what one means, and what to do";
        page.line(Line::default().faint(line));
        page
    }
}

/// Everything about one rule.
#[derive(Debug, Serialize)]
struct Explained {
    schema: &'static str,
    command: &'static str,
    exit: u8,
    rule: RuleForm,
    broken_when: &'static str,
    entity: &'static str,
    input: &'static str,
    meaning: &'static str,
    evidence: &'static str,
    origin: &'static str,
    false_alarms: &'static str,
    what_to_do: &'static [&'static str],
    settings: Vec<KnobForm>,
    #[serde(skip)]
    symptom_of: Vec<String>,
}

/// Something about it that can be set.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct KnobForm {
    pub(crate) name: &'static str,
    /// In seconds, as a share from 0 to 1, or as a number.
    value: f64,
    default: f64,
    about: &'static str,
    #[serde(skip)]
    pub(crate) shown: String,
}

/// What of a rule can be set, and what it is set to.
pub(crate) fn knobs(page: &Handbook, settings: &Settings) -> Vec<KnobForm> {
    let of = |knob: invariants::Knob| {
        let value = settings.of(page.code, &knob);
        KnobForm {
            name: knob.name,
            value,
            default: knob.default,
            about: knob.about,
            shown: knob.show(value),
        }
    };
    page.settable().map(of).collect()
}

pub(crate) fn explain(args: &Explain, config: &Config, context: &Context) -> Outcome {
    let settings = &config.rules.settings;
    let page = invariants::page(args.code).map_err(|error| Failure::usage(error.to_string()))?;
    let rules = rulebook::rules(settings);
    let rule = rules.iter().find(|rule| rule.code == args.code);
    let rule =
        rule.ok_or_else(|| Failure::local(format!("rule `{}` is not registered", args.code)))?;
    context.say(&Explained {
        schema: SCHEMA,
        command: "explain",
        exit: Exit::Healthy.status(),
        broken_when: page.broken_when,
        entity: page.entity,
        input: page.input,
        meaning: page.meaning,
        evidence: page.evidence,
        origin: page.origin,
        false_alarms: page.false_alarms,
        what_to_do: page.what_to_do,
        settings: knobs(page, settings),
        symptom_of: rule
            .symptom_of
            .iter()
            .map(|(code, scope)| match scope {
                Scope::Same => format!("{code} of the same"),
                Scope::Any => (*code).to_owned(),
            })
            .collect(),
        rule: RuleForm::of(rule),
    })?;
    Ok(Exit::Healthy)
}

impl Answer for Explained {
    fn page(&self, _: &Context) -> Page {
        let mut page = Page::default();
        let (code, summary) = self.rule.named();
        page.line(
            Line::default()
                .strong(code)
                .plain(format!(": {summary}"))
                .hang(4),
        );
        page.gap();
        page.fact("broken when", self.broken_when);
        page.fact("about", self.entity);
        page.fact("it means", self.meaning);
        page.fact("reads", self.input);
        page.fact("shows", self.evidence);
        if !self.symptom_of.is_empty() {
            page.fact("may follow from", self.symptom_of.join(", "));
        }
        page.fact("thresholds from", self.origin);
        page.fact("false alarms", self.false_alarms);
        page.heading("what to do");
        for (step, what) in self.what_to_do.iter().enumerate() {
            page.line(Line::new(format!("{}. {what}", step + 1)).hang(3));
        }
        page.heading("settings");
        for knob in &self.settings {
            let line = Line::new(&knob.shown).faint(format!("  {}", knob.about));
            page.fact(knob.name, line);
        }
        page.line(Line::default().faint(format!("set in [rules.{code}] of the configuration")));
        page
    }
}
