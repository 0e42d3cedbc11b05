//! `operator status`: one screen. What is wrong first, then the cluster, then its objectives.

mod cluster;
mod objectives;

use serde::Serialize;

use super::looking::{Looking, deadline};
use crate::args::Status;
use crate::config::Config;
use crate::context::{Answer, Context};
use crate::failure::Outcome;
use crate::findings::{Counts, Findings};
use crate::report::Judged;
use crate::report::judged::{verdict, wrong};
use crate::state::StateFile;
use crate::target::Pace;
use crate::text::{Line, Page};
use cluster::ClusterForm;
use objectives::ObjectiveForm;

/// So many of each kind fit on one screen.
const MOST: usize = 4;

/// One screen.
#[derive(Debug, Serialize)]
struct Screen<'a> {
    #[serde(flatten)]
    judged: Judged<'a>,
    cluster: ClusterForm,
    objectives: Vec<ObjectiveForm>,
    #[serde(skip)]
    findings: &'a Findings,
    #[serde(skip)]
    target: String,
}

pub(crate) async fn run(status: Status, config: Config, context: &Context) -> Outcome {
    let within = deadline(&status.within)?;
    let mut looking =
        Looking::at(&status.whom, &status.judge, config, Pace::Midway, within).await?;
    if let Some(path) = &status.state {
        looking.resume(&StateFile::at(path)).await?;
    }
    let tick = looking.monitor.tick().await;
    let engine = looking.monitor.engine();
    let findings = Findings::of(&tick.snapshot, engine, Counts::of(&status.judge));
    context.say(&Screen {
        judged: Judged::of("status", &looking.target.shown, &findings),
        cluster: ClusterForm::of(&tick.snapshot, engine.expected()),
        objectives: objectives::all(engine),
        findings: &findings,
        target: looking.target.shown.to_string(),
    })?;
    Ok(findings.exit())
}

impl Answer for Screen<'_> {
    fn page(&self, context: &Context) -> Page {
        let mut page = Page::default();
        let (word, tone) = verdict(self.findings);
        let at = context.when(self.findings.at);
        let head = Line::default()
            .tone(tone, word)
            .plain(format!("  {}", self.target));
        page.line(head.faint(format!("  {at}")).hang(4));
        page.gap();
        page.add(wrong(self.findings, MOST, context));
        page.heading("cluster");
        page.add(self.cluster.page());
        if !self.objectives.is_empty() {
            page.heading("objectives");
            for objective in &self.objectives {
                page.line(objective.line());
            }
        }
        page
    }
}
