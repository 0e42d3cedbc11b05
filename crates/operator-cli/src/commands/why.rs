//! `operator why CODE`: why there is a finding, or why there is none.

mod readings;

use operator_core::{Engine, Entity, Snapshot, Subject, Timestamp, Verdict, Verdicts};
use operator_tikv::invariants;
use serde::Serialize;

use super::looking::{Looking, deadline};
use super::rules::{KnobForm, knobs};
use crate::args::{Judge, Why};
use crate::config::Config;
use crate::context::{Answer, Context};
use crate::failure::{Failure, Outcome};
use crate::findings::{Counts, Findings, is_configured};
use crate::report::reading::{self, Measure, age};
use crate::report::{BlindForm, EvidenceForm, PendingForm, RuleForm, SCHEMA, ViolationForm, tone};
use crate::span::lasts;
use crate::state::StateFile;
use crate::target::{Pace, Shown};
use crate::text::{Line, Page, Tone};
use crate::units;

/// Why there is a finding, or why there is none.
#[derive(Debug, Serialize)]
struct Answered<'a> {
    schema: &'static str,
    command: &'static str,
    at: String,
    target: &'a Shown,
    exit: u8,
    rule: RuleForm,
    broken_when: &'static str,
    input: &'static str,
    settings: Vec<KnobForm>,
    entities: Vec<About>,
    /// Why the rule as a whole could not judge, where it could not.
    blind: Vec<BlindForm>,
    #[serde(skip)]
    gap: Option<String>,
    #[serde(skip)]
    code: &'static str,
}

/// How the rule stands towards one entity.
#[derive(Debug, Serialize)]
struct About {
    entity: String,
    /// `open`, `pending`, `holds`, `unseen`, `gone` or `not_judged`.
    standing: &'static str,
    violation: Option<ViolationForm>,
    pending: Option<PendingForm>,
    unseen: Option<BlindForm>,
    /// What it was judged by at this look, where that is not evidence already.
    evidence: Vec<EvidenceForm>,
    readings: Vec<ReadingForm>,
    #[serde(skip)]
    lines: Vec<Line>,
}

/// A measurement that the rule reads, as it is now.
#[derive(Debug, Serialize)]
struct ReadingForm {
    name: &'static str,
    #[serde(flatten)]
    is: reading::Is,
}

pub(crate) async fn run(args: Why, config: Config, context: &Context) -> Outcome {
    let settings = config.rules.settings.clone();
    let page = invariants::page(args.code).map_err(|error| Failure::usage(error.to_string()))?;
    let judge = Judge::default();
    let within = deadline(&args.within)?;
    let mut looking = Looking::at(&args.whom, &judge, config, Pace::Midway, within).await?;
    if let Some(path) = &args.state {
        looking.resume(&StateFile::at(path)).await?;
    }
    let tick = looking.monitor.tick().await;
    let (engine, snapshot) = (looking.monitor.engine(), &tick.snapshot);
    let findings = Findings::of(snapshot, engine, Counts::of(&judge));
    let rules = looking.monitor.subject().invariants();
    let rule = rules.iter().find(|one| one.rule().code == args.code);
    let rule = rule.ok_or_else(|| {
        Failure::usage(format!(
            "rule `{}` is left out by the configuration",
            args.code
        ))
    })?;
    let mut verdicts = Verdicts::default();
    let blind = rule.check(snapshot, &mut verdicts).err();
    let wanted = args.entity.or(args.store.map(Entity::Store));
    if let Some(Entity::Store(id)) = &wanted
        && let Ok(stores) = snapshot.stores()
        && !stores.items.iter().any(|store| store.id == *id)
    {
        let known: Vec<String> = stores
            .items
            .iter()
            .map(|store| store.id.to_string())
            .collect();
        return Err(Failure::usage(format!("there is no store {id}"))
            .hint(format!("one of {}", known.join(", "))));
    }
    let entities = match &wanted {
        Some(entity) => vec![entity.clone()],
        None => judged(engine, &verdicts, args.code),
    };
    let now = snapshot.at();
    let about = entities.iter().map(|entity| {
        let verdict = match &blind {
            Some(gap) => Some(Verdict::Unseen(gap.clone())),
            None => verdicts.of(entity),
        };
        let mut about = about(entity, verdict, &findings, args.code, context, now);
        about.read(entity, snapshot, args.code, now);
        about
    });
    let answer = Answered {
        schema: SCHEMA,
        command: "why",
        at: now.to_string(),
        target: &looking.target.shown,
        exit: 0,
        broken_when: page.broken_when,
        input: page.input,
        settings: knobs(page, &settings),
        entities: about.collect(),
        blind: blind.iter().map(BlindForm::of_gap).collect(),
        gap: blind.as_ref().map(ToString::to_string),
        rule: RuleForm::of(rule.rule()).standing(findings.standing(args.code)),
        code: args.code,
    };
    let is_unseen = answer.entities.iter().any(|one| one.standing == "unseen");
    let is_configured = blind.as_ref().is_none_or(is_configured);
    let exit = crate::exit::Exit::of_look(!(is_unseen || blind.is_some()) || !is_configured);
    context.say(&Answered {
        exit: exit.status(),
        ..answer
    })?;
    Ok(exit)
}

