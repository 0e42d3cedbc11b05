//! `operator capabilities`: what can be observed, judged and done; derived from the subject, asking nobody.

use operator_core::{ActionKind, Subject};
use serde::Serialize;

use crate::args::Look;
use crate::config::Config;
use crate::context::Context;
use crate::failure::Outcome;
use crate::report::{Payload, Reads, RuleForm, Seen};
use crate::target::{Pace, Target};
use crate::text::{Align, Cell, Line, Page, Table, column, ordered};
use crate::units;

/// What the subject can.
#[derive(Debug, Serialize)]
struct Capabilities {
    subject: String,
    sources: Vec<Source>,
    observations: Vec<Part>,
    more: usize,
    regions: bool,
    rules: Vec<RuleForm>,
    actions: Vec<Ability>,
    #[serde(skip)]
    slos: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Source {
    name: &'static str,
    configured: bool,
}

/// Something that is read at a look.
#[derive(Debug, Serialize)]
struct Part {
    name: &'static str,
    /// How long it stands before it is read again; zero is every look.
    every_seconds: f64,
}

#[derive(Debug, Serialize)]
struct Ability {
    action: &'static str,
    offered: bool,
}

fn table() -> Table<Part> {
    Table::new([
        column("observation", Align::Left, 0, |part: &Part| {
            Cell::text(part.name)
        }),
        column("every", Align::Left, 0, |part| match part.every_seconds {
            seconds if seconds > 0.0 => Cell::number(seconds, units::seconds(seconds)),
            _ => Cell::number(0.0, "look"),
        }),
    ])
}

pub(crate) async fn run(look: Look, config: Config, context: &Context) -> Outcome {
    let target = Target::resolve(&look.whom, config, Pace::Midway).await?;
    let subject = target.subject()?;
    let always = ["stores", "store metrics", "cluster metrics"];
    let always = always.into_iter().map(|name| Part {
        name,
        every_seconds: 0.0,
    });
    let parts = subject.parts();
    let parts = parts.iter().map(|part| Part {
        name: part.name(),
        every_seconds: part.beat().as_secs_f64(),
    });
    let (observations, more) = ordered(&table(), always.chain(parts).collect(), &look.order)?;
    let offered = subject.actions().kinds();
    let rules: Vec<_> = subject
        .invariants()
        .iter()
        .map(|one| one.rule().clone())
        .collect();
    let slos = rules.iter().filter_map(|rule| {
        let slo = rule.slo?;
        let (target, window) = (
            units::percent(slo.target_ratio),
            crate::span::lasts(slo.window),
        );
        Some(format!(
            "{} {target} over {window}, by {}",
            slo.name, rule.code
        ))
    });
    let payload = Capabilities {
        subject: subject.name().to_owned(),
        sources: vec![
            Source {
                name: "pd",
                configured: target.shown.pd.is_some(),
            },
            Source {
                name: "prometheus",
                configured: target.shown.prometheus.is_some(),
            },
        ],
        observations,
        more,
        regions: subject.regions().is_some(),
        slos: slos.collect(),
        rules: rules.iter().map(RuleForm::of).collect(),
        actions: ActionKind::ALL
            .iter()
            .map(|kind| Ability {
                action: kind.word(),
                offered: offered.contains(kind),
            })
            .collect(),
    };
    let seen = Seen::new(
        "capabilities",
        target.clock.now(),
        &target.shown,
        payload,
        Reads::default(),
    );
    context.say(&seen)?;
    Ok(seen.exit())
}

impl Payload for Capabilities {
    fn page(&self, context: &Context) -> Page {
        let mut page = table().page(&self.observations, context.terminal.width());
        page.more(self.more);
        page.gap();
        let list = |items: Vec<String>| match items.is_empty() {
            true => "none".to_owned(),
            false => items.join(", "),
        };
        let sources = self.sources.iter().map(|source| {
            let standing = if source.configured {
                ""
            } else {
                " (not configured)"
            };
            format!("{}{standing}", source.name)
        });
        page.fact("subject", self.subject.as_str());
        page.fact("sources", list(sources.collect()));
        page.fact(
            "rules",
            units::counted(
                self.rules.len(),
                "rule; operator rules lists it",
                "rules; operator rules lists them",
            ),
        );
        page.fact("objectives", list(self.slos.clone()));
        let actions = self.actions.iter().filter(|action| action.offered);
        let actions = list(actions.map(|action| action.action.to_owned()).collect());
        page.fact("actions", Line::new(actions));
        page
    }
}
