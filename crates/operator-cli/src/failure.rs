//! Why a command ends without an answer: what was tried, what came back, what to try next.

use std::fmt;

use operator_core::{Error, Fault};

use crate::exit::Exit;

/// Why a command ends without an answer.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    what: String,
    hints: Vec<String>,
}

pub(crate) type Outcome<T = Exit> = Result<T, Failure>;

impl Failure {
    /// The command line, a code or a file is wrong.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            what: what.into(),
            hints: Vec::new(),
        }
    }

    /// What was asked for could not be seen; or, where it does not exist, was wrongly asked for.
    pub(crate) fn unseen(error: &Error) -> Self {
        let exit = match error.is_not_found() {
            true => Exit::Usage,
            false => Exit::Blind,
        };
        Self {
            exit,
            what: format!("{error:#}"),
            hints: advice(error),
        }
    }

    /// Something of this machine failed: a file, a socket.
    pub(crate) fn local(what: impl Into<String>) -> Self {
        Self::usage(what)
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let visible = crate::text::visible;
        write!(f, "operator: {}", visible(&self.what))?;
        for hint in &self.hints {
            write!(f, "\n  try: {}", visible(hint))?;
        }
        Ok(())
    }
}

/// What somebody can do about an error.
pub(crate) fn advice(error: &Error) -> Vec<String> {
    let mut hints = Vec::new();
    let mut add = |hint: String| {
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    };
    match &*error.fault {
        Fault::Exhausted(errors) => errors.iter().flat_map(advice).for_each(add),
        fault => {
            if let Some(hint) = hint(fault, error.origin.as_deref()) {
                add(hint);
            }
        }
    }
    hints
}

fn hint(fault: &Fault, origin: Option<&str>) -> Option<String> {
    let there = origin.unwrap_or("there");
    Some(match fault {
        Fault::Transport { reason }
            if reason.starts_with("TLS") || reason.contains("certificate") =>
        {
            "the TLS files of the configuration (ca-file, cert-file, key-file)".to_owned()
        }
        Fault::Transport { .. } => {
            format!("curl -sv {there} from this machine: nothing answers, or not to us")
        }
        Fault::TimedOut { .. } => {
            format!("again in some seconds; curl -sv {there} shows whether it hangs")
        }
        Fault::Status { code: 503, .. } => {
            "operator members: PD has no leader, which lasts some seconds after one was lost"
                .to_owned()
        }
        Fault::Status {
            code: 401 | 403, ..
        } => "the credentials of the configuration (bearer-token-file, user and password-file)"
            .to_owned(),
        Fault::Status { code: 404, .. } | Fault::Decode { .. } => {
            format!("whether {there} is the address of what it should be, prefix and port included")
        }
        Fault::WrongCluster { .. } => "endpoints of one cluster alone: these are of two".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use operator_core::{Entity, StoreId};

    #[test]
    fn a_failed_read_says_what_where_what_came_and_what_to_try() {
        let refused = Fault::Transport {
            reason: "Connection refused (os error 111)".into(),
        };
        let inner = Error::new("read stores", refused).at("http://pd-0:2379");
        let error = Error::new("read stores", Fault::Exhausted(vec![inner.clone(), inner]));
        assert_eq!(
            Failure::unseen(&error).to_string(),
            "operator: cannot read stores: no endpoint answered: http://pd-0:2379: Connection refused (os error \
             111); http://pd-0:2379: Connection refused (os error 111)\n  try: curl -sv http://pd-0:2379 from \
             this machine: nothing answers, or not to us"
        );
        assert_eq!(Failure::unseen(&error).exit, Exit::Blind);
    }

    #[test]
    fn what_does_not_exist_was_wrongly_asked_for() {
        let error = Error::new("read store", Fault::NotFound(Entity::Store(StoreId(9))));
        assert_eq!(Failure::unseen(&error).exit, Exit::Usage);
    }
}
