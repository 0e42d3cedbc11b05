//! `operator maintenance`: what is worked on, so that what it breaks is expected.

use operator_core::{Clock, Entity, Maintenance, Timestamp};
use serde::Serialize;

use crate::args::{Maintenance as Args, MaintenanceCommand, StateFile as Path};
use crate::config::Config;
use crate::context::{Answer, Context};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::report::{MaintenanceForm, SCHEMA};
use crate::span::lasts;
use crate::state::StateFile;
use crate::text::{Align, Cell, Line, Page, Table, column, ordered};

/// What is declared, and what has just been done about it.
#[derive(Debug, Serialize)]
struct Declared {
    schema: &'static str,
    command: &'static str,
    at: String,
    exit: u8,
    state: String,
    maintenance: Vec<MaintenanceForm>,
    #[serde(skip)]
    rows: Vec<Row>,
    #[serde(skip)]
    done: Option<String>,
}

/// One of them.
#[derive(Debug, Clone)]
struct Row {
    maintenance: Maintenance,
    until: String,
    left: String,
    left_seconds: f64,
}

pub(crate) async fn run(args: Args, config: Config, context: &Context) -> Outcome {
    let now = Clock::system().now();
    match args.command {
        MaintenanceCommand::Declare {
            entity,
            lasts: span,
            until,
            why,
            state,
        } => {
            let until = match (until, span) {
                (Some(until), _) => until,
                (None, span) => now + span.unwrap_or_default(),
            };
            if until <= now {
                let what = format!("{until} is not ahead: it is {now}");
                return Err(Failure::usage(what));
            }
            let file = file(&state, &config)?;
            let declared = Maintenance { entity, until, why };
            let done = format!(
                "{} is expected to be worked on until {}",
                declared.entity,
                context.when(until)
            );
            file.change(now, |engine| engine.expect(declared)).await?;
            tell(&file, now, Some(done), None, context).await
        }
        MaintenanceCommand::List { state, order } => {
            tell(&file(&state, &config)?, now, None, Some(&order), context).await
        }
        MaintenanceCommand::End { entity, state } => {
            let file = file(&state, &config)?;
            let ended = file.change(now, |engine| engine.unexpect(&entity)).await?;
            if !ended {
                return Err(none(&file, &entity).await);
            }
            let done = format!("the maintenance of {entity} has ended");
            tell(&file, now, Some(done), None, context).await
        }
    }
}

fn file(state: &Path, config: &Config) -> Outcome<StateFile> {
    let path = state.state.as_ref().or(config.watch.state.as_ref());
    path.map(|path| StateFile::at(path)).ok_or_else(|| {
        Failure::usage("maintenance is kept in the state file of a watch, and none is named")
            .hint("--state FILE, or state-file in [watch] of the configuration")
    })
}

async fn none(file: &StateFile, entity: &Entity) -> Failure {
    let declared = file.declared().await.unwrap_or_default();
    let known: Vec<String> = declared.iter().map(|one| one.entity.to_string()).collect();
    match known.is_empty() {
        true => Failure::usage(format!(
            "no maintenance of {entity} is declared, nor of anything else"
        )),
        false => Failure::usage(crate::nearest::unknown(
            "maintenance of",
            &entity.to_string(),
            known,
        )),
    }
}

fn table() -> Table<Row> {
    Table::new([
        column("entity", Align::Left, 0, |row: &Row| {
            Cell::text(row.maintenance.entity.to_string())
        }),
        column("until", Align::Left, 0, |row| Cell::text(&row.until)),
        column("left", Align::Right, 0, |row| {
            Cell::number(row.left_seconds, &row.left)
        }),
        column("why", Align::Left, 0, |row| {
            Cell::text(&row.maintenance.why)
        }),
    ])
}

async fn tell(
    file: &StateFile,
    now: Timestamp,
    done: Option<String>,
    order: Option<&crate::args::Order>,
    context: &Context,
) -> Outcome {
    let declared = file.declared().await?;
    let declared = declared.into_iter().filter(|one| one.until > now);
    let rows = declared.map(|maintenance| Row {
        until: context.when(maintenance.until),
        left: lasts(maintenance.until.since(now)),
        left_seconds: maintenance.until.since(now).as_secs_f64(),
        maintenance,
    });
    let order = order.cloned().unwrap_or_default();
    let (rows, _) = ordered(&table(), rows.collect(), &order)?;
    context.say(&Declared {
        schema: SCHEMA,
        command: "maintenance",
        at: now.to_string(),
        exit: Exit::Healthy.status(),
        state: file.path().to_string(),
        maintenance: rows
            .iter()
            .map(|row| MaintenanceForm::of(&row.maintenance))
            .collect(),
        rows,
        done,
    })?;
    Ok(Exit::Healthy)
}

impl Answer for Declared {
    fn page(&self, context: &Context) -> Page {
        let mut page = Page::default();
        if let Some(done) = &self.done {
            page.line(done.as_str());
        }
        match (self.rows.is_empty(), &self.done) {
            (true, None) => page.line(Line::new("no maintenance is declared")),
            (true, Some(_)) => {}
            (false, _) => page.add(table().page(&self.rows, context.terminal.width())),
        }
        page
    }
}
