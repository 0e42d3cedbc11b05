//! Answers as the server writes them, read in one pass and without a copy of the body.

mod series;

use std::fmt;

use operator_core::{Fault, Timestamp};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::samples::{Number, Samples};
use series::{Element, Kind};

/// So many remarks of a server are kept, and so much of each.
const MOST_REMARKS: usize = 20;
const REMARK_CHARS: usize = 300;

/// What stands around every answer.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    pub(super) status: String,
    pub(super) error_type: String,
    pub(super) error: String,
    pub(super) remarks: Vec<String>,
    pub(super) is_partial: bool,
    pub(super) result_type: String,
    pub(super) found: Found,
}

/// What was in `result`, whatever it was said to be.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) samples: Samples,
    /// A bare `[time, "text"]`: a scalar or a string.
    pub(super) lone: Option<(Timestamp, String)>,
}

/// Reads an answer.
pub(super) fn decode(body: &[u8]) -> Result<Envelope, Fault> {
    let unfit = |found: String| Fault::Decode {
        expected: "an answer to a query".into(),
        found: shortened(&found),
    };
    // Checked as a whole, which is faster than text by text.
    let text = std::str::from_utf8(body).map_err(|error| unfit(error.to_string()))?;
    let mut input = serde_json::Deserializer::from_str(text);
    let read = EnvelopeSeed.deserialize(&mut input);
    read.and_then(|envelope| input.end().map(|()| envelope))
        .map_err(|error| unfit(error.to_string()))
}

pub(super) fn shortened(text: &str) -> String {
    text.chars().take(REMARK_CHARS).collect()
}

struct EnvelopeSeed;

impl<'de> DeserializeSeed<'de> for EnvelopeSeed {
    type Value = Envelope;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Envelope, D::Error> {
        input.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EnvelopeSeed {
    type Value = Envelope;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a status")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope, A::Error> {
        let mut envelope = Envelope::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "status" => envelope.status = shortened(&map.next_value::<String>()?),
                "errorType" => {
                    envelope.error_type = shortened(&map.next_value::<String>()?);
                }
                "error" => envelope.error = shortened(&map.next_value::<String>()?),
                "warnings" | "infos" => map.next_value_seed(Remarks(&mut envelope.remarks))?,
                "isPartial" => envelope.is_partial = map.next_value()?,
                "data" => map.next_value_seed(Data(&mut envelope))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(envelope)
    }
}

/// A seed that reads into something that is there already.
macro_rules! seed {
    ($name:ident, $ask:ident, $into:ty) => {
        struct $name<'a>(&'a mut $into);

        impl<'de> DeserializeSeed<'de> for $name<'_> {
            type Value = ();

            fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
                input.$ask(self)
            }
        }
    };
}

use seed;

seed!(Remarks, deserialize_any, Vec<String>);
seed!(Data, deserialize_any, Envelope);
seed!(Elements, deserialize_seq, Found);

impl<'de> Visitor<'de> for Remarks<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of remarks")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(remark) = list.next_element::<String>()? {
            if self.0.len() < MOST_REMARKS {
                self.0.push(shortened(&remark));
            }
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Data<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the data of a query")
    }

    /// Failed answers may have `null`.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "resultType" => {
                    self.0.result_type = shortened(&map.next_value::<String>()?);
                }
                "result" => map.next_value_seed(Elements(&mut self.0.found))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Either every element is a series, or the two elements are a time and a text. Which of the two is known
/// from the elements themselves, so that it does not matter where the type of the result stands.
impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of series, or a time and a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut at = None;
        while let Some(element) = list.next_element_seed(Element(&mut self.0.samples))? {
            match (element, at) {
                (Kind::Series, None) if self.0.lone.is_none() => {}
                (Kind::Time(time), None) => at = Some(time),
                (Kind::Text(text), Some(time)) if self.0.lone.is_none() => {
                    self.0.lone = Some((time, text));
                }
                _ => return Err(A::Error::custom("series and bare values in one result")),
            }
        }
        Ok(())
    }
}

/// A number as a text, as all values are.
pub(super) fn number(text: &str) -> Result<Number, String> {
    let value: Result<f64, _> = text.parse();
    value
        .map(Number::from)
        .map_err(|_| format!("`{}` is no number", shortened(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> String {
        match decode(body.as_bytes()) {
            Ok(envelope) => format!("{:?}", envelope.found.samples),
            Err(fault) => fault.to_string(),
        }
    }

    fn result(result: &str) -> String {
        read(&format!(
            r#"{{"status":"success","data":{{"result":{result},"resultType":"x"}}}}"#
        ))
    }

    #[test]
    fn every_form_of_series_is_read() {
        let table = [
            ("[]", "[]"),
            (
                r#"[{"metric":{"a":"b"},"value":[1.5,"2"]}]"#,
                r#"[{"a": "b"} [Point { at: Timestamp { unix_millis: 1500 }, value: Finite(2.0) }]]"#,
            ),
            (
                r#"[{"value":[1,"NaN"],"metric":{}}]"#,
                "[{} [Point { at: Timestamp { unix_millis: 1000 }, value: NotANumber }]]",
            ),
            (
                r#"[{"metric":{"\u0061":"\"\u00fc"},"values":[[1,"-Inf"],[2,"1e-07"]]}]"#,
                r#"[{"a": "\"ü"} [Point { at: Timestamp { unix_millis: 1000 }, value: Infinite }, Point { at: Timestamp { unix_millis: 2000 }, value: Finite(1e-7) }]]"#,
            ),
            (
                r#"[{"metric":{},"histogram":[1,{"count":"3","buckets":[[0,"1","2","3"]]}]}]"#,
                "[{} []]",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(result(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_answer_says_where() {
        for (text, expected) in [
            (r#"[{"metric":{}}]"#, "a series without labels or value"),
            (r#"[{"value":[1,"1"]}]"#, "a series without labels or value"),
            (r#"[{"metric":{},"value":[1,"x"]}]"#, "`x` is no number"),
            (r#"[{"metric":{},"value":[1,2]}]"#, "invalid type: integer"),
            (
                r#"[{"metric":{"a":1},"value":[1,"2"]}]"#,
                "invalid type: integer",
            ),
            (
                r#"[1,{"metric":{},"value":[1,"1"]}]"#,
                "series and bare values in one result",
            ),
            (
                r#"[{"metric":{},"value":[1,"1"],"value":[1,"1"]}]"#,
                "a series with two of its parts",
            ),
            ("7", "invalid type: integer"),
        ] {
            let found = result(text);
            assert!(
                found.starts_with("expected an answer to a query, found")
                    && found.contains(expected),
                "{text}: {found}"
            );
        }
        assert!(read("").contains("EOF while parsing"));
        assert!(read(r#"{"status":"success"} more"#).contains("trailing characters"));
    }
}
