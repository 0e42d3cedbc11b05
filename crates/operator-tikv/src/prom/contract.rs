//! What the queries rely on, checked against a live server: a family that was renamed looks like peace.

use std::collections::{BTreeMap, BTreeSet};

use operator_core::Result;

use super::queries::{Born, Need, Of, Row, TABLE, Version};
use super::{PromAnswer, PromClient, PromData};
use crate::facts::{ContractCheck, ContractStanding};

/// Of a histogram, one bucket stands for all.
const ONE_BUCKET: &str = r#"le=~"|\\+Inf""#;

impl PromClient {
    /// Checks every query against what the server has of the stores that are up: which families there
    /// are, and which values of the labels that are relied on. For a slow beat, and for a first look.
    ///
    /// # Errors
    /// When it cannot be read which families there are.
    pub async fn contract(&self) -> Result<Vec<ContractCheck>> {
        let families_of = async |of: Of| {
            let families = format!(
                r#"count by (__name__) ({{__name__=~"{}",{ONE_BUCKET},{}}})"#,
                all_families(of).join("|"),
                self.scope.matchers(of),
            );
            self.query(&families, None).await
        };
        let (of_stores, of_pd) = (families_of(Of::Stores).await?, families_of(Of::Pd).await?);
        let scope = self.scope.matchers(Of::Stores);
        let versions = format!("count by (version) (tikv_server_info{{{scope}}})");
        let versions = self.query(&versions, None).await?;
        let mut checks = Vec::new();
        for row in TABLE {
            let scope = self.scope.matchers(row.of);
            let families = match row.of {
                Of::Stores => &of_stores,
                Of::Pd => &of_pd,
            };
            let mut values = BTreeMap::new();
            for need in row.needs {
                if let Some((label, _)) = need.values {
                    let text = format!(
                        "count by ({label}) ({}{{{ONE_BUCKET},{scope}}})",
                        need.family
                    );
                    values.insert(need.family, self.query(&text, None).await?);
                }
            }
            let told = self.query(&self.scope.promql(row.query), None).await;
            checks.push(ContractCheck {
                query: row.name,
                feeds: row.feeds.iter().map(|(field, _)| *field).collect(),
                cost: row.cost,
                standing: match &told {
                    Ok(told) => standing(row, told, families, &values, lowest(&versions)),
                    Err(error) => ContractStanding::Unseen(format!("{error:#}")),
                },
            });
        }
        Ok(checks)
    }
}

fn standing(
    row: &Row,
    told: &PromAnswer,
    families: &PromAnswer,
    values: &BTreeMap<&str, PromAnswer>,
    version: Option<Version>,
) -> ContractStanding {
    let answers = [told, families];
    let partial = answers.into_iter().chain(values.values());
    if let Some(missing) = partial.flat_map(|answer| &answer.missing).next() {
        return ContractStanding::Unseen(format!("the answer is not whole: {missing}"));
    }
    let known = labels(families, "__name__");
    let expected = |need: &&Need| version.is_none_or(|version| need.since <= version);
    let absent = |need: &&Need| !known.contains(need.family);
    let missing: Vec<String> = row
        .needs
        .iter()
        .filter(expected)
        .filter(|need| need.born == Born::AtStart && absent(need))
        .map(|need| need.family.to_owned())
        .collect();
    if !missing.is_empty() {
        return ContractStanding::SeriesMissing(missing);
    }
    let unknown: Vec<String> = row
        .needs
        .iter()
        .filter(|need| !absent(need))
        .flat_map(|need| unknown_values(need, values, version))
        .collect();
    if !unknown.is_empty() {
        return ContractStanding::ValueUnknown(unknown);
    }
    let tells = |answer: &PromAnswer| match &answer.data {
        PromData::Vector(samples) => samples.iter().any(|series| {
            let value = series.last().and_then(|point| point.value.finite());
            value.is_some_and(|value| value != 0.0)
        }),
        _ => false,
    };
    match tells(told) {
        true => ContractStanding::Live,
        false => ContractStanding::Idle,
    }
}

fn unknown_values(
    need: &Need,
    values: &BTreeMap<&str, PromAnswer>,
    version: Option<Version>,
) -> Vec<String> {
    let Some((label, words)) = need.values else {
        return Vec::new();
    };
    let known = values.get(need.family).map(|answer| labels(answer, label));
    let known = known.unwrap_or_default();
    words
        .iter()
        .filter(|word| version.is_none_or(|version| word.since <= version))
        .filter(|word| !known.contains(word.text))
        .map(|word| format!("{label}=\"{}\"", word.text))
        .collect()
}

