//! The functions of the PromQL subset, one table entry each.

use std::collections::BTreeMap;

use promql_parser::parser::{Call, Expr};

use crate::num::{Millis, seconds};

use super::aggregate::{quantile_among, variance};
use super::eval::{Eval, Point, QueryError, Value, Window, nameless};
use super::labels;
use super::select::Set;

type OverRange = fn(&[(Millis, f64)], &Window) -> Option<f64>;
type OverValue = fn(f64) -> f64;

/// Functions of a range: each series becomes one number, or none.
pub(crate) static RANGE: &[(&str, OverRange)] = &[
    ("avg_over_time", |s, _| Some(sum(s) / s.len() as f64)),
    ("changes", |s, _| {
        Some(
            steps(s)
                .filter(|(a, b)| a != b && !(a.is_nan() && b.is_nan()))
                .count() as f64,
        )
    }),
    ("count_over_time", |s, _| Some(s.len() as f64)),
    ("delta", |s, w| extrapolated(s, w, Growth::Delta)),
    ("deriv", |s, _| line(s).map(|(slope, _)| slope)),
    ("idelta", |s, _| match s {
        [.., before, last] => Some(last.1 - before.1),
        _ => None,
    }),
    ("increase", |s, w| extrapolated(s, w, Growth::Increase)),
    ("irate", |s, _| instant_rate(s)),
    ("last_over_time", |s, _| s.last().map(|(_, value)| *value)),
    ("max_over_time", |s, _| {
        s.iter().map(|(_, v)| *v).reduce(f64::max)
    }),
    ("min_over_time", |s, _| {
        s.iter().map(|(_, v)| *v).reduce(f64::min)
    }),
    ("present_over_time", |_, _| Some(1.0)),
    ("rate", |s, w| extrapolated(s, w, Growth::Rate)),
    ("resets", |s, _| {
        Some(steps(s).filter(|(a, b)| b < a).count() as f64)
    }),
    ("stddev_over_time", |s, _| Some(variance(&values(s)).sqrt())),
    ("stdvar_over_time", |s, _| Some(variance(&values(s)))),
    ("sum_over_time", |s, _| Some(sum(s))),
];

/// Functions of each value by itself.
pub(crate) static VALUE: &[(&str, OverValue)] = &[
    ("abs", f64::abs),
    ("ceil", f64::ceil),
    ("exp", f64::exp),
    ("floor", f64::floor),
    ("ln", f64::ln),
    ("log10", f64::log10),
    ("log2", f64::log2),
    ("sgn", |v| {
        if v == 0.0 || v.is_nan() {
            v
        } else {
            v.signum()
        }
    }),
    ("sqrt", f64::sqrt),
];

/// Functions with rules of their own.
pub(crate) static OTHER: &[&str] = &[
    "absent",
    "absent_over_time",
    "clamp",
    "clamp_max",
    "clamp_min",
    "histogram_quantile",
    "label_join",
    "label_replace",
    "predict_linear",
    "quantile_over_time",
    "round",
    "scalar",
    "sort",
    "sort_desc",
    "time",
    "timestamp",
    "vector",
];

