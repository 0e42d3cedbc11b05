//! Checks of how a subject presents itself: ids that do not exist, parts, slots.

use std::time::Duration;

use tokio::time::timeout;

use super::{Check, Outcome, Probe, repeated};
use crate::{Subject, Timestamp};

/// What does not exist is not found; it is neither an empty value nor another failure.
///
/// # Errors
/// Where it is.
pub async fn absent_ids_are_not_found(subject: &dyn Subject, probe: &Probe<'_>) -> Outcome {
    let mut check = Check::new("absent_ids_are_not_found");
    if let Some(regions) = subject.regions() {
        let id = probe.absent_region;
        match timeout(probe.deadline, regions.one(id)).await {
            Ok(Err(error)) if error.is_not_found() => {}
            Ok(Err(error)) => check.expect(false, || format!("region {id} is absent: {error:#}")),
            Ok(Ok(_)) => check.expect(false, || format!("region {id} is absent, and was read")),
            Err(_) => check.expect(false, || {
                format!("region {id} is absent, and reading it hangs")
            }),
        }
    }
    check.end()
}

/// The longest deadline and beat that make sense for something that a person waits for.
const AN_HOUR: Duration = Duration::from_secs(3600);

/// Parts have names and types of their own, bounds, and keep to them.
///
/// # Errors
/// Where they do not.
pub async fn parts_are_named_and_bounded(subject: &dyn Subject, probe: &Probe<'_>) -> Outcome {
    let mut check = Check::new("parts_are_named_and_bounded");
    let parts = subject.parts();
    for name in repeated(parts.iter().map(|part| part.name())) {
        check.expect(false, || format!("two parts are called `{name}`"));
    }
    for name in repeated(parts.iter().map(|part| part.type_name())) {
        check.expect(false, || format!("two parts have the type {name}"));
    }
    for part in parts {
        let name = part.name();
        check.expect(!name.trim().is_empty(), || "a part has no name".to_owned());
        let bounds = [part.deadline().unwrap_or(probe.deadline), part.beat()];
        check.expect(bounds.iter().all(|bound| *bound <= AN_HOUR), || {
            format!("`{name}` may take, or stand for, more than an hour")
        });
        let deadline = part
            .deadline()
            .map_or(probe.deadline, |own| own.min(probe.deadline));
        check.expect(!deadline.is_zero(), || {
            format!("`{name}` has no time to be read")
        });
        let ends = timeout(deadline, part.read(Timestamp::EPOCH, None))
            .await
            .is_ok();
        check.expect(ends, || {
            format!("`{name}` did not answer within {deadline:?}")
        });
    }
    check.end()
}

/// Slots do the [harmless](Probe::harmless) actions, and give a receipt for what was asked.
///
/// # Errors
/// Where they do not.
pub async fn slots_answer(subject: &dyn Subject, probe: &Probe<'_>) -> Outcome {
    let mut check = Check::new("slots_answer");
    let (name, actions) = (subject.name(), subject.actions());
    check.expect(!name.trim().is_empty(), || {
        "the subject has no name".to_owned()
    });
    for action in &probe.harmless {
        match timeout(probe.deadline, actions.act(name, action)).await {
            Ok(Ok(receipt)) => check.expect(receipt.action == *action, || {
                format!("`{action}` got the receipt of `{}`", receipt.action)
            }),
            Ok(Err(error)) => check.expect(false, || format!("`{action}` failed: {error:#}")),
            Err(_) => check.expect(false, || format!("`{action}` did not answer")),
        }
    }
    check.end()
}
