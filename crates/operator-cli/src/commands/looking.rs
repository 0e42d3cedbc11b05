//! What commands that judge have in common: a target, rules, an observer.

use std::sync::Arc;
use std::time::Duration;

use operator_core::{Engine, Invariant, Monitor, Observer, Subject};
use operator_tikv::TikvSubject;

use crate::args::{Judge, Whom, Within};
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::state::{StateFile, Whose};
use crate::target::{Pace, Target};

/// What has not answered by then is not seen.
pub(crate) const DEADLINE: Duration = Duration::from_secs(8);

/// How long one look may take.
pub(crate) fn deadline(within: &Within) -> Outcome<Duration> {
    match within.deadline {
        Some(span) if span.is_zero() => Err(Failure::usage("--deadline: a look takes some time")),
        span => Ok(span.unwrap_or(DEADLINE)),
    }
}

/// A target, and what judges it.
#[derive(Debug)]
pub(crate) struct Looking {
    pub(crate) target: Target,
    pub(crate) monitor: Monitor<Arc<TikvSubject>>,
    subject: Arc<TikvSubject>,
}

impl Looking {
    pub(crate) async fn at(
        whom: &Whom,
        judge: &Judge,
        config: Config,
        pace: Pace,
        deadline: Duration,
    ) -> Outcome<Self> {
        let skip = [&judge.skip[..], &config.rules.skip].concat();
        let target = Target::resolve(whom, config, pace).await?;
        let target = target.for_looks_of(deadline);
        let subject = Arc::new(target.subject()?);
        let observer = Observer::new(target.clock.clone(), deadline);
        let engine = Engine::new(chosen(subject.invariants(), &judge.only, &skip)?)
            .map_err(|error| Failure::local(error.to_string()))?;
        let monitor = Monitor::with_engine(Arc::clone(&subject), observer, engine);
        Ok(Self {
            target,
            monitor,
            subject,
        })
    }

    /// Goes on from what a watch has kept of this cluster.
    pub(crate) async fn resume(&mut self, state: &StateFile) -> Outcome<Whose> {
        // Who does not answer is not known yet; whether it matters is for the looks to say.
        let _ = self.subject.pd().members().await;
        let asked = self.identity().whose();
        state.restore(self.monitor.engine_mut(), &asked).await
    }

    /// Which cluster this is, for as long as it is looked at.
    pub(crate) fn identity(&self) -> Identity {
        Identity {
            target: self.target.shown.to_string(),
            subject: Arc::clone(&self.subject),
        }
    }
}

/// Which cluster is looked at: its id is known when one of PD has answered for the first time.
#[derive(Debug)]
pub(crate) struct Identity {
    target: String,
    subject: Arc<TikvSubject>,
}

impl Identity {
    pub(crate) fn whose(&self) -> Whose {
        Whose {
            target: self.target.clone(),
            cluster_id: self.subject.pd().cluster_id(),
        }
    }
}

/// The rules that were asked for. None at all would be a healthy answer about nothing.
fn chosen(
    rules: Vec<Box<dyn Invariant>>,
    only: &[&str],
    skip: &[&str],
) -> Outcome<Vec<Box<dyn Invariant>>> {
    let is_chosen = |code: &str| (only.is_empty() || only.contains(&code)) && !skip.contains(&code);
    let rules: Vec<Box<dyn Invariant>> = rules
        .into_iter()
        .filter(|invariant| is_chosen(invariant.rule().code))
        .collect();
    match rules.is_empty() {
        true => Err(Failure::usage("no rule is left to judge by").hint(
            "fewer codes in --skip (and in [rules] of the configuration), or others in --only",
        )),
        false => Ok(rules),
    }
}
