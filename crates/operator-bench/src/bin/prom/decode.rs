//! One vector, decoded by the client and into owned maps.

use std::collections::HashMap;
use std::fmt::Write;

use serde::Deserialize;

use crate::{Outcome, now, report};

const SAMPLES: usize = 5000;

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Element>,
}

#[derive(Deserialize)]
struct Element {
    metric: HashMap<String, String>,
    value: (f64, String),
}

/// A sample as a decoder without a type of its own would hold it: labels, time and value.
type Owned = (HashMap<String, String>, f64, f64);

pub(crate) fn run(rounds: usize) -> Outcome {
    let body = vector();
    let mut taken = Vec::new();
    for round in 0..=rounds {
        let began = now();
        let samples = operator_tikv::fuzzing::samples(body.as_bytes())?;
        let ours = now().duration_since(began).as_secs_f64();
        let began = now();
        let answer: Answer = serde_json::from_slice(body.as_bytes())?;
        let owned: Result<Vec<Owned>, _> = answer
            .data
            .result
            .into_iter()
            .map(|one| {
                one.value
                    .1
                    .parse()
                    .map(|value| (one.metric, one.value.0, value))
            })
            .collect();
        let owned = owned?;
        let theirs = now().duration_since(began).as_secs_f64();
        if samples.len() != SAMPLES || owned.len() != SAMPLES {
            return Err("samples went missing".into());
        }
        // The first round warms up.
        if round > 0 {
            taken.push([ours, theirs]);
        }
    }
    println!("{SAMPLES} samples, {} bytes", body.len());
    report(
        &["the client's decoder", "serde_json into owned maps"],
        &taken,
    );
    Ok(())
}

/// A vector as a server writes it.
fn vector() -> String {
    let mut body = String::from(r#"{"status":"success","data":{"resultType":"vector","result":["#);
    for n in 0..SAMPLES {
        let comma = if n == 0 { "" } else { "," };
        let (store, bucket) = (n / 20, n % 20);
        let le = 0.000_05 * f64::from(1_u32 << bucket);
        let _ = write!(
            body,
            r#"{comma}{{"metric":{{"__name__":"tikv_grpc_msg_duration_seconds_bucket","instance":"10.0.{}.{}:20180","job":"tikv","le":"{le}","type":"kv_prewrite"}},"value":[1795167270.143,"{}"]}}"#,
            store / 256,
            store % 256,
            n as f64 * 1.000_1,
        );
    }
    body.push_str("]}}");
    body
}
