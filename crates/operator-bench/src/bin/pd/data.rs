//! Regions as a PD writes them: row keys, three voters, now and then a learner, no leader, a down peer.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};

use crate::Outcome;

/// One body of `/regions/key`.
pub(crate) fn write_page(file: &str, regions: &str) -> Outcome {
    let regions = regions.parse()?;
    let mut out = BufWriter::new(File::create(file)?);
    out.write_all(page(0, regions, regions).as_bytes())?;
    Ok(out.flush()?)
}

/// The regions from `first` up to `end`, of a cluster that has `all`.
pub(crate) fn page(first: u64, end: u64, all: u64) -> String {
    let mut body = format!(r#"{{"count":{},"regions":["#, end - first);
    for number in first..end {
        if number > first {
            body.push(',');
        }
        region(&mut body, number, all);
    }
    body.push_str("]}");
    body
}

/// The key at which a region begins; empty for the first, and for the one after the last.
pub(crate) fn key(number: u64, all: u64) -> String {
    match number {
        0 => String::new(),
        number if number == all => String::new(),
        number => format!(
            "748000000000000{:03X}FF5F7280{:010X}FF0000000000000000FA",
            number / 100_000,
            number
        ),
    }
}

fn region(body: &mut String, number: u64, all: u64) {
    let id = 10_000_000 + number * 4;
    let (start, end) = (key(number, all), key(number + 1, all));
    let mut text = || -> std::fmt::Result {
        write!(
            body,
            r#"{{"id":{id},"start_key":"{start}","end_key":"{end}","epoch":{{"conf_ver":5,"version":{}}},"#,
            number % 9000
        )?;
        let voter = |n: u64| {
            format!(
                r#"{{"role_name":"Voter","id":{},"store_id":{}}}"#,
                id + n,
                (number + n) % 30 + 1
            )
        };
        write!(body, r#""peers":[{},{},{}"#, voter(1), voter(2), voter(3))?;
        if number.is_multiple_of(50) {
            write!(
                body,
                r#",{{"role_name":"Learner","is_learner":true,"id":{},"store_id":99,"role":1}}"#,
                id + 9
            )?;
        }
        match number % 20_000 {
            7 => body.write_str(r#"],"leader":{"role_name":""},"#)?,
            _ => write!(body, r#"],"leader":{},"#, voter(1 + number % 3))?,
        }
        if number % 2000 == 3 {
            write!(
                body,
                r#""down_peers":[{{"peer":{},"down_seconds":341}}],"pending_peers":[{}],"#,
                voter(1),
                voter(1)
            )?;
        }
        let amount = number.wrapping_mul(7919) % 10_000_000;
        write!(
            body,
            r#""cpu_usage":0,"written_bytes":{amount},"read_bytes":{},"written_keys":{},"read_keys":{},"approximate_size":{},"approximate_keys":{}}}"#,
            amount / 3,
            amount / 200,
            amount / 500,
            number % 120 + 1,
            number % 900_000,
        )
    };
    // Writing to a string does not fail.
    text().unwrap_or_default();
}
