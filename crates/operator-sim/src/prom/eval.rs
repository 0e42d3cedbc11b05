//! PromQL over the simulator's own series: parsed by a library, evaluated here, as Prometheus 2.42 would.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use promql_parser::parser::{self, AtModifier, Expr, Offset, SubqueryExpr, VectorSelector};

use crate::cluster::Cluster;
use crate::num::{self, Millis};

use super::select::{self, Samples, Set, Wanted};
use super::{aggregate, binary, functions};

/// Why a query has no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum QueryError {
    /// Not PromQL.
    #[error("invalid parameter \"query\": 1:1: parse error: {0}")]
    Parse(String),
    /// PromQL beyond the supported subset.
    #[error("invalid parameter \"query\": {0} is outside the simulator's PromQL subset")]
    Unsupported(String),
    /// Fine in itself, but it cannot be evaluated over these series.
    #[error("{0}")]
    Execution(String),
}

/// One row of an instant vector.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    pub(crate) set: Set,
    pub(crate) value: f64,
    pub(crate) at: Millis,
}

/// What an expression is worth.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Scalar(f64),
    Text(String),
    Vector(Vec<Point>),
    Matrix(Vec<(Set, Samples)>),
}

/// A range of samples with the span that it was asked for.
pub(crate) struct Window {
    pub(crate) series: Vec<(Set, Samples)>,
    pub(crate) from: Millis,
    pub(crate) to: Millis,
}

/// Steps that one sub-query or range query may have.
pub(crate) const MAX_STEPS: u64 = 11_000;
/// How long a query may be: it bounds how deep the parser's tree is.
const MAX_QUERY: usize = 8 << 10;
/// How deep expressions may nest.
const MAX_DEPTH: usize = 64;

/// So many parsed queries are kept: those who watch ask the same few again and again, and parsing one, with its
/// regular expressions, takes far longer than answering it.
const MAX_KEPT: usize = 256;

static KEPT: LazyLock<Mutex<HashMap<String, Arc<Expr>>>> = LazyLock::new(Mutex::default);

/// The expression that a query is. It depends on the text alone.
pub(crate) fn parse(query: &str) -> Result<Arc<Expr>, QueryError> {
    let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(expr) = kept().get(query) {
        return Ok(Arc::clone(expr));
    }
    let expr = Arc::new(parsed(query)?);
    let mut kept = kept();
    if kept.len() >= MAX_KEPT {
        kept.clear();
    }
    kept.insert(query.to_owned(), Arc::clone(&expr));
    Ok(expr)
}

fn parsed(query: &str) -> Result<Expr, QueryError> {
    let empty = query.trim().is_empty();
    if empty {
        return Err(QueryError::Parse("no expression found in input".to_owned()));
    }
    if query.len() > MAX_QUERY {
        return Err(QueryError::Unsupported(format!(
            "a query of more than {MAX_QUERY} bytes"
        )));
    }
    parser::parse(query).map_err(QueryError::Parse)
}

/// An evaluation at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Eval<'a> {
    pub(crate) cluster: &'a Cluster,
    /// Model time.
    pub(crate) at: Millis,
    depth: usize,
}

impl<'a> Eval<'a> {
    pub(crate) fn new(cluster: &'a Cluster, at: Millis) -> Self {
        Self {
            cluster,
            at,
            depth: 0,
        }
    }

    pub(crate) fn unix_seconds(&self) -> f64 {
        self.cluster.unix_of(num::signed(self.at)) as f64 / 1000.0
    }