fn all_families(of: Of) -> Vec<&'static str> {
    let all: BTreeSet<&str> = TABLE
        .iter()
        .filter(|row| row.of == of)
        .flat_map(|row| row.needs.iter().map(|need| need.family))
        .collect();
    all.into_iter().collect()
}

/// The values of a label in an answer.
fn labels<'a>(answer: &'a PromAnswer, label: &str) -> BTreeSet<&'a str> {
    match &answer.data {
        PromData::Vector(samples) => samples.iter().map(|series| series.label(label)).collect(),
        _ => BTreeSet::new(),
    }
}

/// The lowest version among the stores: what it does not have yet is not missing.
fn lowest(versions: &PromAnswer) -> Option<Version> {
    labels(versions, "version")
        .into_iter()
        .filter_map(|text| {
            let mut numbers = text.trim_start_matches('v').split('.');
            let major = numbers.next()?.parse().ok()?;
            Some((major, numbers.next()?.parse().ok()?))
        })
        .min()
}

#[cfg(test)]
mod tests {
    use super::super::queries::{Query, row};
    use super::super::samples::vector;
    use super::*;
    use operator_core::Timestamp;

    fn answer(label: &str, values: &[&str]) -> PromAnswer {
        let rows: Vec<[(&str, &str); 1]> = values.iter().map(|value| [(label, *value)]).collect();
        let rows: Vec<(&[(&str, &str)], f64)> = rows.iter().map(|row| (&row[..], 1.0)).collect();
        PromAnswer {
            data: PromData::Vector(vector(Timestamp::EPOCH, &rows)),
            remarks: Vec::new(),
            missing: Vec::new(),
            date: None,
        }
    }

    const GRPC: &str = "tikv_grpc_msg_duration_seconds_bucket";

    /// How the query of writes stands when these families and types are there.
    fn writes(families: &[&str], types: &[&str], told: &[&str], version: &str) -> String {
        let values = BTreeMap::from([(GRPC, answer("type", types))]);
        let version = lowest(&answer("version", &[version]));
        let families = answer("__name__", families);
        let row = row(Query::Writes);
        let told = answer("le", told);
        ContractCheck {
            query: row.name,
            feeds: Vec::new(),
            cost: "",
            standing: standing(row, &told, &families, &values, version),
        }
        .to_string()
    }

    #[test]
    fn each_standing_is_told_from_the_others() {
        let mut types = vec![
            "kv_prewrite",
            "kv_commit",
            "raw_put",
            "raw_batch_put",
            "raw_delete",
            "raw_batch_delete",
            "raw_compare_and_swap",
        ];
        assert_eq!(
            writes(&["up"], &types, &["+Inf"], "v8.1.2"),
            format!("writes: series missing: {GRPC}")
        );
        assert_eq!(
            writes(&[GRPC], &types, &["+Inf"], "v8.1.2"),
            r#"writes: label value unknown: type="kv_flush""#
        );
        assert_eq!(writes(&[GRPC], &types, &["+Inf"], "v7.5.1"), "writes: live");
        types.push("kv_flush");
        assert_eq!(writes(&[GRPC], &types, &["+Inf"], "v8.1.2"), "writes: live");
        assert_eq!(writes(&[GRPC], &types, &[], "v8.1.2"), "writes: idle");
    }

    #[test]
    fn what_is_born_with_its_first_event_is_never_missing() {
        let families = answer("__name__", &["up"]);
        let told = answer("type", &[]);
        let standing = standing(
            row(Query::Critical),
            &told,
            &families,
            &BTreeMap::new(),
            None,
        );
        assert_eq!(standing, ContractStanding::Idle);
    }

    #[test]
    fn an_answer_that_is_not_whole_says_nothing_of_what_is_missing() {
        let mut families = answer("__name__", &[]);
        families.missing.push("store 2 is away".into());
        let told = answer("instance", &["a"]);
        let standing = standing(row(Query::Cpu), &told, &families, &BTreeMap::new(), None);
        assert!(matches!(standing, ContractStanding::Unseen(_)));
    }
}
