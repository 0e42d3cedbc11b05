//! Prometheus: what it scraped, what its queries answer, and the pages that a real one would scrape.

mod aggregate;
mod binary;
mod eval;
pub(crate) mod face;
pub(crate) mod families;
mod functions;
mod labels;
mod pages;
mod render;
mod select;
pub(crate) mod series;

pub(crate) use pages::{member_page, store_page};

/// What of PromQL can be evaluated: kinds of names, and the names. Anything else is an error 400.
#[must_use]
pub fn promql_subset() -> Vec<(&'static str, Vec<&'static str>)> {
    fn names<T>(table: &[(&'static str, T)]) -> Vec<&'static str> {
        table.iter().map(|(name, _)| *name).collect()
    }
    vec![
        ("functions of a range", names(functions::RANGE)),
        ("functions of a value", names(functions::VALUE)),
        ("other functions", functions::OTHER.to_vec()),
        (
            "aggregations",
            [
                names(aggregate::FOLDS),
                aggregate::WITH_PARAMETER.to_vec(),
                aggregate::CHOICES.to_vec(),
            ]
            .concat(),
        ),
        ("arithmetic", names(binary::ARITHMETIC)),
        ("comparisons", names(binary::COMPARISONS)),
        ("set operators", binary::SETS.to_vec()),
    ]
}

/// The names of all metric families, with their types: of a store, then of a member of PD.
#[must_use]
pub fn metric_families() -> [Vec<(&'static str, &'static str)>; 2] {
    fn names<T>(table: &[families::Family<T>]) -> Vec<(&'static str, &'static str)> {
        table
            .iter()
            .map(|family| (family.name, family.kind.name()))
            .collect()
    }
    [names(families::STORE), names(families::PD)]
}
