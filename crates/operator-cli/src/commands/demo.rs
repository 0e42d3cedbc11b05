//! `operator demo`: the whole loop on a simulated cluster, in the terminal: load, a fault, detection with its
//! evidence, recovery.

mod picture;
mod stage;
mod tally;

use std::cell::RefCell;
use std::time::Duration;

use operator_core::{Beat, Monitor, Observer};
use operator_sim::{Scenario, scenarios};
use serde::Serialize;

use super::looking::DEADLINE;
use crate::args::{Demo, Output};
use crate::config::Config;
use crate::context::{Answer, Context};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::findings::{Asked, Counts, Findings};
use crate::report::SCHEMA;
use crate::screen::Screen;
use crate::stop;
use crate::target::{Pace, Simulated, Target, steps};
use crate::text::{Align, Cell, Line, Page, Table, column};
use operator_core::Severity;
use stage::Stage;

/// How often the picture moves.
const FRAME: Duration = Duration::from_millis(100);
/// How often Operator looks, in the cluster's time.
const INTERVAL: Duration = Duration::from_secs(5);
/// No faster than that: some looks must fit into a scenario.
const FASTEST: f64 = 100.0;

pub(crate) async fn run(demo: Demo, output: &Output, context: &Context) -> Outcome {
    if demo.list {
        return list(context);
    }
    if !(demo.speed > 0.0 && demo.speed <= FASTEST) {
        let what = format!(
            "--speed {}: expected more than 0 and at most {FASTEST}",
            demo.speed
        );
        return Err(Failure::usage(what));
    }
    let simulated =
        Simulated::serve(demo.scenario, demo.seed, Pace::Told { interval: INTERVAL }).await?;
    let target = Target::of(simulated, demo.scenario.name, Config::default());
    let Some(simulated) = &target.simulated else {
        return Err(Failure::local("there is no simulated cluster"));
    };
    let observer = Observer::new(target.clock.clone(), DEADLINE);
    let mut monitor = Monitor::new(target.subject()?, observer)
        .map_err(|error| Failure::local(error.to_string()))?;
    let screen = Screen::new(context.terminal, output.color);
    let stage = Stage::new(
        context.clone(),
        screen,
        demo.scenario,
        demo.speed,
        simulated,
    );
    let stage = RefCell::new(stage);
    stage.borrow_mut().open(&target.shown)?;
    let until = async {
        let mut frames = steps(FRAME);
        let mut wanted = std::pin::pin!(stop::wanted());
        loop {
            tokio::select! {
                () = &mut wanted => return stage.borrow_mut().interrupt(),
                _ = frames.tick() => {}
            }
            simulated.advance(FRAME.mul_f64(demo.speed));
            if !stage.borrow_mut().frame(simulated) {
                return;
            }
        }
    };
    let counts = Counts {
        from: Severity::Warning,
        pending: false,
        asked: Asked::Whole,
    };
    monitor
        .run(Beat::every(INTERVAL), until, |tick, engine| {
            let findings = Findings::of(&tick.snapshot, engine, counts);
            stage.borrow_mut().look(tick, engine, findings);
            simulated.looked();
        })
        .await;
    stage.into_inner().close()?;
    Ok(Exit::Healthy)
}

/// The scenarios.
#[derive(Debug, Serialize)]
struct Scenarios {
    schema: &'static str,
    command: &'static str,
    exit: u8,
    scenarios: Vec<Named>,
}

#[derive(Debug, Serialize)]
struct Named {
    name: &'static str,
    summary: &'static str,
}

fn list(context: &Context) -> Outcome {
    let named = |scenario: &Scenario| Named {
        name: scenario.name,
        summary: scenario.summary,
    };
    context.say(&Scenarios {
        schema: SCHEMA,
        command: "demo",
        exit: Exit::Healthy.status(),
        scenarios: scenarios().iter().map(named).collect(),
    })?;
    Ok(Exit::Healthy)
}

impl Answer for Scenarios {
    fn page(&self, context: &Context) -> Page {
        let table = Table::new([
            column("scenario", Align::Left, 0, |row: &Named| {
                Cell::text(row.name)
            }),
            column("what happens", Align::Left, 0, |row| {
                Cell::text(row.summary)
            }),
        ]);
        let mut page = table.page(&self.scenarios, context.terminal.width());
        page.line(Line::default().faint("operator demo SCENARIO shows one"));
        page
    }
}
