//! Aggregations of the PromQL subset.

use std::collections::BTreeMap;

use promql_parser::parser::{AggregateExpr, Expr, LabelModifier};

use super::eval::{Eval, Point, QueryError, Value, nameless};
use super::render::number;
use super::select::Set;

type Fold = fn(&[f64]) -> f64;

/// Aggregations that make one number of a group.
pub(crate) static FOLDS: &[(&str, Fold)] = &[
    ("avg", |v| v.iter().sum::<f64>() / v.len() as f64),
    ("count", |v| v.len() as f64),
    ("group", |_| 1.0),
    ("max", |v| v.iter().copied().fold(f64::NAN, f64::max)),
    ("min", |v| v.iter().copied().fold(f64::NAN, f64::min)),
    ("stddev", |v| variance(v).sqrt()),
    ("stdvar", variance),
    ("sum", |v| v.iter().sum()),
];

/// Aggregations with a parameter that make rows of their own.
pub(crate) static WITH_PARAMETER: &[&str] = &["count_values", "quantile"];

/// Aggregations that choose rows of a group.
pub(crate) static CHOICES: &[&str] = &["bottomk", "topk"];

pub(crate) fn value(eval: &Eval<'_>, aggregate: &AggregateExpr) -> Result<Vec<Point>, QueryError> {
    let name = aggregate.op.to_string();
    let points = eval.vector(&aggregate.expr)?;
    let mut groups: BTreeMap<Set, Vec<Point>> = BTreeMap::new();
    for point in points {
        let key = key(&point.set, aggregate.modifier.as_ref());
        groups.entry(key).or_default().push(point);
    }
    if let Some((_, fold)) = FOLDS.iter().find(|(known, _)| *known == name) {
        let rows = groups.into_iter().map(|(set, points)| {
            let values: Vec<f64> = points.iter().map(|point| point.value).collect();
            Point {
                set,
                value: fold(&values),
                at: eval.at,
            }
        });
        return Ok(rows.collect());
    }
    let param = || {
        let param = aggregate.param.as_deref();
        param.ok_or_else(|| QueryError::Parse(format!("`{name}` needs a parameter")))
    };
    if name == "quantile" {
        let quantile = eval.scalar(param()?)?;
        let rows = groups.into_iter().map(|(set, points)| {
            let values: Vec<f64> = points.iter().map(|point| point.value).collect();
            Point {
                set,
                value: quantile_among(quantile, &values),
                at: eval.at,
            }
        });
        return Ok(rows.collect());
    }
    if name == "count_values" {
        return count_values(eval, param()?, groups);
    }
    if CHOICES.contains(&name.as_str()) {
        let param = param()?;
        let keep = crate::num::place(crate::num::whole(eval.scalar(param)?));
        let rows = groups.into_values().flat_map(|mut points| {
            points.sort_by(|a, b| a.value.total_cmp(&b.value));
            if name == "topk" {
                points.reverse();
            }
            points.truncate(keep);
            points
        });
        return Ok(rows.collect());
    }
    Err(QueryError::Unsupported(format!("aggregation `{name}`")))
}

/// The labels that a row is grouped by.
fn key(set: &Set, modifier: Option<&LabelModifier>) -> Set {
    match modifier {
        None => Set::new(),
        Some(LabelModifier::Include(kept)) => {
            keep(set, |name| kept.labels.iter().any(|l| l == name))
        }
        Some(LabelModifier::Exclude(left)) => keep(set, |name| {
            name != "__name__" && !left.labels.iter().any(|l| l == name)
        }),
    }
}

pub(super) fn keep(set: &Set, wanted: impl Fn(&str) -> bool) -> Set {
    set.iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// How many rows of a group have each value, which becomes a label.
fn count_values(
    eval: &Eval<'_>,
    param: &Expr,
    groups: BTreeMap<Set, Vec<Point>>,
) -> Result<Vec<Point>, QueryError> {
    let Value::Text(label) = eval.value(param)? else {
        return Err(QueryError::Parse(
            "`count_values` needs the name of a label".to_owned(),
        ));
    };
    let mut counts: BTreeMap<Set, f64> = BTreeMap::new();
    for (set, points) in groups {
        for point in points {
            let mut set = set.clone();
            set.insert(label.clone(), number(point.value));
            *counts.entry(set).or_default() += 1.0;
        }
    }
    let rows = counts.into_iter().map(|(set, value)| Point {
        set,
        value,
        at: eval.at,
    });
    Ok(rows.collect())
}

/// The quantile of some values, linear between the two that are nearest.
pub(super) fn quantile_among(quantile: f64, values: &[f64]) -> f64 {
    if values.is_empty() || quantile.is_nan() {
        return f64::NAN;
    }
    if quantile < 0.0 {
        return f64::NEG_INFINITY;
    }
    if quantile > 1.0 {
        return f64::INFINITY;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = quantile * (sorted.len() - 1) as f64;
    let low = crate::num::place(crate::num::whole(rank.floor()));
    let value = |place: usize| sorted.get(place).or(sorted.last()).copied();
    let (below, above) = (
        value(low).unwrap_or(f64::NAN),
        value(low + 1).unwrap_or(f64::NAN),
    );
    let weight = rank - rank.floor();
    below * (1.0 - weight) + above * weight
}

pub(super) fn variance(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64
}

/// A row as a comparison or a calculation leaves it.
pub(super) fn with_value(point: Point, value: f64) -> Point {
    Point {
        value,
        ..nameless(point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_among_values_are_linear_between_neighbours() {
        let values = [4.0, 1.0, 3.0, 2.0];
        for (quantile, expected) in [(0.0, 1.0), (0.5, 2.5), (1.0, 4.0), (0.25, 1.75)] {
            assert!((quantile_among(quantile, &values) - expected).abs() < 1e-12);
        }
        assert!(quantile_among(0.5, &[]).is_nan());
        assert!(quantile_among(2.0, &values).is_infinite());
    }
}
