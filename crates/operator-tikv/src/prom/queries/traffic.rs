//! Which requests there are. A store has buckets for every type and priority that there could be, nearly all of
//! them at rest, and buckets are what a look costs: only those that move are fetched.

use std::collections::BTreeSet;

use super::Word;
use crate::prom::samples::Samples;

/// More priorities than any version has. Of more than these all are asked for.
const MOST_PRIORITIES: usize = 16;

/// The types and priorities of requests that there were within the window, on any store.
#[derive(Debug, Default, PartialEq)]
pub(in crate::prom) struct Traffic {
    types: BTreeSet<String>,
    priorities: BTreeSet<String>,
}

impl Traffic {
    /// From rates by type and priority. Where there is not a single one nothing can be said of traffic.
    pub(in crate::prom) fn new(rates: &Samples) -> Option<Self> {
        if rates.is_empty() {
            return None;
        }
        let mut traffic = Self::default();
        for series in rates.iter() {
            let rate = series.last().and_then(|point| point.value.finite());
            // What is no number is not known to be at rest.
            if rate != Some(0.0) {
                traffic.types.insert(series.label("type").to_owned());
                traffic
                    .priorities
                    .insert(series.label("priority").to_owned());
            }
        }
        Some(traffic)
    }

    /// The matchers of a selector for what moves among these types; `None` where nothing does.
    pub(super) fn matchers(&self, words: &[Word]) -> Option<String> {
        let moving = words.iter().map(|word| word.text);
        let moving: Vec<&str> = moving.filter(|word| self.types.contains(*word)).collect();
        if moving.is_empty() {
            return None;
        }
        let mut matchers = format!(r#"type=~"{}""#, moving.join("|"));
        // What a server says goes back to it as a pattern only where it can mean nothing but itself.
        let plain = |text: &String| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if self.priorities.len() <= MOST_PRIORITIES && self.priorities.iter().all(plain) {
            let priorities: Vec<&str> = self.priorities.iter().map(String::as_str).collect();
            matchers += &format!(r#",priority=~"{}""#, priorities.join("|"));
        }
        Some(matchers)
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::{READS, WRITES};
    use super::*;
    use crate::prom::samples::vector;
    use operator_core::Timestamp;

    fn traffic(rows: &[(&str, &str, f64)]) -> Option<Traffic> {
        let labels: Vec<_> = rows
            .iter()
            .map(|(kind, priority, _)| [("type", *kind), ("priority", *priority)])
            .collect();
        let rows: Vec<(&[(&str, &str)], f64)> = labels
            .iter()
            .zip(rows)
            .map(|(labels, (.., rate))| (&labels[..], *rate))
            .collect();
        Traffic::new(&vector(Timestamp::EPOCH, &rows))
    }

    #[test]
    fn only_what_moves_is_asked_for() {
        let some = traffic(&[
            ("kv_prewrite", "medium", 0.1),
            ("kv_commit", "low", 2.0),
            ("raw_put", "high", 0.0),
            ("raw_delete", "unknown", f64::NAN),
        ]);
        let some = some.unwrap();
        let expected = r#"type=~"kv_prewrite|kv_commit|raw_delete",priority=~"low|medium|unknown""#;
        assert_eq!(some.matchers(WRITES).unwrap(), expected);
        assert_eq!(some.matchers(READS), None);
    }

    #[test]
    fn before_there_were_priorities_none_is_asked_for() {
        let old = traffic(&[("kv_get", "", 1.0)]).unwrap();
        assert_eq!(
            old.matchers(READS).unwrap(),
            r#"type=~"kv_get",priority=~"""#
        );
        // stores of two versions
        let both = traffic(&[("kv_get", "", 1.0), ("kv_get", "low", 1.0)]).unwrap();
        assert_eq!(
            both.matchers(READS).unwrap(),
            r#"type=~"kv_get",priority=~"|low""#
        );
    }

    #[test]
    fn no_server_writes_our_queries() {
        let odd = traffic(&[("kv_get", "a\"} or {", 1.0), ("kv.*", "low", 1.0)]).unwrap();
        assert_eq!(odd.matchers(READS).unwrap(), r#"type=~"kv_get""#);
        let many: Vec<String> = (0..17).map(|n| format!("p{n}")).collect();
        let many: Vec<_> = many
            .iter()
            .map(|name| ("kv_get", name.as_str(), 1.0))
            .collect();
        assert_eq!(
            traffic(&many).unwrap().matchers(READS).unwrap(),
            r#"type=~"kv_get""#
        );
    }

    #[test]
    fn no_rates_at_all_say_nothing_of_traffic() {
        assert_eq!(traffic(&[]), None);
        assert_eq!(traffic(&[("kv_get", "", 0.0)]), Some(Traffic::default()));
    }
}
