//! What was probably meant.

/// The known name that is most like this one, if any is like it at all.
pub(crate) fn nearest<S: AsRef<str>>(
    name: &str,
    known: impl IntoIterator<Item = S>,
) -> Option<String> {
    known
        .into_iter()
        .map(|known| {
            (
                strsim::jaro_winkler(&name.to_lowercase(), &known.as_ref().to_lowercase()),
                known,
            )
        })
        .filter(|(likeness, _)| *likeness > LIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known.as_ref().to_owned())
}

/// From here on two words are called alike.
const LIKE: f64 = 0.75;

/// Says that there is no such thing, and what was probably meant; or else what there is.
pub(crate) fn unknown<S: AsRef<str>>(
    kind: &str,
    name: &str,
    known: impl IntoIterator<Item = S>,
) -> String {
    let known: Vec<String> = known
        .into_iter()
        .map(|known| known.as_ref().to_owned())
        .collect();
    match nearest(name, &known) {
        Some(meant) => format!("there is no {kind} `{name}`; did you mean `{meant}`?"),
        None => format!(
            "there is no {kind} `{name}`: expected one of {}",
            known.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_answered_with_what_was_meant_and_nonsense_with_all_there_is() {
        let known = ["store_down", "high_latency"];
        assert_eq!(
            unknown("rule", "stor_down", known),
            "there is no rule `stor_down`; did you mean `store_down`?"
        );
        assert_eq!(
            unknown("rule", "latency_high", ["store_down"]),
            "there is no rule `latency_high`: expected one of store_down"
        );
        assert_eq!(
            nearest("HIGH_LATENCY", known).as_deref(),
            Some("high_latency")
        );
        assert_eq!(nearest("", known), None);
    }
}
