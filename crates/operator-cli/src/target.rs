//! From what was named to what can be looked at: a flag beats the environment, the environment beats the file.

mod sim;

use std::time::Duration;

use operator_core::Clock;
use operator_sim::Scenario;
use operator_tikv::invariants::Settings;
use operator_tikv::{PdClient, PdOptions, PromClient, PromOptions, TikvSubject};
use serde::Serialize;

use crate::args::Whom;
use crate::config::Config;
use crate::failure::{Failure, Outcome};
pub(crate) use sim::{Pace, Simulated, steps};

/// Which cluster is meant.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Meant {
    Simulated(&'static Scenario),
    Live,
}

/// A cluster that can be looked at.
#[derive(Debug)]
pub(crate) struct Target {
    pd: Option<String>,
    prometheus: Option<String>,
    pub(crate) clock: Clock,
    pub(crate) shown: Shown,
    pub(crate) simulated: Option<Simulated>,
    settings: Settings,
    pd_options: PdOptions,
    prom_options: PromOptions,
}

/// A target as it is named: without secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Shown {
    pub(crate) pd: Option<String>,
    pub(crate) prometheus: Option<String>,
    pub(crate) sim: Option<String>,
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(scenario) = &self.sim {
            return write!(f, "sim:{scenario}");
        }
        match (&self.pd, &self.prometheus) {
            (Some(pd), Some(prometheus)) => write!(f, "{pd} and {prometheus}"),
            (Some(one), None) | (None, Some(one)) => f.write_str(one),
            (None, None) => f.write_str("nothing"),
        }
    }
}

/// What was said about the target, wherever it was said.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    pd: Option<String>,
    prometheus: Option<String>,
}

/// The first of them that was given, flag before environment before file. What is empty was not given.
fn said(whom: &Whom, var: impl Fn(&str) -> Option<String>, config: &Config) -> Said {
    let first = |flag: &Option<String>, name: &str, file: &Option<String>| {
        let given = [flag.clone(), var(name), file.clone()];
        let mut given = given.into_iter().flatten();
        given.find(|text| !text.trim().is_empty())
    };
    Said {
        pd: first(&whom.pd, "OPERATOR_PD", &config.pd.urls),
        prometheus: first(
            &whom.prometheus,
            "OPERATOR_PROMETHEUS",
            &config.prometheus.url,
        ),
    }
}

impl Target {
    /// The cluster that was named, with the file's settings.
    pub(crate) async fn resolve(whom: &Whom, config: Config, pace: Pace) -> Outcome<Self> {
        let meant = match whom.sim {
            Some(scenario) => Meant::Simulated(scenario),
            None => Meant::Live,
        };
        match meant {
            Meant::Simulated(scenario) => Self::simulated(scenario, config, pace).await,
            Meant::Live => {
                let var = |name: &str| std::env::var(name).ok();
                Self::live(said(whom, var, &config), config)
            }
        }
    }

    fn live(said: Said, config: Config) -> Outcome<Self> {
        if said == Said::default() {
            let what =
                "no cluster is named: --pd URL, --prometheus URL, --config FILE or --sim is needed";
            return Err(Failure::usage(what)
                .hint("--pd http://HOST:2379, or OPERATOR_PD in the environment")
                .hint("--sim, for a cluster that exists only as numbers; or operator demo"));
        }
        let clock = Clock::system();
        let mut target = Self {
            settings: config.rules.settings.clone(),
            pd_options: pd_options(&config, &clock),
            prom_options: prom_options(config),
            pd: said.pd,
            prometheus: said.prometheus,
            clock,
            shown: Shown::default(),
            simulated: None,
        };
        // Named as the clients name them: without secrets.
        target.shown = Shown {
            pd: match &target.pd {
                Some(_) => Some(target.pd()?.to_string()),
                None => None,
            },
            prometheus: target.prometheus()?.map(|client| client.to_string()),
            sim: None,
        };
        Ok(target)
    }

    async fn simulated(scenario: &'static Scenario, config: Config, pace: Pace) -> Outcome<Self> {
        let simulated = Simulated::serve(scenario, SEED, pace).await?;
        Ok(Self::of(simulated, scenario.name, config))
    }

    /// A simulated cluster. Of the file, what is set of rules and of patience counts; the rest is about other
    /// clusters.
    pub(crate) fn of(simulated: Simulated, scenario: &str, config: Config) -> Self {
        let clock = simulated.clock();
        let mut own = Config {
            rules: config.rules,
            ..Config::default()
        };
        own.pd.timeout = config.pd.timeout;
        own.prometheus.timeout = config.prometheus.timeout;
        Self {
            pd: Some(simulated.pd()),
            prometheus: Some(simulated.prometheus()),
            shown: Shown {
                pd: Some(simulated.pd()),
                prometheus: Some(simulated.prometheus()),
                sim: Some(scenario.to_owned()),
            },
            settings: own.rules.settings.clone(),
            pd_options: pd_options(&own, &clock),
            prom_options: prom_options(own),
            clock,
            simulated: Some(simulated),
        }
    }

    /// For looks that take no longer than this: no answer is awaited for more than three quarters of it, so that
    /// one that does not come is told by who owes it, and what else there is can still be asked.
    pub(crate) fn for_looks_of(mut self, deadline: Duration) -> Self {
        let most = deadline * 3 / 4;
        for within in [&mut self.pd_options.within, &mut self.prom_options.within] {
            *within = most.min(*within);
        }
        self
    }