pub(crate) fn value(eval: &Eval<'_>, call: &Call) -> Result<Value, QueryError> {
    let name = call.func.name;
    let argument = |place: usize| -> Result<&Expr, QueryError> {
        let found = call.args.args.get(place);
        found
            .map(AsRef::as_ref)
            .ok_or_else(|| QueryError::Parse(format!("too few arguments in call to \"{name}\"")))
    };
    if let Some((_, over)) = RANGE.iter().find(|(known, _)| *known == name) {
        let window = eval.window(argument(0)?)?;
        let keep_name = name == "last_over_time";
        let over = |samples: &[(Millis, f64)]| over(samples, &window);
        return Ok(Value::Vector(each(eval, &window, over, keep_name)));
    }
    if let Some((_, over)) = VALUE.iter().find(|(known, _)| *known == name) {
        return Ok(map(eval.vector(argument(0)?)?, over));
    }
    Ok(match name {
        "time" => Value::Scalar(eval.unix_seconds()),
        "vector" => Value::Vector(vec![Point {
            set: Set::new(),
            value: eval.scalar(argument(0)?)?,
            at: eval.at,
        }]),
        "scalar" => match eval.vector(argument(0)?)?.as_slice() {
            [one] => Value::Scalar(one.value),
            _ => Value::Scalar(f64::NAN),
        },
        "timestamp" => {
            let points = eval.vector(argument(0)?)?.into_iter();
            let stamped = points.map(|point| Point {
                value: Eval::new(eval.cluster, point.at).unix_seconds(),
                ..nameless(point)
            });
            Value::Vector(stamped.collect())
        }
        "absent" => {
            let found = !eval.vector(argument(0)?)?.is_empty();
            Value::Vector(absent(eval, argument(0)?, found))
        }
        "absent_over_time" => {
            let window = eval.window(argument(0)?)?;
            let found = window.series.iter().any(|(_, samples)| !samples.is_empty());
            Value::Vector(absent(eval, argument(0)?, found))
        }
        "clamp" => {
            let (low, high) = (eval.scalar(argument(1)?)?, eval.scalar(argument(2)?)?);
            let points = eval.vector(argument(0)?)?;
            if low > high {
                return Ok(Value::Vector(Vec::new()));
            }
            map(points, |v| v.max(low).min(high))
        }
        "label_join" | "label_replace" => Value::Vector(labels::value(eval, call)?),
        "predict_linear" => {
            let window = eval.window(argument(0)?)?;
            let ahead = eval.scalar(argument(1)?)?;
            let at = eval.at;
            let predict = |samples: &[(Millis, f64)]| {
                let (slope, last) = line(samples)?;
                let since = samples.last().map_or(at, |(at, _)| *at);
                Some(last + slope * (ahead + seconds(at.saturating_sub(since))))
            };
            Value::Vector(each(eval, &window, predict, false))
        }
        "quantile_over_time" => {
            let quantile = eval.scalar(argument(0)?)?;
            let window = eval.window(argument(1)?)?;
            let of = |samples: &[(Millis, f64)]| Some(quantile_among(quantile, &values(samples)));
            Value::Vector(each(eval, &window, of, false))
        }
        "round" => {
            let to = match call.args.args.get(1) {
                Some(to) => eval.scalar(to)?,
                None => 1.0,
            };
            map(eval.vector(argument(0)?)?, |v| (v / to + 0.5).floor() * to)
        }
        "clamp_max" | "clamp_min" => {
            let (points, bound) = (eval.vector(argument(0)?)?, eval.scalar(argument(1)?)?);
            let low = name == "clamp_min";
            map(points, |v| if low { v.max(bound) } else { v.min(bound) })
        }
        "histogram_quantile" => {
            let quantile = eval.scalar(argument(0)?)?;
            Value::Vector(histogram_quantile(quantile, eval.vector(argument(1)?)?))
        }
        "sort" | "sort_desc" => {
            let mut points = eval.vector(argument(0)?)?;
            points.sort_by(|a, b| a.value.total_cmp(&b.value));
            if name == "sort_desc" {
                points.reverse();
            }
            Value::Vector(points)
        }
        _ => return Err(QueryError::Unsupported(format!("function `{name}`"))),
    })
}

fn map(points: Vec<Point>, over: impl Fn(f64) -> f64) -> Value {
    let mapped = points.into_iter().map(|point| Point {
        value: over(point.value),
        ..nameless(point)
    });
    Value::Vector(mapped.collect())
}

/// One number of each series, where there is one.
fn each(
    eval: &Eval<'_>,
    window: &Window,
    over: impl Fn(&[(Millis, f64)]) -> Option<f64>,
    keep_name: bool,
) -> Vec<Point> {
    let series = window.series.iter().filter_map(|(set, samples)| {
        let point = Point {
            set: set.clone(),
            value: over(samples)?,
            at: eval.at,
        };
        Some(if keep_name { point } else { nameless(point) })
    });
    series.collect()
}

/// One row with the labels that were asked for by equality, where nothing was found.
fn absent(eval: &Eval<'_>, expr: &Expr, found: bool) -> Vec<Point> {
    if found {
        return Vec::new();
    }
    let matchers = match expr {
        Expr::VectorSelector(selector) => Some(&selector.matchers),
        Expr::MatrixSelector(matrix) => Some(&matrix.vs.matchers),
        _ => None,
    };
    let equal = matchers
        .into_iter()
        .flat_map(|m| &m.matchers)
        .filter(|m| m.op == promql_parser::label::MatchOp::Equal && m.name != "__name__");
    vec![Point {
        set: equal.map(|m| (m.name.clone(), m.value.clone())).collect(),
        value: 1.0,
        at: eval.at,
    }]
}