    fn deeper(&self) -> Result<Self, QueryError> {
        if self.depth >= MAX_DEPTH {
            return Err(QueryError::Unsupported(format!(
                "nesting deeper than {MAX_DEPTH}"
            )));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..*self
        })
    }

    pub(crate) fn value(&self, expr: &Expr) -> Result<Value, QueryError> {
        let inner = self.deeper()?;
        match expr {
            Expr::NumberLiteral(number) => Ok(Value::Scalar(number.val)),
            Expr::StringLiteral(text) => Ok(Value::Text(text.val.clone())),
            Expr::Paren(paren) => inner.value(&paren.expr),
            Expr::Unary(unary) => inner.negated(&unary.expr),
            Expr::VectorSelector(selector) => inner.select(selector).map(Value::Vector),
            Expr::MatrixSelector(_) | Expr::Subquery(_) => inner
                .window(expr)
                .map(|window| Value::Matrix(window.series)),
            Expr::Aggregate(aggregate) => aggregate::value(&inner, aggregate).map(Value::Vector),
            Expr::Binary(binary) => binary::value(&inner, binary),
            Expr::Call(call) => functions::value(&inner, call),
            Expr::Extension(_) => Err(QueryError::Unsupported("an extension".to_owned())),
        }
    }

    pub(crate) fn vector(&self, expr: &Expr) -> Result<Vec<Point>, QueryError> {
        match self.value(expr)? {
            Value::Vector(points) => Ok(points),
            other => Err(QueryError::Parse(format!(
                "expected an instant vector, got {}",
                other.kind()
            ))),
        }
    }

    pub(crate) fn scalar(&self, expr: &Expr) -> Result<f64, QueryError> {
        match self.value(expr)? {
            Value::Scalar(number) => Ok(number),
            other => Err(QueryError::Parse(format!(
                "expected a scalar, got {}",
                other.kind()
            ))),
        }
    }

    fn negated(&self, expr: &Expr) -> Result<Value, QueryError> {
        Ok(match self.value(expr)? {
            Value::Scalar(number) => Value::Scalar(-number),
            Value::Vector(points) => Value::Vector(
                points
                    .into_iter()
                    .map(|point| Point {
                        value: -point.value,
                        ..nameless(point)
                    })
                    .collect(),
            ),
            other => return Err(QueryError::Parse(format!("cannot negate {}", other.kind()))),
        })
    }

    fn select(&self, selector: &VectorSelector) -> Result<Vec<Point>, QueryError> {
        let wanted = wanted(selector)?;
        let Some(at) = self.moment(selector.offset.as_ref(), selector.at.as_ref())? else {
            return Ok(Vec::new());
        };
        let found = select::instant(self.cluster, &wanted, at);
        let points = found
            .into_iter()
            .map(|(set, (at, value))| Point { set, value, at });
        Ok(points.collect())
    }

    /// The moment that an offset means; `None` before the cluster began.
    fn moment(
        &self,
        offset: Option<&Offset>,
        at: Option<&AtModifier>,
    ) -> Result<Option<Millis>, QueryError> {
        if at.is_some() {
            return Err(QueryError::Unsupported("the @ modifier".to_owned()));
        }
        Ok(match offset {
            None => Some(self.at),
            Some(Offset::Pos(back)) => self.at.checked_sub(millis(*back)),
            Some(Offset::Neg(ahead)) => Some(self.at + millis(*ahead)),
        })
    }

    /// The samples of a range selector or a sub-query.
    pub(crate) fn window(&self, expr: &Expr) -> Result<Window, QueryError> {
        match expr {
            Expr::Paren(paren) => self.window(&paren.expr),
            Expr::MatrixSelector(matrix) => {
                let wanted = wanted(&matrix.vs)?;
                let range = millis(matrix.range);
                let Some(to) = self.moment(matrix.vs.offset.as_ref(), matrix.vs.at.as_ref())?
                else {
                    return Ok(Window::empty(self.at, range));
                };
                let from = to.saturating_sub(range);
                let series = select::range(self.cluster, &wanted, from, to);
                Ok(Window { series, from, to })
            }
            Expr::Subquery(subquery) => self.subquery(subquery),
            _ => Err(QueryError::Parse("expected a range vector".to_owned())),
        }
    }

    fn subquery(&self, subquery: &SubqueryExpr) -> Result<Window, QueryError> {
        let range = millis(subquery.range);
        let step = subquery.step.map_or(60_000, millis).max(1);
        let Some(to) = self.moment(subquery.offset.as_ref(), subquery.at.as_ref())? else {
            return Ok(Window::empty(self.at, range));
        };
        let from = to.saturating_sub(range);
        if range / step > MAX_STEPS {
            return Err(QueryError::Execution(
                "the sub-query has too many steps".to_owned(),
            ));
        }
        // Steps lie on a grid of absolute time, as Prometheus lays them.
        let began = self.cluster.shape.began_unix_ms;
        let first = (began + from).div_ceil(step) * step;
        let mut series: std::collections::BTreeMap<Set, Samples> =
            std::collections::BTreeMap::new();
        let mut unix = first;
        while unix <= began + to {
            let at = unix - began;
            let inner = Self {
                at,
                ..self.deeper()?
            };
            for point in inner.vector(&subquery.expr)? {
                series.entry(point.set).or_default().push((at, point.value));
            }
            unix += step;
        }
        Ok(Window {
            series: series.into_iter().collect(),
            from,
            to,
        })
    }
}

impl Window {
    fn empty(at: Millis, range: Millis) -> Self {
        Self {
            series: Vec::new(),
            from: at.saturating_sub(range),
            to: at,
        }
    }
}

impl Value {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Scalar(_) => "scalar",
            Self::Text(_) => "string",
            Self::Vector(_) => "vector",
            Self::Matrix(_) => "matrix",
        }
    }
}

/// A point without its metric's name, as every calculation leaves it.
pub(crate) fn nameless(mut point: Point) -> Point {
    point.set.remove("__name__");
    point
}

fn wanted(selector: &VectorSelector) -> Result<Wanted<'_>, QueryError> {
    if !selector.matchers.or_matchers.is_empty() {
        return Err(QueryError::Unsupported("`or` between matchers".to_owned()));
    }
    let name = selector.name.as_deref();
    let matchers = &selector.matchers;
    if name.is_none() && matchers.matchers.iter().all(|matcher| matcher.is_match("")) {
        let text = "vector selector must contain at least one non-empty matcher";
        return Err(QueryError::Parse(text.to_owned()));
    }
    Ok(Wanted { name, matchers })
}

fn millis(span: Duration) -> Millis {
    crate::cluster::ms(span)
}