    /// A client of PD.
    pub(crate) fn pd(&self) -> Outcome<PdClient> {
        let urls = self.pd.as_deref().ok_or_else(|| {
            Failure::usage("this is PD's to say, and no PD is named")
                .hint("--pd http://HOST:2379, OPERATOR_PD, or urls in [pd] of the configuration")
        })?;
        PdClient::with(urls, self.pd_options.clone())
            .map_err(|error| Failure::usage(format!("PD: {error:#}")))
    }

    /// A client of Prometheus, where one is named.
    pub(crate) fn prometheus(&self) -> Outcome<Option<PromClient>> {
        let client = self.prometheus.as_deref().map(|url| {
            PromClient::with(url, self.prom_options.clone())
                .map_err(|error| Failure::usage(format!("Prometheus: {error:#}")))
        });
        client.transpose()
    }

    /// A client of Prometheus, without which there is no answer.
    pub(crate) fn needed_prometheus(&self) -> Outcome<PromClient> {
        self.prometheus()?.ok_or_else(|| {
            Failure::usage("this is Prometheus' to say, and no Prometheus is named").hint(
                "--prometheus http://HOST:9090, OPERATOR_PROMETHEUS, or url in [prometheus] of the configuration",
            )
        })
    }

    /// The cluster as a subject.
    pub(crate) fn subject(&self) -> Outcome<TikvSubject> {
        let builder = TikvSubject::builder(self.pd()?).settings(self.settings.clone());
        Ok(match self.prometheus()? {
            Some(prometheus) => builder.prometheus(prometheus).build(),
            None => builder.build(),
        })
    }
}

/// The seed of all chance in a simulated cluster.
const SEED: u64 = 1;

fn pd_options(config: &Config, clock: &Clock) -> PdOptions {
    let defaults = PdOptions::default();
    PdOptions {
        within: config.pd.timeout.unwrap_or(defaults.within),
        cluster_id: config.pd.cluster_id,
        tls: config.pd.tls.clone(),
        clock: clock.clone(),
        ..defaults
    }
}

fn prom_options(config: Config) -> PromOptions {
    let (defaults, said) = (PromOptions::default(), config.prometheus);
    let or = |said: Option<Duration>, default| said.unwrap_or(default);
    PromOptions {
        within: or(said.timeout, defaults.within),
        scrape_every: or(said.scrape_interval, defaults.scrape_every),
        window: or(said.window, defaults.window),
        job: said.job.unwrap_or(defaults.job),
        pd_job: said.pd_job.unwrap_or(defaults.pd_job),
        matchers: said.matchers.unwrap_or(defaults.matchers),
        template: said.template,
        auth: said.auth,
        headers: said.headers,
        parameters: said.parameters,
        tls: said.tls,
        ..PromOptions::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_beats_the_environment_and_the_environment_beats_the_file() {
        let pd = |flag: Option<&str>, env: Option<&str>, file: Option<&str>| {
            let whom = Whom {
                pd: flag.map(str::to_owned),
                ..Whom::default()
            };
            let mut config = Config::default();
            config.pd.urls = file.map(str::to_owned);
            let var = |name: &str| env.filter(|_| name == "OPERATOR_PD").map(str::to_owned);
            said(&whom, var, &config).pd
        };
        let (flag, env, file) = (Some("flag"), Some("env"), Some("file"));
        assert_eq!(pd(flag, env, file).as_deref(), flag);
        assert_eq!(pd(None, env, file).as_deref(), env);
        assert_eq!(pd(None, Some(" "), file).as_deref(), file);
        assert_eq!(pd(None, None, file).as_deref(), file);
        assert_eq!(pd(None, None, None), None);
    }

    #[test]
    fn no_answer_is_awaited_for_longer_than_a_look() {
        let fitted = |said: Option<u64>, deadline: u64| {
            let mut config = Config::default();
            config.pd.timeout = said.map(Duration::from_secs);
            config.prometheus.timeout = config.pd.timeout;
            let pd = Some("pd:2379".to_owned());
            let target = Target::live(
                Said {
                    pd,
                    ..Said::default()
                },
                config,
            );
            let target = target.expect("it is named");
            let target = target.for_looks_of(Duration::from_secs(deadline));
            [target.pd_options.within, target.prom_options.within].map(|span| span.as_millis())
        };
        assert_eq!(fitted(None, 8), [4000, 6000]);
        assert_eq!(fitted(None, 2), [1500, 1500]);
        assert_eq!(fitted(Some(20), 8), [6000, 6000]);
        assert_eq!(fitted(Some(20), 60), [20_000, 20_000]);
    }

    #[test]
    fn a_target_is_named_in_one_line() {
        let shown = |pd: Option<&str>, prometheus: Option<&str>, sim: Option<&str>| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            Shown {
                pd: own(pd),
                prometheus: own(prometheus),
                sim: own(sim),
            }
            .to_string()
        };
        assert_eq!(shown(Some("http://a"), None, None), "http://a");
        assert_eq!(
            shown(Some("http://a"), Some("http://b"), None),
            "http://a and http://b"
        );
        assert_eq!(
            shown(Some("http://a"), None, Some("healthy")),
            "sim:healthy"
        );
    }
}
