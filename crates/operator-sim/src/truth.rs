//! What really happened: the ground truth of an evaluation. No face of the cluster shows any of it.

use crate::cluster::Cluster;
use crate::fault::{Entity, InjectionId};

/// One fault that was planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// Its number.
    pub id: InjectionId,
    /// Its name in the fault table.
    pub fault: &'static str,
    /// Unix milliseconds (of the model) of its onset, which may lie ahead.
    pub onset_unix_ms: u64,
    /// Unix milliseconds of its end; `None` while no end is planned.
    pub end_unix_ms: Option<u64>,
    /// Whether it is active now.
    pub active: bool,
    /// What it touches.
    pub entities: Vec<Entity>,
}

impl Cluster {
    /// Every fault that was ever planned, in the order of planning.
    #[must_use]
    pub fn truth(&self) -> Vec<Truth> {
        let unix = |at: u64| self.shape.began_unix_ms.saturating_add(at);
        self.plan
            .all()
            .map(|(id, injection)| Truth {
                id,
                fault: injection.fault.name,
                onset_unix_ms: unix(injection.onset),
                end_unix_ms: injection.end.map(unix),
                active: injection.active(self.now),
                entities: self.touched(injection),
            })
            .collect()
    }

    fn touched(&self, injection: &crate::fault::Injection) -> Vec<Entity> {
        let named = injection.args.entities();
        match named.is_empty() {
            false => named,
            true if injection.fault.name.starts_with("prometheus") => vec![Entity::Prometheus],
            true => vec![Entity::Cluster],
        }
    }
}
