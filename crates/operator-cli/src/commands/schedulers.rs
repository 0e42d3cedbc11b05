//! `operator schedulers`: what PD's schedulers are, what keeps them from work, and what they are doing.

use futures_util::future::join3;
use operator_tikv::{PdOperator, ScheduleConfig, Schedulers};
use serde::Serialize;

use crate::args::Look;
use crate::config::Config;
use crate::context::Context;
use crate::failure::Outcome;
use crate::report::{Payload, Reads, Seen};
use crate::target::{Pace, Target};
use crate::text::{Align, Cell, Line, Page, Table, Tone, column, ordered};

/// Schedulers, limits, operators.
#[derive(Debug, Serialize)]
struct Work {
    schedulers: Option<Vec<Scheduler>>,
    /// Of those without which nothing is balanced.
    missing: Vec<&'static str>,
    evicting: Vec<u64>,
    limits: Option<Limits>,
    operators: Option<Vec<Running>>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct Scheduler {
    name: String,
    paused: bool,
    paused_until: Option<String>,
}

#[derive(Debug, Serialize)]
struct Limits {
    halted: Option<bool>,
    leader_schedule_limit: Option<u64>,
    region_schedule_limit: Option<u64>,
    replica_schedule_limit: Option<u64>,
    merge_schedule_limit: Option<u64>,
    hot_region_schedule_limit: Option<u64>,
    low_space_ratio: Option<f64>,
    max_store_down_seconds: Option<f64>,
}

/// An operator of PD that is under way.
#[derive(Debug, Serialize)]
struct Running {
    region: u64,
    description: String,
    brief: String,
    created_at: Option<String>,
    started_at: Option<String>,
}

fn limits(config: &ScheduleConfig) -> Limits {
    Limits {
        halted: config.halted,
        leader_schedule_limit: config.leader_schedule_limit,
        region_schedule_limit: config.region_schedule_limit,
        replica_schedule_limit: config.replica_schedule_limit,
        merge_schedule_limit: config.merge_schedule_limit,
        hot_region_schedule_limit: config.hot_region_schedule_limit,
        low_space_ratio: config.low_space_ratio,
        max_store_down_seconds: config.max_store_down_time.map(|time| time.as_secs_f64()),
    }
}

fn running(operator: &PdOperator) -> Running {
    Running {
        region: operator.region.0,
        description: operator.description.clone(),
        brief: operator.brief.clone(),
        created_at: operator.created_at.map(|at| at.to_string()),
        started_at: operator.started_at.map(|at| at.to_string()),
    }
}

fn listed(schedulers: &Schedulers) -> Vec<Scheduler> {
    let of = |name: &String| {
        let paused = schedulers.paused.iter().find(|paused| paused.name == *name);
        Scheduler {
            name: name.clone(),
            paused: paused.is_some(),
            paused_until: paused
                .and_then(|paused| paused.until)
                .map(|until| until.to_string()),
        }
    };
    schedulers.present.iter().map(of).collect()
}

fn table() -> Table<Running> {
    Table::new([
        column("region", Align::Right, 0, |row: &Running| {
            Cell::count(row.region)
        }),
        column("operator", Align::Left, 0, |row| {
            Cell::text(&row.description)
        }),
        column("does", Align::Left, 0, |row| Cell::text(&row.brief)),
        column("created", Align::Left, 1, |row| match &row.created_at {
            Some(at) => Cell::text(at),
            None => Cell::none("?"),
        }),
    ])
}

pub(crate) async fn run(look: Look, config: Config, context: &Context) -> Outcome {
    let target = Target::resolve(&look.whom, config, Pace::Midway).await?;
    let (pd, mut reads) = (target.pd()?, Reads::default());
    let (schedulers, config, operators) =
        join3(pd.schedulers(), pd.schedule_config(), pd.operators()).await;
    let schedulers = reads.keep("schedulers", schedulers);
    let config = reads.keep("schedule configuration", config);
    let operators = reads.keep("operators", operators);
    reads.misses(operators.iter().flat_map(|operators| operators.gaps.iter()));
    let rows = operators
        .as_ref()
        .map(|operators| operators.items.iter().map(running).collect());
    let (operators, more) = match rows {
        Some(rows) => {
            let (rows, more) = ordered(&table(), rows, &look.order)?;
            (Some(rows), more)
        }
        None => {
            ordered(&table(), Vec::new(), &look.order)?;
            (None, 0)
        }
    };
    let missing = schedulers
        .as_ref()
        .map(|schedulers| schedulers.missing().collect());
    let evicting = schedulers
        .as_ref()
        .map(|schedulers| schedulers.evicting.clone());
    let payload = Work {
        missing: missing.unwrap_or_default(),
        evicting: evicting
            .into_iter()
            .flatten()
            .map(|store| store.0)
            .collect(),
        schedulers: schedulers.as_ref().map(listed),
        limits: config.as_ref().map(limits),
        operators,
        more,
    };
    let seen = Seen::new(
        "schedulers",
        target.clock.now(),
        &target.shown,
        payload,
        reads,
    );
    context.say(&seen)?;
    Ok(seen.exit())
}

impl Payload for Work {
    fn page(&self, context: &Context) -> Page {
        let mut page = Page::default();
        if let Some(Limits {
            halted: Some(true), ..
        }) = &self.limits
        {
            page.line(Line::default().tone(Tone::Bad, "all scheduling is halted"));
        }
        for name in &self.missing {
            page.line(Line::default().tone(Tone::Warn, format!("missing   {name}")));
        }
        for store in &self.evicting {
            let line = format!("evicting  leaders are kept off store/{store}");
            page.line(Line::default().tone(Tone::Warn, line));
        }
        for scheduler in self.schedulers.iter().flatten() {
            page.line(match (scheduler.paused, &scheduler.paused_until) {
                (false, _) => Line::new(format!("present   {}", scheduler.name)),
                (true, Some(until)) => {
                    let line = format!("paused    {} until {until}", scheduler.name);
                    Line::default().tone(Tone::Warn, line)
                }
                (true, None) => {
                    Line::default().tone(Tone::Warn, format!("paused    {}", scheduler.name))
                }
            });
        }
        if let Some(limits) = &self.limits {
            let of = |limit: Option<u64>| {
                limit.map_or_else(|| "?".to_owned(), |limit| limit.to_string())
            };
            page.line(Line::default().faint(format!(
                "limits    leaders {}, regions {}, replicas {}, merges {}, hot regions {}",
                of(limits.leader_schedule_limit),
                of(limits.region_schedule_limit),
                of(limits.replica_schedule_limit),
                of(limits.merge_schedule_limit),
                of(limits.hot_region_schedule_limit),
            )));
        }
        match self.operators.as_deref() {
            Some([]) => page.line(Line::default().faint("nothing is under way")),
            Some(operators) => {
                page.gap();
                page.add(table().page(operators, context.terminal.width()));
            }
            None => {}
        }
        page.more(self.more);
        page
    }
}
