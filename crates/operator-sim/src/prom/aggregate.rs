//! Aggregations of the PromQL subset.

use std::collections::BTreeMap;

use promql_parser::parser::{AggregateExpr, LabelModifier};

use super::eval::{Eval, Point, QueryError, nameless};
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
    ("sum", |v| v.iter().sum()),
];

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
    if CHOICES.contains(&name.as_str()) {
        let param = aggregate.param.as_deref();
        let param = param.ok_or_else(|| QueryError::Parse(format!("`{name}` needs a number")))?;
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

fn variance(values: &[f64]) -> f64 {
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