/// Every entity that the rule has something to say about; those that do badly first.
fn judged(engine: &Engine, verdicts: &Verdicts, code: &str) -> Vec<Entity> {
    let open = engine
        .open()
        .filter(|open| open.code() == code)
        .map(|open| &open.entity);
    let pending = engine.pending().filter(|pending| pending.rule.code == code);
    let pending = pending.map(|pending| pending.entity);
    let named = verdicts.iter().map(|(entity, _)| entity);
    let mut all: Vec<Entity> = Vec::new();
    for entity in open.chain(pending).chain(named) {
        if !all.contains(entity) {
            all.push(entity.clone());
        }
        if all.len() == MOST {
            break;
        }
    }
    all
}

/// So many entities are explained at once; `--store` and `--entity` name any other.
const MOST: usize = 200;

fn about(
    entity: &Entity,
    verdict: Option<Verdict>,
    findings: &Findings,
    code: &str,
    context: &Context,
    now: Timestamp,
) -> About {
    let mut about = About {
        entity: entity.to_string(),
        standing: "not_judged",
        violation: None,
        pending: None,
        unseen: None,
        evidence: Vec::new(),
        readings: Vec::new(),
        lines: Vec::new(),
    };
    let mut incidents = findings.incidents.iter();
    let open = incidents.find_map(|incident| {
        let own = incident
            .violations()
            .find(|open| open.code() == code && open.entity == *entity)?;
        let is_symptom = !incident.causes.contains(own);
        Some((own, is_symptom.then(|| incident.cause())))
    });
    if let Some((open, cause)) = open {
        about.standing = "open";
        about.violation = Some(ViolationForm::of(open, cause));
        let head = Line::default().tone(tone(open.severity), open.severity.to_string());
        about.lines.push(head.plain(format!(
            " since {} ({}), raised {}",
            context.when(open.since),
            lasts(now.since(open.since)),
            context.when(open.raised_at)
        )));
        about.lines.extend(
            open.evidence
                .quantities
                .iter()
                .map(|one| quantity(one, now)),
        );
        if let Some(cause) = cause {
            about.lines.push(Line::new(format!(
                "it follows from {} {}",
                cause.code(),
                cause.entity
            )));
        }
    }
    let pending = findings.pending.iter();
    let mut pending = pending.filter(|one| one.rule.code == code && one.entity == *entity);
    if let Some(pending) = pending.next() {
        about.standing = "pending";
        about.pending = Some(PendingForm::of(pending));
        let left = lasts(pending.grace_left);
        let head = Line::default().tone(Tone::Note, "pending");
        about
            .lines
            .push(head.plain(format!(": seen broken, {left} of grace left")));
        about.lines.extend(
            pending
                .evidence
                .quantities
                .iter()
                .map(|one| quantity(one, now)),
        );
    }
    if about.standing == "not_judged" {
        about.take(verdict);
    }
    about
}

