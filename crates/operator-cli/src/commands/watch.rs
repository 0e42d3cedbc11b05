//! `operator watch`: look again and again, and tell what changes.

mod teller;

use std::cell::RefCell;
use std::time::Duration;

use operator_core::Beat;

use super::looking::{DEADLINE, Looking};
use crate::args::{Format, Output, Watch};
use crate::config::{self, Config};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::findings::{Counts, Findings};
use crate::screen::Screen;
use crate::state::{StateFile, Whose};
use crate::stop::{self, Stop};
use crate::target::Pace;
use teller::Teller;
pub(super) use teller::{open_page, pulse};

/// How often to look, and how often to say how the whole is.
const INTERVAL: Duration = Duration::from_secs(10);
const HEARTBEAT: Duration = Duration::from_secs(60);

pub(crate) async fn run(
    watch: Watch,
    output: &Output,
    config: Config,
    context: &Context,
) -> Outcome {
    let Timing {
        interval,
        deadline,
        heartbeat,
    } = Timing::of(&watch, &config.watch)?;
    let state = watch.state.as_ref().or(config.watch.state.as_ref());
    let state = state.map(|path| StateFile::at(path));
    let pace = Pace::Times {
        speed: watch.speed,
        interval,
    };
    let mut looking = Looking::at(&watch.whom, &watch.judge, config, pace, deadline).await?;
    let target = looking.target.shown.to_string();
    let kept = match &state {
        Some(state) => looking.resume(state).await?,
        None => Whose::default(),
    };
    let identity = looking.identity();
    let stop = Stop::default();
    let clock = looking.target.clock.clone();
    let until = async {
        let over = async {
            match watch.lasts {
                Some(lasts) => clock.sleep_until(clock.now() + lasts).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop::wanted() => {}
            () = stop.asked() => {}
            () = over => {}
        }
    };
    let counts = Counts::of(&watch.judge);
    let screen = Screen::new(context.terminal, output.color);
    let told = RefCell::new(Teller::new(context.clone(), screen, target, heartbeat));
    if context.format == Format::Text {
        told.borrow_mut().begin(interval, &looking.monitor)?;
    }
    let last = RefCell::new((Exit::Blind, None::<Failure>));
    let simulated = looking.target.simulated.as_ref();
    looking
        .monitor
        .run(Beat::every(interval), until, |tick, engine| {
            let findings = Findings::of(&tick.snapshot, engine, counts);
            let whose = identity.whose();
            // What was judged by another cluster's cases is not told.
            let mut outcome = match &state {
                Some(state) => state.refuse_other(&kept, &whose),
                None => Ok(()),
            }
            .and_then(|()| told.borrow_mut().tell(&tick, engine, &findings));
            if let (Ok(_), Some(state)) = (&outcome, &state) {
                outcome = state
                    .keep_now(engine, &whose, tick.snapshot.at())
                    .and(outcome);
            }
            if let Some(simulated) = simulated {
                simulated.looked();
            }
            let mut last = last.borrow_mut();
            last.0 = findings.exit();
            match outcome {
                Ok(true) => {}
                Ok(false) => stop.now(),
                Err(failure) => {
                    last.1 = Some(failure);
                    stop.now();
                }
            }
        })
        .await;
    told.borrow_mut().end();
    let (exit, failure) = last.into_inner();
    match failure {
        Some(failure) => Err(failure),
        None => Ok(exit),
    }
}

struct Timing {
    interval: Duration,
    deadline: Duration,
    heartbeat: Duration,
}

impl Timing {
    fn of(watch: &Watch, config: &config::Watch) -> Outcome<Self> {
        let interval = watch.interval.or(config.interval).unwrap_or(INTERVAL);
        if interval < Duration::from_millis(100) {
            let what = "--interval: a look every 100 ms is the most that is asked of a cluster";
            return Err(Failure::usage(what));
        }
        let usual = DEADLINE.min(interval * 4 / 5);
        let deadline = watch.deadline.or(config.deadline).unwrap_or(usual);
        if deadline.is_zero() {
            return Err(Failure::usage("--deadline: a look takes some time"));
        }
        Ok(Self {
            interval,
            deadline,
            heartbeat: watch.heartbeat.or(config.heartbeat).unwrap_or(HEARTBEAT),
        })
    }
}
