//! What the queries rely on, checked against a live server: a family that was renamed looks like peace.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use futures_util::stream;
use operator_core::{Result, Timestamp};

use super::queries::{
    Born, FOR_METRICS, FOR_REGIONS, FOR_STRAINS, Need, Of, Query, Row, TABLE, Version,
};
use super::{PromAnswer, PromClient, PromData};
use crate::facts::{ContractCheck, ContractStanding};

/// Of a histogram, one bucket stands for all.
const ONE_BUCKET: &str = r#"le=~"|\\+Inf""#;

/// What there is of the families that the queries rely on.
#[derive(Default)]
struct Known {
    /// Who has which families.
    families: BTreeMap<Of, Result<PromAnswer>>,
    /// The values of a family's label.
    values: BTreeMap<&'static str, Result<PromAnswer>>,
    /// The lowest version among the stores.
    version: Option<Version>,
}

impl PromClient {
    /// Checks every query against what the server has of the stores that are up: which families there are, which
    /// values of the labels that are relied on, and what a look finds. For a slow beat, and for a first look.
    ///
    /// Some thirty queries, as many on their way at once as at any other time, and so each no dearer than those of
    /// a look: of the largest family every series of one bucket is counted, once.
    ///
    /// # Errors
    /// When it cannot be read which stores are up. What else cannot be read costs the queries that rely on it.
    pub async fn contract(&self) -> Result<Vec<ContractCheck>> {
        let stores: BTreeSet<Query> = FOR_METRICS.into_iter().chain(FOR_STRAINS).collect();
        let stores: Vec<Query> = stores.into_iter().collect();
        let given = self.look(&stores).await?;
        let at = Some(given.at).filter(|at| *at > Timestamp::EPOCH);
        let known = self.known(at).await;
        let of_regions = stream::iter(FOR_REGIONS)
            .map(|query| async move { (query, self.query(&self.scope.promql(query), at).await) });
        let of_regions: BTreeMap<Query, Result<PromAnswer>> =
            of_regions.buffered(self.concurrency).collect().await;
        let up = Ok(given.up.clone());
        let told = |query| match query {
            Query::Up => Some(&up),
            query => given.rest.get(&query).or_else(|| of_regions.get(&query)),
        };
        let check = |row: &Row| ContractCheck {
            query: row.name,
            feeds: row.feeds.iter().map(|(field, _)| *field).collect(),
            cost: row.cost,
            standing: standing(row, told(row.query), &known)
                .unwrap_or_else(ContractStanding::Unseen),
        };
        Ok(TABLE.iter().map(check).collect())
    }

    async fn known(&self, at: Option<Timestamp>) -> Known {
        enum About {
            Families(Of),
            Values(&'static str),
            Versions,
        }
        let mut texts = Vec::new();
        for of in [Of::Stores, Of::Pd] {
            let text = format!(
                r#"count by (__name__) ({{__name__=~"{}",{ONE_BUCKET},{}}})"#,
                families(of).join("|"),
                self.scope.matchers(of),
            );
            texts.push((About::Families(of), text));
        }
        for (family, (of, label)) in labelled() {
            let scope = self.scope.matchers(of);
            let text = format!("count by ({label}) ({family}{{{ONE_BUCKET},{scope}}})");
            texts.push((About::Values(family), text));
        }
        let scope = self.scope.matchers(Of::Stores);
        let versions = format!("count by (version) (tikv_server_info{{{scope}}})");
        texts.push((About::Versions, versions));
        let answers: Vec<(About, Result<PromAnswer>)> = stream::iter(texts)
            .map(|(about, text)| async move { (about, self.query(&text, at).await) })
            .buffered(self.concurrency)
            .collect()
            .await;
        let mut known = Known::default();
        for (about, answer) in answers {
            match about {
                About::Families(of) => drop(known.families.insert(of, answer)),
                About::Values(family) => drop(known.values.insert(family, answer)),
                // Of no version everything is expected.
                About::Versions => known.version = answer.ok().as_ref().and_then(lowest),
            }
        }
        known
    }
}

/// How a query stands, or why it cannot be said.
fn standing(
    row: &Row,
    told: Option<&Result<PromAnswer>>,
    known: &Known,
) -> std::result::Result<ContractStanding, String> {
    let told = told.map(whole).transpose()?;
    let expected = |need: &&Need| known.version.is_none_or(|version| need.since <= version);
    let mut missing = Vec::new();
    let mut unknown = Vec::new();
    for need in row.needs.iter().filter(expected) {
        let there = known.has(row.of, need)?;
        match (there, need.values) {
            (false, _) if need.born == Born::AtStart => missing.push(need.family.to_owned()),
            (true, Some((label, words))) => {
                let values = labels(known.values(need)?, label);
                let words = words.iter().filter(|word| {
                    known.version.is_none_or(|version| word.since <= version)
                        && !values.contains(word.text)
                });
                unknown.extend(words.map(|word| format!("{label}=\"{}\"", word.text)));
            }
            _ => {}
        }
    }
    Ok(match told.is_some_and(tells) {
        _ if !missing.is_empty() => ContractStanding::SeriesMissing(missing),
        _ if !unknown.is_empty() => ContractStanding::ValueUnknown(unknown),
        true => ContractStanding::Live,
        false => ContractStanding::Idle,
    })
}

/// An answer of which nothing is missing.
fn whole(answer: &Result<PromAnswer>) -> std::result::Result<&PromAnswer, String> {
    let answer = answer.as_ref().map_err(|error| format!("{error:#}"))?;
    match answer.missing.first() {
        Some(missing) => Err(format!("the answer is not whole: {missing}")),
        None => Ok(answer),
    }
}

fn tells(answer: &PromAnswer) -> bool {
    match &answer.data {
        PromData::Vector(samples) => samples.iter().any(|series| {
            let value = series.last().and_then(|point| point.value.finite());
            value.is_some_and(|value| value != 0.0)
        }),
        _ => false,
    }
}

impl Known {
    /// Whether a family is there. One whose values are known need not be counted again.
    fn has(&self, of: Of, need: &Need) -> std::result::Result<bool, String> {
        if need.values.is_some() {
            let PromData::Vector(values) = &self.values(need)?.data else {
                return Err("the answer is no vector".to_owned());
            };
            return Ok(!values.is_empty());
        }
        let families = self.families.get(&of).ok_or("not asked for")?;
        Ok(labels(whole(families)?, "__name__").contains(need.family))
    }