impl About {
    /// What the rule says where there is no finding.
    fn take(&mut self, verdict: Option<Verdict>) {
        let good = |text: &str| Line::default().tone(Tone::Good, text);
        match verdict {
            Some(Verdict::Holds) => {
                self.standing = "holds";
                self.lines
                    .push(good("it holds: nothing of this is seen now"));
            }
            Some(Verdict::Gone) => {
                self.standing = "gone";
                self.lines
                    .push(Line::new("there is no such thing any more"));
            }
            Some(Verdict::Unseen(gap)) if !is_configured(&gap) => {
                self.standing = "not_configured";
                self.unseen = Some(BlindForm::of_gap(&gap));
                self.lines
                    .push(Line::default().faint(format!("not judged: {gap}")));
            }
            Some(Verdict::Unseen(gap)) => {
                self.standing = "unseen";
                self.unseen = Some(BlindForm::of_gap(&gap));
                let line = format!("nobody can tell: {gap}");
                self.lines
                    .push(Line::default().tone(Tone::Warn, line).hang(4));
            }
            Some(Verdict::Broken(broken)) => {
                self.standing = "pending";
                self.evidence = EvidenceForm::all(&broken.evidence);
                let evidence = units::evidence(&broken.evidence);
                self.lines
                    .push(Line::new(format!("broken: {evidence}")).hang(4));
            }
            None => self.lines.push(Line::new(
                "the rule does not judge it: it is about other things",
            )),
        }
    }

    /// What is measured now of what the rule reads, as far as it is about a store.
    fn read(&mut self, entity: &Entity, snapshot: &Snapshot, code: &str, now: Timestamp) {
        let Entity::Store(id) = entity else { return };
        let Ok(metrics) = snapshot.metrics_of(*id) else {
            return;
        };
        let mut measures = reading::of_metrics(metrics);
        if let Ok(strains) = snapshot.part::<operator_core::Listing<operator_tikv::StoreStrain>>() {
            let own = strains
                .value
                .items
                .iter()
                .filter(|strain| strain.store == *id);
            measures.extend(own.flat_map(reading::of_strain));
        }
        let read = readings::of(code);
        for measure in measures
            .iter()
            .filter(|measure| read.contains(&measure.name))
        {
            self.lines.push(read_line(measure, now));
            self.readings.push(ReadingForm {
                name: measure.name,
                is: measure.is.clone(),
            });
        }
    }
}

fn read_line(measure: &Measure, now: Timestamp) -> Line {
    let line = Line::new(format!(
        "{} {}",
        measure.name.replace('_', " "),
        measure.text()
    ))
    .hang(8);
    match &measure.is {
        reading::Is::Seen { source, .. } => {
            line.faint(format!(", {} old, from {source}", age(measure.at(), now)))
        }
        _ => line,
    }
}

fn quantity(quantity: &operator_core::Quantity, now: Timestamp) -> Line {
    let (age, source) = (lasts(now.since(quantity.sampled_at)), &quantity.source);
    Line::new(units::quantity(quantity))
        .faint(format!(", {age} old, from {source}"))
        .hang(8)
}

impl Answer for Answered<'_> {
    fn page(&self, _: &Context) -> Page {
        let mut page = Page::default();
        let (code, summary) = self.rule.named();
        page.line(
            Line::default()
                .strong(code)
                .plain(format!(": {summary}"))
                .hang(4),
        );
        page.line(
            Line::default()
                .faint(format!("broken when: {}", self.broken_when))
                .hang(4),
        );
        let knobs: Vec<String> = self
            .settings
            .iter()
            .map(|knob| format!("{} {}", knob.name, knob.shown))
            .collect();
        page.line(
            Line::default()
                .faint(format!("judged by: {}", knobs.join(", ")))
                .hang(4),
        );
        if let Some(gap) = &self.gap {
            page.line(
                Line::default()
                    .tone(Tone::Warn, format!("the rule cannot judge: {gap}"))
                    .hang(4),
            );
        }
        for about in &self.entities {
            page.gap();
            page.line(Line::default().strong(&about.entity));
            for line in &about.lines {
                page.line(Line::new("    ").join(line.clone()).hang(8));
            }
        }
        if self.entities.is_empty() && self.gap.is_none() {
            page.line("it has nothing to judge: there is no entity that it is about");
        }
        page.line(Line::default().faint(format!("operator explain {} says more", self.code)));
        page
    }
}
