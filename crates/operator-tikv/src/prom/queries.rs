//! Every query that is sent: what it feeds in which unit, what it relies on and what it costs. All are for the
//! whole cluster at once, by instance.

mod scope;
mod table;
mod traffic;

pub(super) use scope::Scope;
pub(super) use table::TABLE;
pub(super) use traffic::Traffic;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Query {
    Up,
    UpAt,
    Gauges,
    Requests,
    Traffic,
    Writes,
    Reads,
    Cpu,
    LogLag,
    AsyncWrites,
    Critical,
    Storage,
    SchedulerBusy,
    ChannelFull,
    Stalls,
    LeaderMissing,
    Regions,
    RegionsCounted,
}

/// What readings of how a store does need, beside [`Query::Up`], which is asked first.
pub(super) const FOR_METRICS: [Query; 8] = [
    Query::Traffic,
    Query::Writes,
    Query::Reads,
    Query::UpAt,
    Query::Gauges,
    Query::Requests,
    Query::Cpu,
    Query::LogLag,
];

/// What readings of a store's strain need, beside [`Query::Up`], which is asked first.
pub(super) const FOR_STRAINS: [Query; 9] = [
    Query::UpAt,
    Query::Gauges,
    Query::AsyncWrites,
    Query::Critical,
    Query::Storage,
    Query::SchedulerBusy,
    Query::ChannelFull,
    Query::Stalls,
    Query::LeaderMissing,
];

/// Whose series a query is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Of {
    Stores,
    Pd,
}

/// What tells how regions do.
pub(super) const FOR_REGIONS: [Query; 2] = [Query::Regions, Query::RegionsCounted];

/// One query.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) query: Query,
    /// Whose jobs the scope names.
    pub(super) of: Of,
    /// What it is called, as in `query/writes`.
    pub(super) name: &'static str,
    /// Its text: `$S` stands for the scope, `$W` for the window, `$E` for the time between scrapes, `$F` for the
    /// families it relies on, `$T` for the types of requests that are writes or reads, and `$V` for the types and
    /// priorities that there is traffic of, or for the values it relies on.
    text: &'static str,
    /// Which readings come of it, and their units.
    pub(super) feeds: &'static [(&'static str, &'static str)],
    /// What must be there for it to mean anything.
    pub(super) needs: &'static [Need],
    /// How long a server took for 300 stores of 8.5, where it is not next to nothing.
    pub(super) cost: &'static str,
}

/// A family of series that a query relies on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) family: &'static str,
    pub(super) born: Born,
    /// The first version that has it.
    pub(super) since: Version,
    /// The label whose values are relied on, and those.
    pub(super) values: Option<(&'static str, &'static [Word])>,
}

/// When a healthy store first exports a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Born {
    /// From its start. Only such a family can be missing.
    AtStart,
    /// When there is first something to count. Until then its absence is a zero.
    AtFirstEvent,
}

/// A version: major and minor.
pub(super) type Version = (u32, u32);

/// A label's value, and the first version that has it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: &'static str,
    pub(super) since: Version,
}

/// The row of a query.
pub(super) fn row(query: Query) -> &'static Row {
    // A test holds that there is one for each.
    TABLE
        .iter()
        .find(|row| row.query == query)
        .unwrap_or(&TABLE[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use crate::{PromOptions, RegionHealth, StoreStrain};
    use operator_core::{Gap, StoreId, StoreMetrics, Why};

    #[test]
    fn every_query_has_a_row_and_every_row_is_asked() {
        let asked = FOR_METRICS.iter().chain(&FOR_STRAINS).chain(&FOR_REGIONS);
        for query in asked.copied().chain([Query::Up]) {
            assert_eq!(row(query).query, query);
        }
        for row in TABLE {
            let asked = FOR_METRICS.contains(&row.query)
                || FOR_STRAINS.contains(&row.query)
                || FOR_REGIONS.contains(&row.query);
            assert!(asked || row.query == Query::Up, "{}", row.name);
        }
    }

    #[test]
    fn every_reading_is_fed_by_one_query() {
        let gap = Gap::new("metrics", Why::NotAsked);
        let metrics = StoreMetrics::blind(StoreId(1), &gap);
        let strain = StoreStrain::blind(StoreId(1), &gap);
        let mut fields: Vec<&str> = metrics.gaps().map(|(field, _)| field).collect();
        fields.extend(strain.gaps().map(|(field, _)| field));
        let regions = RegionHealth::blind(&gap);
        fields.extend(regions.gaps().map(|(field, _)| field));
        let mut fed: Vec<&str> = TABLE
            .iter()
            .flat_map(|row| row.feeds.iter().map(|(field, _)| *field))
            .collect();
        fields.sort_unstable();
        fed.sort_unstable();
        assert_eq!(fed, fields);
    }

    #[test]
    fn the_unit_is_in_the_name_of_the_reading() {
        let ends = [
            ("bytes", "_bytes"),
            ("cores", "_cores"),
            ("1/s", "_per_second"),
        ];
        for (field, unit) in TABLE.iter().flat_map(|row| row.feeds) {
            let seconds = *unit == "s" && (field.ends_with("_seconds") || field.ends_with("_at"));
            let named = ends
                .iter()
                .any(|(word, end)| unit == word && field.ends_with(end));
            assert!(seconds || named || unit.is_empty(), "{field} {unit}");
        }
    }

    #[test]
    fn every_selector_has_the_scope_and_nothing_stays_to_be_filled_in() {
        let scope = Scope::new(&PromOptions {
            job: r"(a|b)\.tikv".into(),
            pd_job: r"(a|b)\.pd".into(),
            matchers: r#"{tidb_cluster="x",}"#.into(),
            scrape_every: Duration::from_secs(5),
            window: Duration::from_secs(30),
            ..PromOptions::default()
        });
        for row in TABLE {
            let text = scope.promql(row.query);
            let selectors = text.matches('{').count();
            let scoped = match row.of {
                Of::Stores => r#"job=~"(a|b)\\.tikv",tidb_cluster="x""#,
                Of::Pd => r#"job=~"(a|b)\\.pd",tidb_cluster="x""#,
            };
            let scoped = text.matches(scoped).count();
            assert_eq!(selectors, scoped, "{text}");
            assert!(!text.contains('$'), "{text}");
        }
        assert!(scope.promql(Query::Cpu).contains("[30000ms]"));
    }
}
