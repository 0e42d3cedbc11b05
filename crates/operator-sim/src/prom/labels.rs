//! Functions that write labels.

use promql_parser::parser::Call;
use regex::Regex;

use super::eval::{Eval, Point, QueryError, Value};

/// `label_replace` and `label_join`.
pub(super) fn value(eval: &Eval<'_>, call: &Call) -> Result<Vec<Point>, QueryError> {
    let name = call.func.name;
    let mut arguments = call.args.args.iter();
    let points = match arguments.next() {
        Some(expr) => eval.vector(expr)?,
        None => Vec::new(),
    };
    let texts: Vec<String> = arguments
        .map(|expr| match eval.value(expr)? {
            Value::Text(text) => Ok(text),
            other => Err(QueryError::Parse(format!(
                "expected a string in call to \"{name}\", got {}",
                other.kind()
            ))),
        })
        .collect::<Result<_, _>>()?;
    match (name, texts.as_slice()) {
        ("label_replace", [to, by, from, pattern]) => replace(points, to, by, from, pattern),
        ("label_join", [to, between, from @ ..]) => Ok(join(points, to, between, from)),
        _ => Err(QueryError::Parse(format!(
            "wrong number of arguments in call to \"{name}\""
        ))),
    }
}

/// Where a label's whole value has a form, another label is written from its parts.
fn replace(
    points: Vec<Point>,
    to: &str,
    by: &str,
    from: &str,
    pattern: &str,
) -> Result<Vec<Point>, QueryError> {
    let form = Regex::new(&format!("^(?s:{pattern})$")).map_err(|_| {
        QueryError::Execution(format!(
            "invalid regular expression in label_replace(): {pattern}"
        ))
    })?;
    let rows = points.into_iter().map(|mut point| {
        let value = point.set.get(from).cloned().unwrap_or_default();
        if let Some(parts) = form.captures(&value) {
            let mut written = String::new();
            parts.expand(by, &mut written);
            write(&mut point, to, written);
        }
        point
    });
    Ok(rows.collect())
}

fn join(points: Vec<Point>, to: &str, between: &str, from: &[String]) -> Vec<Point> {
    let rows = points.into_iter().map(|mut point| {
        let values: Vec<&str> = from
            .iter()
            .map(|name| point.set.get(name).map_or("", String::as_str))
            .collect();
        let joined = values.join(between);
        write(&mut point, to, joined);
        point
    });
    rows.collect()
}

/// An empty label is none.
fn write(point: &mut Point, label: &str, value: String) {
    if value.is_empty() {
        point.set.remove(label);
    } else {
        point.set.insert(label.to_owned(), value);
    }
}
