//! One element of a result: a series with its labels and points, or one half of a bare value.

use std::borrow::Cow;
use std::fmt;

use operator_core::Timestamp;
use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::{number, seed, shortened};
use crate::prom::samples::{Point, Samples, Span, TooMuch};

/// TiKV's series have less than ten labels. A series with more than this many is none that could be meant.
const MOST_LABELS: usize = 256;

/// What an element of a result turned out to be.
pub(super) enum Kind {
    Series,
    Time(Timestamp),
    Text(String),
}

/// Reads an element. A series goes where all series go.
pub(super) struct Element<'a>(pub(super) &'a mut Samples);

/// What an element may have.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Metric,
    Value,
    Values,
    #[serde(alias = "histograms")]
    Histogram,
    #[serde(other)]
    Other,
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = Kind;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Kind, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_> {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a series, a time or a value")
    }

    #[expect(clippy::cast_precision_loss, reason = "whole seconds far below 2^53")]
    fn visit_u64<E>(self, seconds: u64) -> Result<Kind, E> {
        Ok(Kind::Time(moment(seconds as f64)))
    }

    fn visit_f64<E>(self, seconds: f64) -> Result<Kind, E> {
        Ok(Kind::Time(moment(seconds)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Kind, E> {
        Ok(Kind::Text(shortened(text)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kind, A::Error> {
        let samples = self.0;
        let (mut labelled, mut valued, mut native) = (false, false, false);
        while let Some(key) = map.next_key()? {
            match key {
                Key::Metric if !labelled => {
                    map.next_value_seed(Labels(samples))?;
                    labelled = true;
                }
                Key::Value if !valued => {
                    let point: WirePoint<'de> = map.next_value()?;
                    samples.push_point(point.read().map_err(A::Error::custom)?);
                    valued = true;
                }
                Key::Values if !valued => {
                    map.next_value_seed(Points(samples))?;
                    valued = true;
                }
                Key::Metric | Key::Value | Key::Values => {
                    return Err(A::Error::custom("a series with two of its parts"));
                }
                Key::Histogram => {
                    map.next_value::<IgnoredAny>()?;
                    native = true;
                }
                Key::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if !labelled || !(valued || native) {
            return Err(A::Error::custom("a series without labels or value"));
        }
        samples.end_series(native).map_err(too_much)?;
        Ok(Kind::Series)
    }
}

seed!(Labels, deserialize_map, Samples);
seed!(Points, deserialize_seq, Samples);

impl<'de> Visitor<'de> for Labels<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("labels")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut labels = 0;
        while let Some(name) = map.next_key_seed(Text(self.0))? {
            labels += 1;
            if labels > MOST_LABELS {
                return Err(A::Error::custom("more than 256 labels in one series"));
            }
            let value = map.next_value_seed(Text(self.0))?;
            self.0.push_label(name, value);
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Points<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("points")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(point) = list.next_element::<WirePoint<'de>>()? {
            self.0.push_point(point.read().map_err(A::Error::custom)?);
        }
        Ok(())
    }
}

/// A text that goes where all text goes.
struct Text<'a>(&'a mut Samples);

impl<'de> DeserializeSeed<'de> for Text<'_> {
    type Value = Span;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Span, D::Error> {
        input.deserialize_str(self)
    }
}

impl Visitor<'_> for Text<'_> {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Span, E> {
        self.0.push_text(text).map_err(too_much)
    }
}

#[derive(Deserialize)]
struct WirePoint<'a>(f64, #[serde(borrow)] Cow<'a, str>);

impl WirePoint<'_> {
    fn read(&self) -> Result<Point, String> {
        Ok(Point {
            at: moment(self.0),
            value: number(&self.1)?,
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "saturates, and is clamped to the years there are"
)]
fn moment(seconds: f64) -> Timestamp {
    Timestamp::from_unix_millis((seconds * 1000.0).round() as i64)
}

fn too_much<E: serde::de::Error>(_: TooMuch) -> E {
    E::custom("more than 4 GiB of text")
}
