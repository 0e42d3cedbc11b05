//! Binary operators of the PromQL subset: arithmetic, comparisons, and set operators.

use std::collections::{BTreeMap, BTreeSet};

use promql_parser::parser::{BinModifier, BinaryExpr, LabelModifier, VectorMatchCardinality};

use super::aggregate::{keep, with_value};
use super::eval::{Eval, Point, QueryError, Value};
use super::select::Set;

type Arithmetic = fn(f64, f64) -> f64;
type Comparison = fn(&f64, &f64) -> bool;

pub(crate) static ARITHMETIC: &[(&str, Arithmetic)] = &[
    ("%", |a, b| a % b),
    ("*", |a, b| a * b),
    ("+", |a, b| a + b),
    ("-", |a, b| a - b),
    ("/", |a, b| a / b),
    ("^", f64::powf),
];

pub(crate) static COMPARISONS: &[(&str, Comparison)] = &[
    ("!=", |a, b| a != b),
    ("<", |a, b| a < b),
    ("<=", |a, b| a <= b),
    ("==", |a, b| a == b),
    (">", |a, b| a > b),
    (">=", |a, b| a >= b),
];

pub(crate) static SETS: &[&str] = &["and", "or", "unless"];

/// What an operator makes of a pair: a number, or nothing where a comparison does not hold.
struct Operator {
    name: String,
    arithmetic: Option<Arithmetic>,
    comparison: Option<Comparison>,
    as_bool: bool,
}

impl Operator {
    fn of(binary: &BinaryExpr) -> Self {
        let name = binary.op.to_string();
        let arithmetic = ARITHMETIC
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, f)| *f);
        let comparison = COMPARISONS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, f)| *f);
        let as_bool = binary.modifier.as_ref().is_some_and(|m| m.return_bool);
        Self {
            name,
            arithmetic,
            comparison,
            as_bool,
        }
    }

    /// `kept` is the side whose value a comparison keeps.
    fn apply(&self, left: f64, right: f64, kept: f64) -> Option<f64> {
        if let Some(arithmetic) = self.arithmetic {
            return Some(arithmetic(left, right));
        }
        let holds = self.comparison?(&left, &right);
        if self.as_bool {
            return Some(if holds { 1.0 } else { 0.0 });
        }
        holds.then_some(kept)
    }

    /// The row that a value makes; a comparison that filters keeps the metric's name.
    fn row(&self, point: &Point, value: f64) -> Point {
        if self.comparison.is_some() && !self.as_bool {
            Point {
                value,
                ..point.clone()
            }
        } else {
            with_value(point.clone(), value)
        }
    }
}

pub(crate) fn value(eval: &Eval<'_>, binary: &BinaryExpr) -> Result<Value, QueryError> {
    let operator = Operator::of(binary);
    let is_set = SETS.contains(&operator.name.as_str());
    if operator.arithmetic.is_none() && operator.comparison.is_none() && !is_set {
        return Err(QueryError::Unsupported(format!(
            "operator `{}`",
            operator.name
        )));
    }
    let filled = binary
        .modifier
        .as_ref()
        .is_some_and(|m| m.fill_values.lhs.is_some() || m.fill_values.rhs.is_some());
    if filled {
        return Err(QueryError::Unsupported("a fill modifier".to_owned()));
    }
    let (left, right) = (eval.value(&binary.lhs)?, eval.value(&binary.rhs)?);
    Ok(match (left, right) {
        (Value::Vector(left), Value::Vector(right)) if is_set => Value::Vector(combine(
            &operator.name,
            binary.modifier.as_ref(),
            left,
            right,
        )),
        (Value::Vector(left), Value::Vector(right)) => {
            Value::Vector(pairs(&operator, binary.modifier.as_ref(), &left, &right)?)
        }
        (Value::Vector(left), Value::Scalar(right)) => Value::Vector(
            left.iter()
                .filter_map(|p| Some(operator.row(p, operator.apply(p.value, right, p.value)?)))
                .collect(),
        ),
        (Value::Scalar(left), Value::Vector(right)) => Value::Vector(
            right
                .iter()
                .filter_map(|p| Some(operator.row(p, operator.apply(left, p.value, p.value)?)))
                .collect(),
        ),
        (Value::Scalar(left), Value::Scalar(right)) => {
            Value::Scalar(operator.apply(left, right, left).ok_or_else(|| {
                QueryError::Parse("comparisons between scalars must use BOOL modifier".to_owned())
            })?)
        }
        (left, right) => {
            let (left, right) = (left.kind(), right.kind());
            return Err(QueryError::Parse(format!(
                "`{}` between {left} and {right}",
                operator.name
            )));
        }
    })
}

