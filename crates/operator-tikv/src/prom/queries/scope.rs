//! The text of a query: its row, filled in with what is asked about.

use std::time::Duration;

use super::table::{READS, WRITES};
use super::{Of, Query, Traffic, row};
use crate::prom::PromOptions;

/// What is asked about: which series, over how long.
#[derive(Debug, Clone)]
pub(in crate::prom) struct Scope {
    stores: String,
    pd: String,
    window: Duration,
    scrape_every: Duration,
}

impl Scope {
    pub(in crate::prom) fn new(options: &PromOptions) -> Self {
        let further = options.matchers.trim();
        let further = further.trim_start_matches('{').trim_end_matches('}');
        let further = further.trim_matches([',', ' ']);
        let comma = if further.is_empty() { "" } else { "," };
        let matchers = |job: &str| {
            let job = job.replace('\\', r"\\").replace('"', r#"\""#);
            format!(r#"job=~"{job}"{comma}{further}"#)
        };
        Self {
            stores: matchers(&options.job),
            pd: matchers(&options.pd_job),
            window: options.window.max(options.scrape_every.saturating_mul(4)),
            scrape_every: options.scrape_every,
        }
    }

    /// How often the server scrapes.
    pub(in crate::prom) fn scrape_every(&self) -> Duration {
        self.scrape_every
    }

    /// Over how long rates are taken. A sample that is older than that is of no use either.
    pub(in crate::prom) fn window(&self) -> Duration {
        self.window
    }

    /// The matchers of every selector.
    pub(in crate::prom) fn matchers(&self, of: Of) -> &str {
        match of {
            Of::Stores => &self.stores,
            Of::Pd => &self.pd,
        }
    }

    /// The text of a query, about all that it relies on.
    pub(in crate::prom) fn promql(&self, query: Query) -> String {
        let need = row(query).needs.iter().find_map(|need| need.values);
        let values = need.map(|(label, words)| {
            let words: Vec<&str> = words.iter().map(|word| word.text).collect();
            format!(r#"{label}=~"{}""#, words.join("|"))
        });
        self.filled(query, &values.unwrap_or_default())
    }

    /// The text of a query about writes or reads, of the types and priorities that there is traffic of alone;
    /// `None` where there is none.
    pub(in crate::prom) fn promql_of(&self, query: Query, traffic: &Traffic) -> Option<String> {
        let (_, words) = row(query).needs.iter().find_map(|need| need.values)?;
        let matchers = traffic.matchers(words)?;
        Some(self.filled(query, &matchers))
    }

    fn filled(&self, query: Query, values: &str) -> String {
        let row = row(query);
        let families: Vec<&str> = row.needs.iter().map(|need| need.family).collect();
        let types: Vec<&str> = WRITES.iter().chain(READS).map(|word| word.text).collect();
        // Steps of less than a second would be many.
        let step = self.scrape_every.as_millis().max(1000);
        row.text
            .replace("$W", &format!("{}ms", self.window.as_millis()))
            .replace("$E", &format!("{step}ms"))
            .replace("$F", &families.join("|"))
            .replace("$T", &types.join("|"))
            .replace("$V", values)
            .replace("$S", self.matchers(row.of))
    }
}
