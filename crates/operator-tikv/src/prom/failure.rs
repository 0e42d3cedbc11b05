//! What a server means when it has no answer to a query. Not every answer is JSON.

use operator_core::Fault;

use super::wire::{self, Envelope, shortened};
use crate::http::Answer;

/// The fault that a failed answer stands for. What could be evaluated and was not names the query.
pub(super) fn fault(promql: &str, answer: &Answer) -> Fault {
    let declined = is_json(answer.kind.as_deref())
        .then(|| wire::decode(&answer.excerpt).ok())
        .flatten()
        .filter(|envelope| !envelope.error.is_empty());
    if let Some(envelope) = declined {
        return self::declined(promql, answer.status, &envelope);
    }
    Fault::Status {
        code: answer.status,
        excerpt: shortened(String::from_utf8_lossy(&answer.excerpt).trim()),
    }
}

/// The server said why it did not evaluate the query.
pub(super) fn declined(promql: &str, status: u16, envelope: &Envelope) -> Fault {
    let kind = match envelope.error_type.as_str() {
        "" => "no type",
        kind => kind,
    };
    let error = match envelope.error.as_str() {
        "" => "no reason given",
        error => error,
    };
    Fault::Query {
        query: promql.to_owned(),
        reason: format!("status {status}, {kind}: {error}"),
    }
}

/// Whether the body may be JSON. Some proxies take the word away.
pub(super) fn is_json(kind: Option<&str>) -> bool {
    kind.is_none_or(|kind| kind.trim_start().starts_with("application/json"))
}

/// A good answer of someone else: a login page, another server.
pub(super) fn not_json(kind: Option<&str>, body: &[u8]) -> Fault {
    let head = body.get(..body.len().min(200)).unwrap_or_default();
    let text = String::from_utf8_lossy(head);
    let line = text.lines().next().unwrap_or_default();
    Fault::Decode {
        expected: "an answer to a query, as application/json".into(),
        found: format!("{}: {line}", shortened(kind.unwrap_or_default())),
    }
}

/// Remarks on the query, and what says that data is missing. Versions 2.48 to 2.53 send both as warnings.
pub(super) fn sorted(all: Vec<String>) -> (Vec<String>, Vec<String>) {
    all.into_iter().partition(|text| {
        ["PromQL info:", "PromQL warning:"]
            .iter()
            .any(|prefix| text.starts_with(prefix))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(status: u16, kind: &str, body: &str) -> String {
        let answer = Answer {
            status,
            date: None,
            kind: Some(kind.to_owned()),
            connection: None,
            excerpt: body.as_bytes().to_vec(),
        };
        fault("up{", &answer).to_string()
    }

    /// Golden: what a person reads.
    #[test]
    fn every_failure_says_what_the_server_said() {
        let json = "application/json";
        let text = "text/plain; charset=utf-8";
        let table = [
            (
                400,
                json,
                r#"{"status":"error","errorType":"bad_data","error":"1:4: parse error: no matcher"}"#,
                "query `up{` failed: status 400, bad_data: 1:4: parse error: no matcher",
            ),
            (
                503,
                json,
                r#"{"status":"error","errorType":"timeout","error":"too slow","data":null}"#,
                "query `up{` failed: status 503, timeout: too slow",
            ),
            (
                429,
                json,
                r#"{"status":"error","errorType":"too_many_requests","error":"limit"}"#,
                "query `up{` failed: status 429, too_many_requests: limit",
            ),
            (401, text, "Unauthorized\n", "status 401: Unauthorized"),
            (
                404,
                text,
                "404 page not found\n",
                "status 404: 404 page not found",
            ),
            (
                405,
                text,
                "Method Not Allowed\n",
                "status 405: Method Not Allowed",
            ),
            (431, text, "431 Too Large", "status 431: 431 Too Large"),
            (
                503,
                text,
                "Service Unavailable",
                "status 503: Service Unavailable",
            ),
            (
                302,
                "text/html",
                "<a href=\"/graph\">Found</a>.",
                "status 302: <a href=\"/graph\">Found</a>.",
            ),
            (
                500,
                json,
                "{\"status\":\"err",
                "status 500: {\"status\":\"err",
            ),
        ];
        for (status, kind, body, expected) in table {
            assert_eq!(reads(status, kind, body), expected);
        }
    }

    #[test]
    fn remarks_on_the_query_are_told_from_missing_data() {
        let all = [
            "PromQL info: metric might not be a counter",
            "PromQL warning: bucket label \"le\" is missing",
            "fetch series: no store matched",
        ];
        let (remarks, missing) = sorted(all.map(str::to_owned).to_vec());
        assert_eq!(remarks, all[..2]);
        assert_eq!(missing, all[2..]);
    }
}