    fn values(&self, need: &Need) -> std::result::Result<&PromAnswer, String> {
        whole(self.values.get(need.family).ok_or("not asked for")?)
    }
}

/// The families of whose labels nothing is relied on.
fn families(of: Of) -> Vec<&'static str> {
    let rows = TABLE.iter().filter(|row| row.of == of);
    let needs = rows.flat_map(|row| row.needs);
    let plain = needs.filter(|need| need.values.is_none());
    let all: BTreeSet<&str> = plain.map(|need| need.family).collect();
    all.into_iter().collect()
}

/// The families of which a label's values are relied on, each once. It is the same label wherever one is used.
fn labelled() -> BTreeMap<&'static str, (Of, &'static str)> {
    let needs = TABLE
        .iter()
        .flat_map(|row| row.needs.iter().map(|need| (row.of, need)));
    needs
        .filter_map(|(of, need)| Some((need.family, (of, need.values?.0))))
        .collect()
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

    fn known(families: &[&str], types: &[&str], version: &str) -> Known {
        Known {
            families: BTreeMap::from([(Of::Stores, Ok(answer("__name__", families)))]),
            values: BTreeMap::from([(GRPC, Ok(answer("type", types)))]),
            version: lowest(&answer("version", &[version])),
        }
    }

    fn said(query: Query, told: Option<PromAnswer>, known: &Known) -> String {
        let row = row(query);
        ContractCheck {
            query: row.name,
            feeds: Vec::new(),
            cost: "",
            standing: standing(row, told.map(Ok).as_ref(), known)
                .unwrap_or_else(ContractStanding::Unseen),
        }
        .to_string()
    }

    /// How the query of writes stands when these types are there.
    fn writes(types: &[&str], told: Option<&[&str]>, version: &str) -> String {
        let told = told.map(|told| answer("le", told));
        said(Query::Writes, told, &known(&[], types, version))
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
        let some = Some(&["+Inf"][..]);
        assert_eq!(
            writes(&[], some, "v8.1.2"),
            format!("writes: series missing: {GRPC}")
        );
        assert_eq!(
            writes(&types, some, "v8.1.2"),
            r#"writes: label value unknown: type="kv_flush""#
        );
        assert_eq!(writes(&types, some, "v7.5.1"), "writes: live");
        types.push("kv_flush");
        assert_eq!(writes(&types, some, "v8.1.2"), "writes: live");
        // nothing moved, so that nothing was asked
        assert_eq!(writes(&types, None, "v8.1.2"), "writes: idle");
        assert_eq!(writes(&types, Some(&[]), "v8.1.2"), "writes: idle");
    }

    #[test]
    fn what_is_born_with_its_first_event_is_never_missing() {
        let known = known(&["up"], &[], "v8.1.2");
        let told = answer("type", &[]);
        assert_eq!(
            said(Query::Critical, Some(told), &known),
            "critical_errors: idle"
        );
        let told = answer("instance", &["a"]);
        assert_eq!(
            said(Query::Cpu, Some(told), &known),
            "cpu: series missing: process_cpu_seconds_total"
        );
    }

    #[test]
    fn an_answer_that_is_not_whole_says_nothing_of_what_is_missing() {
        let mut families = answer("__name__", &[]);
        families.missing.push("store 2 is away".into());
        let known = Known {
            families: BTreeMap::from([(Of::Stores, Ok(families))]),
            ..Known::default()
        };
        let told = answer("instance", &["a"]);
        assert_eq!(
            said(Query::Cpu, Some(told), &known),
            "cpu: unseen: the answer is not whole: store 2 is away"
        );
    }

    #[test]
    fn one_label_of_a_family_is_relied_on_wherever_the_family_is() {
        let known = labelled();
        for (of, need) in TABLE
            .iter()
            .flat_map(|row| row.needs.iter().map(|need| (row.of, need)))
        {
            if let Some((label, _)) = need.values {
                assert_eq!(known[need.family], (of, label), "{}", need.family);
            }
        }
    }
}
