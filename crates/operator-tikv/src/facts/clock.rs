//! What time it is for somebody else.

use operator_core::{Entity, Timestamp};

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

impl PromTime {
    /// The entity that verdicts about this clock name, as in `origin/prom:9090`.
    pub fn entity(&self) -> Entity {
        let address = self.origin.split_once("://");
        let address = address.map_or(self.origin.as_str(), |(_, rest)| rest);
        let address = address.split('/').next().unwrap_or(address);
        Entity::named("origin", address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_named_by_its_address() {
        for (origin, expected) in [
            ("http://prom:9090", "origin/prom:9090"),
            ("https://me.example/a/prometheus", "origin/me.example"),
            ("prom:9090", "origin/prom:9090"),
        ] {
            let time = PromTime {
                origin: origin.into(),
                now: Timestamp::EPOCH,
                date: None,
            };
            assert_eq!(time.entity().to_string(), expected);
        }
    }
}
