//! What could not be seen for one and the same reason is told together: a server that is away takes much with it.

use operator_core::{Entity, Fault, Gap, Why};

/// Puts those together that failed for the same reason, and those about many entities that are otherwise alike.
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

/// Why something was not seen, whatever was asked for; of entities, why this was not seen of them.
fn reason(gap: &Gap) -> Option<String> {
    match (gap.why(), gap.entity()) {
        (why, Some(_)) => Some(format!("{} {:?} {why}", gap.what(), gap.origin())),
        (Why::Failed(error), None) => Some(format!("{:?} {}", error.origin, error.fault)),
        _ => None,
    }
}

/// `stores, PD leader and PD health not seen: status 503: no leader (from http://pd-0:2379)`.
pub(crate) fn together(several: &[&Gap]) -> String {
    if let [one] = several {
        return one.to_string();
    }
    let names = names(several);
    match several.first().map(|gap| gap.why()) {
        Some(why) if several.iter().any(|gap| gap.entity().is_some()) => {
            format!("{names} not seen: {why}")
        }
        Some(Why::Failed(error)) => match (&*error.fault, &error.origin) {
            (Fault::Exhausted(_), _) | (_, None) => format!("{names} not seen: {}", error.fault),
            (fault, Some(origin)) => format!("{names} not seen: {fault} (from {origin})"),
        },
        Some(why) => format!("{names} not seen: {why}"),
        None => names,
    }
}

/// `stores, PD leader and PD health`, or `metrics of store/1, store/2`.
fn names(several: &[&Gap]) -> String {
    let entities: Vec<&Entity> = several.iter().filter_map(|gap| gap.entity()).collect();
    if let (Some(first), false) = (several.first(), entities.is_empty()) {
        return format!("{} of {}", first.what(), some(&entities));
    }
    let mut names: Vec<&str> = Vec::new();
    for gap in several {
        if !names.contains(&gap.what()) {
            names.push(gap.what());
        }
    }
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.join(", "),
    }
}

/// What was told, look by look, of why things are not seen: what lasts is told once.
#[derive(Debug, Default)]
pub(crate) struct Told {
    reasons: Vec<String>,
}

impl Told {
    /// Begins with another look, at which these could not be seen: a reason that has passed is news when it is back.
    pub(crate) fn look<'a>(&mut self, unseen: impl IntoIterator<Item = &'a Gap>) {
        let now: Vec<String> = unseen.into_iter().filter_map(reason).collect();
        self.reasons.retain(|told| now.contains(told));
    }

    /// The same as [`together`]; in short where the reason was told before.
    pub(crate) fn together(&mut self, several: &[&Gap]) -> String {
        let Some(reason) = several.first().and_then(|gap| reason(gap)) else {
            return together(several);
        };
        if self.reasons.contains(&reason) {
            return format!("{} not seen, for the same reason", names(several));
        }
        self.reasons.push(reason);
        together(several)
    }
}

/// `store/1, store/2, store/3 and 997 more`.
fn some(entities: &[&Entity]) -> String {
    let mut known: Vec<&Entity> = Vec::new();
    for entity in entities {
        if !known.contains(entity) {
            known.push(entity);
        }
    }
    let shown = known.iter().take(MOST_ENTITIES);
    let shown: Vec<String> = shown.map(|entity| entity.to_string()).collect();
    match known.len().saturating_sub(MOST_ENTITIES) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// So many entities are named.
const MOST_ENTITIES: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use operator_core::{Error, StoreId};

    fn said(gaps: &[Gap]) -> Vec<String> {
        let groups = by_reason(gaps, |gap| gap);
        groups.iter().map(|group| together(group)).collect()
    }

    #[test]
    fn one_reason_is_told_once_with_all_that_it_hides() {
        let failed = |what: &'static str, body: &str| {
            let fault = Fault::Status {
                code: 503,
                excerpt: body.into(),
            };
            Gap::new(
                what,
                Error::new("read things", fault).at("http://pd").into(),
            )
        };
        let of = |store: u64| failed("metrics", "down").about(Entity::Store(StoreId(store)));
        let gaps = [
            failed("stores", "no leader"),
            failed("PD clock", "busy"),
            failed("members", "no leader"),
        ];
        assert_eq!(
            said(&gaps),
            [
                "stores and members not seen: status 503: no leader (from http://pd)",
                "PD clock not seen: cannot read things from http://pd: status 503: busy",
            ]
        );
        let many: Vec<Gap> = (1..=7).map(of).collect();
        assert_eq!(
            said(&many),
            [
                "metrics of store/1, store/2, store/3, store/4, store/5 and 2 more not seen: cannot read things from http://pd: status 503: down"
            ]
        );
    }
}
