//! Prometheus' HTTP API: queries, and the little around them.

use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::cluster::Cluster;
use crate::http::{Outcome, Params, Reply, Request, TEXT, date};
use crate::num::{self, Millis};

use super::eval::{self, Eval, MAX_STEPS, Point, QueryError, Value};
use super::render;
use super::select::{Samples, Set};
use super::series::Outcome as Scraped;

const JSON: &str = "application/json";

type Handler = fn(&Cluster, &Request) -> Result<Json, Refusal>;

/// The endpoints, one entry each.
static ROUTES: &[(&str, Handler)] = &[
    ("/api/v1/query", query),
    ("/api/v1/query_range", query_range),
    ("/api/v1/status/buildinfo", buildinfo),
    ("/api/v1/targets", targets),
];

/// An answer that is an error.
struct Refusal {
    status: u16,
    kind: &'static str,
    text: String,
}

impl Refusal {
    fn bad(text: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: "bad_data",
            text: text.into(),
        }
    }
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Execution(text) => Self {
                status: 422,
                kind: "execution",
                text,
            },
            other => Self::bad(other.to_string()),
        }
    }
}

impl Cluster {
    /// What Prometheus answers.
    #[must_use]
    pub fn prometheus(&self, request: &Request) -> Outcome {
        if self.conditions.prometheus.down {
            return Outcome::Refused;
        }
        let mut reply = answer(self, request);
        let now = num::signed(self.unix_ms()) + self.conditions.prometheus.clock_ahead;
        reply.headers.push(("date", date(now)));
        Outcome::Reply(reply)
    }
}

fn answer(cluster: &Cluster, request: &Request) -> Reply {
    let path = request.path.as_str();
    match path {
        "/-/healthy" => return Reply::new(200, TEXT, "Prometheus Server is Healthy.\n"),
        "/-/ready" => return Reply::new(200, TEXT, "Prometheus Server is Ready.\n"),
        _ => {}
    }
    let Some((_, handler)) = ROUTES.iter().find(|(known, _)| *known == path) else {
        return Reply::text(404, "404 page not found");
    };
    if !["GET", "POST"].contains(&request.method.as_str()) {
        let mut reply = Reply::text(405, "Method Not Allowed");
        reply
            .headers
            .push(("allow", "GET, OPTIONS, POST".to_owned()));
        return reply;
    }
    match handler(cluster, request) {
        Ok(data) => reply(200, &json!({"status": "success", "data": data})),
        Err(refusal) => reply(
            refusal.status,
            &json!({"status": "error", "errorType": refusal.kind, "error": refusal.text}),
        ),
    }
}

fn reply(status: u16, body: &Json) -> Reply {
    Reply::new(status, JSON, body.to_string())
}

fn query(cluster: &Cluster, request: &Request) -> Result<Json, Refusal> {
    let params = request.form();
    let expr = eval::parse(params.text("query").unwrap_or_default())?;
    let at = match params.text("time") {
        None => cluster.now,
        Some(text) => moment("time", text)?.saturating_sub(cluster.shape.began_unix_ms),
    };
    let eval = Eval::new(cluster, at);
    let unix = cluster.unix_of(num::signed(at));
    Ok(match eval.value(&expr)? {
        Value::Scalar(number) => json!({"resultType": "scalar", "result": pair(unix, number)}),
        Value::Text(text) => json!({"resultType": "string", "result": [seconds(unix), text]}),
        Value::Vector(points) => {
            let rows: Vec<Json> = points
                .iter()
                .map(
                    |point| json!({"metric": metric(&point.set), "value": pair(unix, point.value)}),
                )
                .collect();
            json!({"resultType": "vector", "result": rows})
        }
        Value::Matrix(series) => {
            let rows: Vec<Json> = series
                .iter()
                .map(|(set, samples)| row(cluster, set, samples))
                .collect();
            json!({"resultType": "matrix", "result": rows})
        }
    })
}

fn query_range(cluster: &Cluster, request: &Request) -> Result<Json, Refusal> {
    let params = request.form();
    let expr = eval::parse(params.text("query").unwrap_or_default())?;
    let needed = |name: &'static str| -> Result<&str, Refusal> {
        params.text(name).ok_or_else(|| {
            Refusal::bad(format!(
                "invalid parameter \"{name}\": cannot parse \"\" to a valid timestamp"
            ))
        })
    };
    let start = moment("start", needed("start")?)?;
    let end = moment("end", needed("end")?)?;
    let step = step(&params)?;
    let span = end.checked_sub(start).ok_or_else(|| {
        Refusal::bad("invalid parameter \"end\": end timestamp must not be before start time")
    })?;
    if span / step > MAX_STEPS {
        return Err(Refusal::bad(
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
        ));
    }
    let mut series: std::collections::BTreeMap<Set, Samples> = std::collections::BTreeMap::new();
    // Before the cluster began there is nothing to be found.
    let began = cluster.shape.began_unix_ms;
    for at in (0..=span / step).filter_map(|number| (start + number * step).checked_sub(began)) {
        for point in points(&Eval::new(cluster, at), &expr)? {
            series.entry(point.set).or_default().push((at, point.value));
        }
    }
    let rows: Vec<Json> = series
        .iter()
        .map(|(set, samples)| row(cluster, set, samples))
        .collect();
    Ok(json!({"resultType": "matrix", "result": rows}))
}

