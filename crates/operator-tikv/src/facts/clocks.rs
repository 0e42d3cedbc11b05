//! What time it is for those who are asked.

use operator_core::{Entity, Timestamp};
use std::time::Duration;

/// What time a server had when it answered, beside ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockReading {
    /// Which server, as `HOST:PORT`.
    pub host: String,
    /// What its answer said, to the second.
    pub theirs: Timestamp,
    /// What our clock said then.
    pub ours: Timestamp,
}

impl ClockReading {
    /// What the server at this URL said, when it was so late for us.
    pub fn of(origin: &str, theirs: Timestamp, ours: Timestamp) -> Self {
        let host = host_of(origin).to_owned();
        Self { host, theirs, ours }
    }

    /// The entity that verdicts about this clock name.
    pub fn entity(&self) -> Entity {
        Entity::named("origin", self.host.as_str())
    }

    /// How far apart the two are.
    pub fn apart(&self) -> Duration {
        self.theirs
            .since(self.ours)
            .max(self.ours.since(self.theirs))
    }
}

/// `HOST:PORT` of a URL.
fn host_of(url: &str) -> &str {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    host.split('/').next().unwrap_or(host)
}

/// The clock of PD, as whichever member answered shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PdClock(pub ClockReading);

/// The clock of Prometheus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrometheusClock(pub ClockReading);

/// What time it was for the server of measurements when it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromTime {
    /// Where it is: a URL without secrets.
    pub origin: String,
    /// The moment that its answer is about.
    pub now: Timestamp,
    /// When it, or whoever stands in front of it, says that it answered. Whole seconds.
    pub date: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_named_by_its_address_and_apart_is_apart_either_way() {
        let at = Timestamp::from_unix_seconds;
        for (origin, theirs, expected) in [
            ("http://pd-0:2379", 1007, "origin/pd-0:2379"),
            (
                "https://monitor:9090/prometheus",
                993,
                "origin/monitor:9090",
            ),
            ("prom:9090", 993, "origin/prom:9090"),
        ] {
            let reading = ClockReading::of(origin, at(theirs), at(1000));
            assert_eq!(reading.entity().to_string(), expected);
            assert_eq!(reading.apart(), Duration::from_secs(7));
        }
    }
}
