//! What PD means when it does not answer 200. Four formats of bodies, and 500 for nearly everything:
//! the stable part is the code in brackets, where there is one.

use operator_core::{Entity, Error, Fault};
use serde::Deserialize;

/// How much of what PD said is kept in an error.
const EXCERPT_CHARS: usize = 300;

/// What the body of a failed answer says.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    /// As in `PD:core:ErrStoreNotFound`. Old versions have none.
    code: Option<String>,
    text: String,
}

/// The fault that a failed answer stands for.
///
/// A 404 says that what was asked `about` does not exist. Any other 4xx is an answer too: PD understood and declined. What is left is a failure to answer, except for the
/// few refusals that PD sends as 500.
pub(super) fn fault(status: u16, body: &[u8], about: Option<&Entity>) -> Fault {
    let said = said(body);
    let absent = about.filter(|_| status == 404 && !unknown_path(&said));
    if let Some(entity) = absent {
        return Fault::NotFound(entity.clone());
    }
    let declined =
        matches!(status, 400..=499) && !matches!(status, 408 | 429) && !unknown_path(&said);
    if declined || is_refusal(&said) {
        return Fault::Refused {
            code: said.code,
            reason: said.text,
        };
    }
    let excerpt = match said.code {
        Some(code) => format!("[{code}]{}", said.text),
        None => said.text,
    };
    Fault::Status {
        code: status,
        excerpt,
    }
}

/// Whether another member may know better. What PD answered is final; what kept it from answering is not.
pub(super) fn goes_on(fault: &Fault) -> bool {
    !matches!(
        fault,
        Fault::Refused { .. } | Fault::NotFound(_) | Fault::Status { code: 404, .. }
    )
}

/// Whether an error says that PD's members answer and have no leader among them: the time between the
/// loss of one and the election of the next. A member that is starting does not say so.
///
/// ```
/// use operator_core::{Error, Fault};
///
/// let fault = Fault::Status { code: 500, excerpt: "[PD:apiutil:ErrRedirect]redirect failed".into() };
/// assert!(operator_tikv::says_no_leader(&Error::new("read stores", fault)));
/// ```
pub fn says_no_leader(error: &Error) -> bool {
    match &*error.fault {
        Fault::Exhausted(errors) => errors.iter().any(says_no_leader),
        Fault::Status { code: 503, .. } => true,
        Fault::Status { code: 500, excerpt } => {
            ["redirect failed", "redirect to not leader", "ErrLeaderNil"]
                .iter()
                .any(|words| excerpt.contains(words))
        }
        _ => false,
    }
}

/// Old versions answer 404 as plain text for a path that they do not have.
fn unknown_path(said: &Said) -> bool {
    said.text.starts_with("404 page not found")
}

fn is_refusal(said: &Said) -> bool {
    const CODES: [&str; 3] = [
        "PD:operator:ErrOperatorNotFound",
        "PD:core:ErrStoreNotFound",
        "PD:scheduler:ErrSchedulerUndiagnosable",
    ];
    match &said.code {
        Some(code) => CODES.contains(&code.as_str()),
        None => said.text == "operator not found",
    }
}

fn said(body: &[u8]) -> Said {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Text(String),
        Object { msg: String },
    }
    let text = match serde_json::from_slice(body) {
        Ok(Form::Text(text) | Form::Object { msg: text }) => text,
        Err(_) => String::from_utf8_lossy(body).trim().to_owned(),
    };
    let coded = text
        .strip_prefix('[')
        .and_then(|text| text.split_once(']'))
        .filter(|(code, _)| code.starts_with("PD:"));
    match coded {
        Some((code, rest)) => Said {
            code: Some(shortened(code)),
            text: shortened(rest),
        },
        None => Said {
            code: None,
            text: shortened(text.lines().next().unwrap_or_default()),
        },
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(EXCERPT_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(status: u16, body: &str) -> String {
        fault(status, body.as_bytes(), None).to_string()
    }

    #[test]
    fn the_four_formats_of_errors_are_read() {
        let table = [
            // a JSON string, with a code and, from old versions, without
            (
                404,
                "\"[PD:core:ErrStoreNotFound]store 9 not found\"\n",
                "refused (PD:core:ErrStoreNotFound): store 9 not found",
            ),
            (404, "\"store 9 not found\"\n", "refused: store 9 not found"),
            // an object
            (
                400,
                r#"{"code":"input","msg":"no number: \"x\"","data":{}}"#,
                "refused: no number: \"x\"",
            ),
            // plain text of the router
            (
                503,
                "[PD:apiutil:ErrRedirectNoLeader]redirect finds no leader\n",
                "status 503: [PD:apiutil:ErrRedirectNoLeader]redirect finds no leader",
            ),
            (429, "Too Many Requests\n", "status 429: Too Many Requests"),
            (
                404,
                "404 page not found\n",
                "status 404: 404 page not found",
            ),
            // a panic: its first line, not the stack
            (
                500,
                "PANIC: nil pointer\ngoroutine 12 [running]:\n",
                "status 500: PANIC: nil pointer",
            ),
            // neither, or nothing
            (
                500,
                "{\"region_loaded\":false}",
                "status 500: {\"region_loaded\":false}",
            ),
            (400, "{}", "refused: {}"),
            (405, "", "refused: "),
        ];
        for (status, body, expected) in table {
            assert_eq!(reads(status, body), expected, "{body}");
        }
    }

    #[test]
    fn what_pd_declines_as_500_is_an_answer() {
        for body in [
            "\"[PD:operator:ErrOperatorNotFound]operator not found\"\n",
            "\"operator not found\"\n",
        ] {
            assert!(!goes_on(&fault(500, body.as_bytes(), None)), "{body}");
        }
        for body in [
            "[PD:apiutil:ErrRedirect]redirect failed",
            "\"[PD:cluster:ErrNotBootstrapped]not bootstrapped\"",
        ] {
            assert!(goes_on(&fault(500, body.as_bytes(), None)), "{body}");
        }
    }

    #[test]
    fn no_leader_is_told_from_a_member_that_starts() {
        let table = [
            (503, "no leader", true),
            (500, "[PD:apiutil:ErrRedirect]redirect failed", true),
            (500, "redirect to not leader", true),
            (500, "\"[PD:server:ErrLeaderNil]leader is nil\"", true),
            (
                500,
                "[PD:server:ErrServerNotStarted]server not started",
                false,
            ),
            (
                500,
                "\"[PD:cluster:ErrNotBootstrapped]TiKV cluster not bootstrapped\"",
                false,
            ),
        ];
        for (status, body, expected) in table {
            let error = Error::new("read stores", fault(status, body.as_bytes(), None));
            let all = Error::new("read stores", Fault::Exhausted(vec![error]));
            assert_eq!(says_no_leader(&all), expected, "{body}");
        }
    }

    #[test]
    fn a_long_answer_is_cut_between_characters() {
        let body = "ü".repeat(5000);
        let Fault::Status { excerpt, .. } = fault(500, body.as_bytes(), None) else {
            panic!("a status")
        };
        assert_eq!(excerpt.chars().count(), EXCERPT_CHARS);
    }
}