/// The labels that rows of both sides must share.
fn signature(set: &Set, modifier: Option<&BinModifier>) -> Set {
    match modifier.and_then(|modifier| modifier.matching.as_ref()) {
        Some(LabelModifier::Include(on)) => keep(set, |name| on.labels.iter().any(|l| l == name)),
        Some(LabelModifier::Exclude(ignored)) => keep(set, |name| {
            name != "__name__" && !ignored.labels.iter().any(|l| l == name)
        }),
        None => keep(set, |name| name != "__name__"),
    }
}

fn combine(
    name: &str,
    modifier: Option<&BinModifier>,
    left: Vec<Point>,
    right: Vec<Point>,
) -> Vec<Point> {
    let signatures = |points: &[Point]| -> BTreeSet<Set> {
        points
            .iter()
            .map(|point| signature(&point.set, modifier))
            .collect()
    };
    let in_both = |points: Vec<Point>, other: &BTreeSet<Set>, wanted: bool| -> Vec<Point> {
        let chosen = points.into_iter();
        chosen
            .filter(|point| other.contains(&signature(&point.set, modifier)) == wanted)
            .collect()
    };
    match name {
        "and" => in_both(left, &signatures(&right), true),
        "unless" => in_both(left, &signatures(&right), false),
        _ => {
            let known = signatures(&left);
            let mut all = left;
            all.extend(in_both(right, &known, false));
            all
        }
    }
}

fn pairs(
    operator: &Operator,
    modifier: Option<&BinModifier>,
    left: &[Point],
    right: &[Point],
) -> Result<Vec<Point>, QueryError> {
    let card = modifier.map(|modifier| &modifier.card);
    // `one` is the side with at most one row per signature; the other may have many when grouped.
    let (many, one, extra, swapped) = match card {
        Some(VectorMatchCardinality::ManyToOne(extra)) => (left, right, Some(extra), false),
        Some(VectorMatchCardinality::OneToMany(extra)) => (right, left, Some(extra), true),
        _ => (left, right, None, false),
    };
    let mut index: BTreeMap<Set, &Point> = BTreeMap::new();
    for point in one {
        if index
            .insert(signature(&point.set, modifier), point)
            .is_some()
        {
            return Err(duplicate(if swapped { "left" } else { "right" }));
        }
    }
    let mut seen: BTreeSet<Set> = BTreeSet::new();
    let mut rows = Vec::new();
    for point in many {
        let shared = signature(&point.set, modifier);
        let Some(partner) = index.get(&shared) else {
            continue;
        };
        let (a, b) = if swapped {
            (partner.value, point.value)
        } else {
            (point.value, partner.value)
        };
        let Some(value) = operator.apply(a, b, a) else {
            continue;
        };
        let mut row = operator.row(point, value);
        if let Some(extra) = extra {
            for name in &extra.labels {
                match partner.set.get(name) {
                    Some(value) => row.set.insert(name.clone(), value.clone()),
                    None => row.set.remove(name),
                };
            }
        } else {
            if modifier.is_some_and(|m| m.matching.is_some()) {
                row.set = shared.clone();
            }
            if !seen.insert(shared) {
                return Err(duplicate("left"));
            }
        }
        rows.push(row);
    }
    Ok(rows)
}

fn duplicate(side: &str) -> QueryError {
    QueryError::Execution(format!(
        "found duplicate series for the match group on the {side} hand-side of the operation;many-to-many matching not allowed: matching labels must be unique on one side"
    ))
}
