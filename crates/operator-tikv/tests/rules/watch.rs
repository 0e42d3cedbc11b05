//! Clusters that are watched by PD and by Prometheus, and what cannot be seen of them.

use operator_sim::{Scenario, Shape};
use operator_tikv::{PromClient, PromOptions, TikvSubject};

use crate::lab::{Lab, PATIENCE};
use crate::watched::Watched;

pub(crate) async fn scenario(name: &str, seed: u64) -> Watched {
    let scenario = Scenario::named(name).expect("a scenario there is");
    watch(Lab::of(scenario.build(seed)).await)
}

pub(crate) async fn shaped(shape: Shape) -> Watched {
    watch(Lab::new(shape).await)
}

fn watch(lab: Lab) -> Watched {
    let options = PromOptions {
        within: PATIENCE,
        ..PromOptions::default()
    };
    let prometheus = PromClient::with(&lab.served.prometheus, options);
    let subject = TikvSubject::builder(lab.pd())
        .prometheus(prometheus.expect("a URL"))
        .build();
    Watched::new(lab, subject)
}

/// What a rule could not see at the last look.
pub(crate) fn blind(watched: &Watched, code: &str) -> Vec<String> {
    let blind = watched.monitor.engine().blind();
    blind
        .filter(|blind| blind.rule.code == code)
        .map(|blind| match blind.entity {
            Some(entity) => format!("{entity}: {}", blind.gap),
            None => blind.gap.to_string(),
        })
        .collect()
}
