//! What failed: doing what, where, and what happened.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::Entity;
use crate::time::seconds;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A read or an action that failed.
///
/// `{error}` says what was attempted and where; what happened is its [source](std::error::Error::source),
/// so that printing a chain of errors says each thing once. `{error:#}` prints the chain in one line.
///
/// ```
/// use operator_core::{Error, Fault};
///
/// let fault = Fault::Status { code: 503, excerpt: "no leader".into() };
/// let error = Error::new("read stores", fault).at("http://pd-0:2379");
/// assert_eq!(error.to_string(), "cannot read stores from http://pd-0:2379");
/// assert_eq!(format!("{error:#}"), "cannot read stores from http://pd-0:2379: status 503: no leader");
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub struct Error {
    /// What was attempted, as a verb and its object: `read stores`.
    pub operation: Cow<'static, str>,
    /// Who was asked: a URL without secrets, a file, a subject's name.
    pub origin: Option<String>,
    /// What happened.
    #[source]
    pub fault: Box<Fault>,
}

impl Error {
    /// An operation that failed.
    pub fn new(operation: impl Into<Cow<'static, str>>, fault: Fault) -> Self {
        Self {
            operation: operation.into(),
            origin: None,
            fault: Box::new(fault),
        }
    }

    /// The same error, with who was asked.
    #[must_use]
    pub fn at(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// Whether the thing asked for does not exist, as opposed to a failure to look.
    pub fn is_not_found(&self) -> bool {
        matches!(*self.fault, Fault::NotFound(_))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}", self.operation)?;
        if let Some(origin) = &self.origin {
            write!(f, " from {origin}")?;
        }
        if f.alternate() {
            write!(f, ": {}", self.fault)?;
        }
        Ok(())
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The other side could not be reached, or the connection broke.
    #[error("{reason}")]
    Transport {
        /// What the transport said.
        reason: String,
    },
    /// No answer came in time.
    #[error("no answer within {}", seconds(*.after))]
    TimedOut {
        /// How long was waited.
        after: Duration,
    },
    /// The other side answered with a status that means failure.
    #[error("status {code}{}", tail(.excerpt))]
    Status {
        /// The status.
        code: u16,
        /// The beginning of what it said.
        excerpt: String,
    },
    /// The answer is not what it should be.
    #[error("expected {expected}, found {found}")]
    Decode {
        /// What the answer should have been, and where in it.
        expected: String,
        /// What came instead.
        found: String,
    },
    /// The other side could not evaluate a query.
    #[error("query `{query}` failed: {reason}")]
    Query {
        /// The query.
        query: String,
        /// What the server said of it.
        reason: String,
    },
    /// Everyone who could have answered failed, each for a reason of its own.
    #[error("no endpoint answered: {}", Each(.0))]
    Exhausted(Vec<Error>),
    /// There is no such thing. This is an answer, not a failure to look.
    #[error("{0} not found")]
    NotFound(Entity),
    /// The other side understood and declined.
    #[error("refused{}: {reason}", code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default())]
    Refused {
        /// The stable code of the refusal, where the server gives one.
        code: Option<String>,
        /// What the server said.
        reason: String,
    },
    /// Another cluster answered than the one that was asked for.
    #[error("cluster {found} answered, expected cluster {expected}")]
    WrongCluster {
        /// The cluster that was meant.
        expected: u64,
        /// The cluster that answered.
        found: u64,
    },
    /// The subject cannot do this.
    #[error("{subject} does not support it")]
    Unsupported {
        /// The subject's name.
        subject: String,
    },
    /// Nobody configured where to look: its gap is listed, and never counted as blindness.
    #[error("{what} is not configured")]
    NotConfigured {
        /// What would have to be configured.
        what: &'static str,
    },
}

fn tail(excerpt: &str) -> String {
    match excerpt {
        "" => String::new(),
        excerpt => format!(": {excerpt}"),
    }
}

struct Each<'a>(&'a [Error]);

impl fmt::Display for Each<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("there is none");
        }
        for (position, error) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            // They all attempted what the error around them says.
            match &error.origin {
                Some(origin) => write!(f, "{separator}{origin}: {}", error.fault)?,
                None => write!(f, "{separator}{}", error.fault)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreId;

    fn reads(fault: Fault) -> String {
        format!("{:#}", Error::new("read stores", fault).at("http://pd"))
    }

    /// Golden: what a person reads.
    #[test]
    fn every_fault_says_what_happened() {
        let refused = Fault::Transport {
            reason: "connection refused".into(),
        };
        let table = [
            (
                refused.clone(),
                "cannot read stores from http://pd: connection refused",
            ),
            (
                Fault::TimedOut {
                    after: Duration::from_secs(3),
                },
                "cannot read stores from http://pd: no answer within 3 s",
            ),
            (
                Fault::Status {
                    code: 503,
                    excerpt: "no leader".into(),
                },
                "cannot read stores from http://pd: status 503: no leader",
            ),
            (
                Fault::Status {
                    code: 405,
                    excerpt: String::new(),
                },
                "cannot read stores from http://pd: status 405",
            ),
            (
                Fault::Decode {
                    expected: "a number at stores[2].store.id".into(),
                    found: "\"x\"".into(),
                },
                "cannot read stores from http://pd: expected a number at stores[2].store.id, found \"x\"",
            ),
            (
                Fault::Query {
                    query: "up{".into(),
                    reason: "unexpected end of input".into(),
                },
                "cannot read stores from http://pd: query `up{` failed: unexpected end of input",
            ),
            (
                Fault::Exhausted(vec![
                    Error::new("read stores", refused).at("http://a"),
                    Error::new(
                        "read stores",
                        Fault::TimedOut {
                            after: Duration::from_millis(50),
                        },
                    )
                    .at("http://b"),
                ]),
                "cannot read stores from http://pd: no endpoint answered: \
                 http://a: connection refused; http://b: no answer within 0.05 s",
            ),
            (
                Fault::Exhausted(Vec::new()),
                "cannot read stores from http://pd: no endpoint answered: there is none",
            ),
            (
                Fault::NotFound(Entity::Store(StoreId(9))),
                "cannot read stores from http://pd: store/9 not found",
            ),
            (
                Fault::Refused {
                    code: Some("PD:core:ErrStoreNotFound".into()),
                    reason: "store 9 is busy".into(),
                },
                "cannot read stores from http://pd: refused (PD:core:ErrStoreNotFound): store 9 is busy",
            ),
            (
                Fault::Refused {
                    code: None,
                    reason: "limit reached".into(),
                },
                "cannot read stores from http://pd: refused: limit reached",
            ),
            (
                Fault::WrongCluster {
                    expected: 7,
                    found: 8,
                },
                "cannot read stores from http://pd: cluster 8 answered, expected cluster 7",
            ),
            (
                Fault::Unsupported {
                    subject: "printers".into(),
                },
                "cannot read stores from http://pd: printers does not support it",
            ),
            (
                Fault::NotConfigured { what: "Prometheus" },
                "cannot read stores from http://pd: Prometheus is not configured",
            ),
        ];
        for (fault, expected) in table {
            assert_eq!(reads(fault), expected);
        }
    }

    #[test]
    fn display_does_not_repeat_its_source() {
        let error = Error::new(
            "read stores",
            Fault::Transport {
                reason: "connection refused".into(),
            },
        );
        assert_eq!(error.to_string(), "cannot read stores");
        let source = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(source.as_deref(), Some("connection refused"));
    }
}
