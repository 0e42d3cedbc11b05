//! What could not be seen for one and the same reason is told together: a server that is away takes much with it.

use operator_core::{Fault, Gap, Why};

/// Puts those together that failed for the same reason. What is about one entity stays alone.
pub(crate) fn by_reason<'a, T>(
    items: impl IntoIterator<Item = &'a T>,
    gap: impl Fn(&'a T) -> &'a Gap,
) -> Vec<Vec<&'a T>> {
    let mut groups: Vec<(Option<String>, Vec<&T>)> = Vec::new();
    for item in items {
        let reason = reason(gap(item));
        let known = groups
            .iter_mut()
            .find(|(known, _)| reason.is_some() && *known == reason);
        match known {
            Some((_, group)) => group.push(item),
            None => groups.push((reason, vec![item])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// What failed, whatever was asked for.
fn reason(gap: &Gap) -> Option<String> {
    match (gap.why(), gap.entity()) {
        (Why::Failed(error), None) => Some(format!("{:?} {}", error.origin, error.fault)),
        _ => None,
    }
}

/// `stores, PD leader and PD health not seen: status 503: no leader (from http://pd-0:2379)`.
pub(crate) fn together(several: &[&Gap]) -> String {
    if let [one] = several {
        return one.to_string();
    }
    let mut names: Vec<&str> = Vec::new();
    for gap in several {
        if !names.contains(&gap.what()) {
            names.push(gap.what());
        }
    }
    let names = match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.join(", "),
    };
    let first = several.first().map(|gap| gap.why());
    match first {
        Some(Why::Failed(error)) => match (&*error.fault, &error.origin) {
            (Fault::Exhausted(_), _) | (_, None) => format!("{names} not seen: {}", error.fault),
            (fault, Some(origin)) => format!("{names} not seen: {fault} (from {origin})"),
        },
        Some(why) => format!("{names} not seen: {why}"),
        None => names,
    }
}