fn points(eval: &Eval<'_>, expr: &promql_parser::parser::Expr) -> Result<Vec<Point>, Refusal> {
    Ok(match eval.value(expr)? {
        Value::Vector(points) => points,
        Value::Scalar(value) => vec![Point {
            set: Set::new(),
            value,
            at: eval.at,
        }],
        other => {
            return Err(Refusal::bad(format!(
                "invalid parameter \"query\": invalid expression type \"{}\" for range query, must be Scalar or instant Vector",
                other.kind()
            )));
        }
    })
}

fn step(params: &Params) -> Result<Millis, Refusal> {
    let text = params.text("step").unwrap_or_default();
    let wrong = || {
        Refusal::bad(format!(
            "invalid parameter \"step\": cannot parse \"{text}\" to a valid duration"
        ))
    };
    let span = match text.parse::<f64>() {
        Ok(seconds) => num::millis(seconds),
        Err(_) => promql_parser::util::parse_duration(text)
            .map(crate::cluster::ms)
            .map_err(|_| wrong())?,
    };
    if span == 0 {
        return Err(Refusal::bad(
            "invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive integer",
        ));
    }
    Ok(span)
}

/// A time parameter as Unix milliseconds.
fn moment(name: &str, text: &str) -> Result<u64, Refusal> {
    let wrong = || {
        Refusal::bad(format!(
            "invalid parameter \"{name}\": cannot parse \"{text}\" to a valid timestamp"
        ))
    };
    match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() => Ok(num::millis(seconds)),
        Ok(_) => Err(wrong()),
        Err(_) => {
            let at: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
            u64::try_from(at.as_millisecond()).map_err(|_| wrong())
        }
    }
}

fn metric(set: &Set) -> Json {
    set.iter()
        .map(|(name, value)| (name.clone(), Json::from(value.as_str())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn pair(unix_ms: i64, value: f64) -> Json {
    json!([seconds(unix_ms), render::number(value)])
}

fn row(cluster: &Cluster, set: &Set, samples: &Samples) -> Json {
    let values: Vec<Json> = samples
        .iter()
        .map(|(at, value)| pair(cluster.unix_of(num::signed(*at)), *value))
        .collect();
    json!({"metric": metric(set), "values": values})
}

/// Seconds as a JSON number, with no decimals where there are none.
fn seconds(unix_ms: i64) -> Json {
    serde_json::from_str(&render::time(unix_ms)).unwrap_or(Json::Null)
}

#[expect(clippy::unnecessary_wraps, reason = "an entry of the routing table")]
fn buildinfo(_: &Cluster, _: &Request) -> Result<Json, Refusal> {
    Ok(json!({
        "version": "2.42.0",
        "revision": "operator-sim",
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
    }))
}

#[expect(clippy::unnecessary_wraps, reason = "an entry of the routing table")]
fn targets(cluster: &Cluster, _: &Request) -> Result<Json, Refusal> {
    let interval = Duration::as_secs(&cluster.shape.timing.scrape);
    let active: Vec<Json> = cluster
        .scrapes
        .targets
        .iter()
        .filter_map(|scraped| {
            let last = scraped.scrapes.iter().rev().find(|scrape| scrape.visible <= cluster.now);
            let (health, error) = match last.map(|scrape| &scrape.outcome) {
                None => ("unknown", ""),
                Some(Scraped::Up(_)) => ("up", ""),
                Some(Scraped::Down) => ("down", "connection refused"),
                Some(Scraped::Gone) => return None,
            };
            let labels = super::select::target_set(cluster, scraped.target);
            let job = scraped.target.component();
            let at = last.map_or(0, |scrape| cluster.unix_of(num::signed(scrape.at)));
            Some(json!({
                "discoveredLabels": {"job": job},
                "labels": metric(&labels),
                "scrapePool": job,
                "scrapeUrl": format!("http://{}/metrics", labels.get("instance").map_or("", String::as_str)),
                "lastError": error,
                "lastScrape": jiff::Timestamp::from_millisecond(at).map(|t| t.to_string()).unwrap_or_default(),
                "lastScrapeDuration": 0.01,
                "health": health,
                "scrapeInterval": format!("{interval}s"),
                "scrapeTimeout": format!("{}s", cluster.shape.timing.scrape_timeout.as_secs()),
            }))
        })
        .collect();
    Ok(json!({"activeTargets": active, "droppedTargets": []}))
}