fn values(samples: &[(Millis, f64)]) -> Vec<f64> {
    samples.iter().map(|(_, value)| *value).collect()
}

/// The straight line through the samples: its slope per second, and its value at the last of them.
fn line(samples: &[(Millis, f64)]) -> Option<(f64, f64)> {
    let last = samples.last()?.0;
    let count = samples.len() as f64;
    let x = |at: Millis| -seconds(last.saturating_sub(at));
    let mean_x = samples.iter().map(|(at, _)| x(*at)).sum::<f64>() / count;
    let mean_y = sum(samples) / count;
    let spread: f64 = samples
        .iter()
        .map(|(at, _)| (x(*at) - mean_x).powi(2))
        .sum();
    if samples.len() < 2 || spread <= 0.0 {
        return None;
    }
    let both: f64 = samples
        .iter()
        .map(|(at, y)| (x(*at) - mean_x) * (y - mean_y))
        .sum();
    let slope = both / spread;
    Some((slope, mean_y - slope * mean_x))
}

fn sum(samples: &[(Millis, f64)]) -> f64 {
    samples.iter().map(|(_, value)| value).sum()
}

fn steps(samples: &[(Millis, f64)]) -> impl Iterator<Item = (f64, f64)> {
    samples
        .iter()
        .zip(samples.iter().skip(1))
        .map(|(a, b)| (a.1, b.1))
}

fn instant_rate(samples: &[(Millis, f64)]) -> Option<f64> {
    let [.., before, last] = samples else {
        return None;
    };
    // After a restart, what is there was counted since.
    let grown = if last.1 < before.1 {
        last.1
    } else {
        last.1 - before.1
    };
    let span = seconds(last.0.checked_sub(before.0)?);
    (span > 0.0).then(|| grown / span)
}

/// What is wanted of a growth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Growth {
    /// The difference of a gauge.
    Delta,
    /// The growth of a counter, which a restart does not undo.
    Increase,
    /// The same per second.
    Rate,
}

/// The growth over the window, stretched to its ends as Prometheus stretches it.
fn extrapolated(samples: &[(Millis, f64)], window: &Window, growth: Growth) -> Option<f64> {
    let counter = growth != Growth::Delta;
    let (first, last) = (samples.first()?, samples.last()?);
    let sampled = seconds(last.0.checked_sub(first.0)?);
    if samples.len() < 2 || sampled <= 0.0 {
        return None;
    }
    let mut grown = last.1 - first.1;
    if counter {
        grown += steps(samples)
            .filter(|(a, b)| b < a)
            .map(|(a, _)| a)
            .sum::<f64>();
    }
    let mut to_start = seconds(first.0.saturating_sub(window.from));
    let to_end = seconds(window.to.saturating_sub(last.0));
    let between = sampled / (samples.len() - 1) as f64;
    if counter && grown > 0.0 && first.1 >= 0.0 {
        // A counter cannot have been below zero.
        to_start = to_start.min(sampled * (first.1 / grown));
    }
    let reach = |gap: f64| {
        if gap < between * 1.1 {
            gap
        } else {
            between / 2.0
        }
    };
    let stretched = grown * (sampled + reach(to_start) + reach(to_end)) / sampled;
    let range = seconds(window.to - window.from);
    Some(match growth {
        Growth::Rate => stretched / range,
        Growth::Delta | Growth::Increase => stretched,
    })
}

fn histogram_quantile(quantile: f64, points: Vec<Point>) -> Vec<Point> {
    let mut groups: BTreeMap<Set, (Millis, Vec<(f64, f64)>)> = BTreeMap::new();
    for mut point in points.into_iter().map(nameless) {
        // A row without a bound is no bucket; Prometheus leaves it out.
        let Some(bound) = point.set.remove("le").and_then(|le| bound(&le)) else {
            continue;
        };
        let group = groups.entry(point.set).or_insert((point.at, Vec::new()));
        group.1.push((bound, point.value));
    }
    let rows = groups.into_iter().map(|(set, (at, mut buckets))| {
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        Point {
            set,
            value: quantile_of(quantile, &buckets),
            at,
        }
    });
    rows.collect()
}

