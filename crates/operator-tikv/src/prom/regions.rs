//! What PD's leader counts. Every member exports such counts, and those of the others are zeros.

use std::time::Duration;

use operator_core::{Error, Gap, Measured, Reading, Result, Timestamp, Why};

use super::PromAnswer;
use super::own::{moment, whole};
use super::samples::{Number, Samples, Series};
use super::standing::believed;
use crate::facts::RegionHealth;

/// What was answered about regions.
pub(super) struct Counted<'a> {
    /// Counts of all members.
    pub(super) counts: &'a PromAnswer,
    /// The moment that all answers are about.
    pub(super) at: Timestamp,
    /// Which members lead and have counted, and when that was seen.
    pub(super) by: &'a Result<PromAnswer, Error>,
    /// How old counts may be.
    pub(super) limit: Duration,
    /// The text of the query for counts.
    pub(super) source: &'a str,
    pub(super) origin: &'a str,
}

impl Counted<'_> {
    /// The counts of the one member that leads and has counted.
    pub(super) fn health(&self) -> RegionHealth {
        let (rows, (instance, at)) = match (self.rows(), self.whose()) {
            (Ok(rows), Ok(whose)) => (rows, whose),
            (Err(gap), _) | (_, Err(gap)) => return RegionHealth::blind(&gap),
        };
        let count = |what: &'static str, kind: &str| {
            let own =
                |row: &Series<'_>| row.label("instance") == instance && row.label("type") == kind;
            let own: Vec<Series<'_>> = rows.iter().filter(own).collect();
            match number(&own) {
                Ok(count) => Reading::Seen(Measured::new(whole(count), at, self.source)),
                Err(why) => Reading::Blind(Gap::new(what, why).at(self.origin)),
            }
        };
        RegionHealth {
            miss_peer_count: count("regions with too few peers", "miss-peer-region-count"),
            extra_peer_count: count("regions with too many peers", "extra-peer-region-count"),
            down_peer_count: count("regions with a down peer", "down-peer-region-count"),
            pending_peer_count: count("regions with a pending peer", "pending-peer-region-count"),
            learner_peer_count: count("regions with a learner", "learner-peer-region-count"),
            offline_peer_count: count("regions with an offline peer", "offline-peer-region-count"),
            empty_count: count("empty regions", "empty-region-count"),
            oversized_count: count("regions that are too large", "oversized-region-count"),
            undersized_count: count("regions that are too small", "undersized-region-count"),
        }
    }

    fn gap(&self, why: Why) -> Gap {
        Gap::new("region health", why).at(self.origin)
    }

    fn rows(&self) -> Result<&Samples, Gap> {
        believed(self.counts).map_err(|why| self.gap(why))
    }

    /// Whose counts hold, and when they were scraped. Between two leaders nobody's do.
    fn whose(&self) -> Result<(&str, Timestamp), Gap> {
        let by = self.by.as_ref();
        let by = by.map_err(|error| self.gap(error.clone().into()))?;
        let leaders = believed(by).map_err(|why| self.gap(why))?;
        let all: Vec<Series<'_>> = leaders.iter().collect();
        let scraped = match all.len() {
            0 => Err(Why::Distrusted {
                because: "no member of PD is seen to lead and to have counted".into(),
            }),
            1 => number(&all),
            several => Err(Why::Distrusted {
                because: format!("{several} members of PD are seen to lead").into(),
            }),
        };
        let at = moment(scraped.map_err(|why| self.gap(why))?);
        let (age, limit) = (self.at.since(at), self.limit);
        if age > limit {
            return Err(self.gap(Why::Stale { age, limit }).since(at));
        }
        let instance = all.first().map_or("", |row| row.label("instance"));
        Ok((instance, at))
    }
}

/// The number of the one series there should be.
fn number(rows: &[Series<'_>]) -> Result<f64, Why> {
    let unusable = |found: String| Why::Unusable {
        expected: "one number from 0 up".into(),
        found,
    };
    match rows {
        [] => Err(Why::Unsaid),
        [row] => match row.last().map(|point| point.value) {
            Some(Number::Finite(value)) if value >= 0.0 => Ok(value),
            Some(other) => Err(unusable(other.to_string())),
            None => Err(unusable("a native histogram".to_owned())),
        },
        several => Err(unusable(format!("{} series", several.len()))),
    }
}