fn bound(le: &str) -> Option<f64> {
    match le {
        "+Inf" => Some(f64::INFINITY),
        text => text.parse().ok(),
    }
}

/// Linear within a bucket; the last finite bound where the rank lies above it.
fn quantile_of(quantile: f64, buckets: &[(f64, f64)]) -> f64 {
    let Some((last_bound, _)) = buckets.last() else {
        return f64::NAN;
    };
    // What is below a bound is below all higher ones: where rates step back between two, the last one's included,
    // Prometheus lifts them.
    let lift = |most: f64, count: f64| if count < most { most } else { count };
    let all = buckets.iter().map(|(_, count)| *count).fold(0.0, lift);
    if !last_bound.is_infinite()
        || buckets.len() < 2
        || all == 0.0
        || all.is_nan()
        || quantile.is_nan()
    {
        return f64::NAN;
    }
    if quantile < 0.0 {
        return f64::NEG_INFINITY;
    }
    if quantile > 1.0 {
        return f64::INFINITY;
    }
    let rank = quantile * all;
    let (mut low, mut below) = (0.0, 0.0_f64);
    for (bound, count) in buckets {
        let count = count.max(below);
        if count >= rank {
            if bound.is_infinite() {
                return low;
            }
            if low == 0.0 && *bound <= 0.0 {
                return *bound;
            }
            return low + (bound - low) * ((rank - below) / (count - below));
        }
        (low, below) = (*bound, count);
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(from: Millis, to: Millis) -> Window {
        Window {
            series: Vec::new(),
            from,
            to,
        }
    }

    #[test]
    fn a_steady_counter_has_its_rate_whatever_the_phase() {
        let samples: Vec<(Millis, f64)> = (0..4)
            .map(|n| (7_000 + n * 15_000, 1_000.0 + n as f64 * 30.0))
            .collect();
        let rate = extrapolated(&samples, &window(0, 60_000), Growth::Rate).unwrap();
        assert!((rate - 2.0).abs() < 1e-9, "{rate}");
    }

    #[test]
    fn a_restart_is_no_loss() {
        let samples = [(0, 100.0), (15_000, 130.0), (30_000, 10.0), (45_000, 40.0)];
        let grown = extrapolated(&samples, &window(0, 45_000), Growth::Increase).unwrap();
        assert!((grown - 70.0).abs() < 1e-9, "{grown}");
    }

    #[test]
    fn a_straight_line_is_followed() {
        let samples: Vec<(Millis, f64)> = (0..5).map(|n| (n * 10_000, 3.0 * n as f64)).collect();
        let (slope, last) = line(&samples).unwrap();
        assert!((slope - 0.3).abs() < 1e-12 && (last - 12.0).abs() < 1e-9);
        assert_eq!(line(&samples[..1]), None);
    }

    #[test]
    fn one_sample_has_no_rate() {
        assert_eq!(
            extrapolated(&[(0, 1.0)], &window(0, 60_000), Growth::Rate),
            None
        );
    }

    #[test]
    fn quantiles_lie_within_their_bucket_and_idle_is_no_number() {
        let buckets = [(0.1, 50.0), (0.2, 100.0), (f64::INFINITY, 100.0)];
        assert!((quantile_of(0.5, &buckets) - 0.1).abs() < 1e-12);
        assert!((quantile_of(0.75, &buckets) - 0.15).abs() < 1e-12);
        assert!(quantile_of(0.99, &[(0.1, 0.0), (f64::INFINITY, 0.0)]).is_nan());
        let above = [(0.1, 0.0), (f64::INFINITY, 10.0)];
        assert!(
            (quantile_of(0.99, &above) - 0.1).abs() < 1e-12,
            "clamped to the last bound"
        );
        let stepped_back = [(0.1, 50.0), (0.2, 100.0), (f64::INFINITY, 90.0)];
        assert!((quantile_of(0.75, &stepped_back) - 0.15).abs() < 1e-12);
    }
}
