//! Answers of a real server, where the folder with them is there. They are read from outside of the project
//! and belong to others.

use operator_tikv::{Number, PromClient, PromData, Samples};

use crate::common::shared;
use crate::support::{Server, answer_with};

/// What the client makes of a recorded answer.
async fn replay(folder: &std::path::Path, name: &str) -> Result<PromData, String> {
    let file = std::fs::read(folder.join(name)).unwrap();
    let text = String::from_utf8_lossy(&file);
    let status = text.lines().find_map(|line| line.strip_prefix("< "));
    let status = status.unwrap()[..3].parse().unwrap();
    let json = text.contains("\"Content-Type\": \"application/json\"");
    let kind = if json {
        "application/json"
    } else {
        "text/plain"
    };
    let (_, body) = text.split_once("\n\n").unwrap();
    let reply = answer_with(status, kind, "", body.trim_end());
    let server = Server::start(move |_| reply.clone()).await;
    let client = PromClient::new(&server.url()).unwrap();
    match client.query("q", None).await {
        Ok(answer) => Ok(answer.data),
        Err(error) => Err(error.fault.to_string()),
    }
}

fn series(data: Result<PromData, String>) -> Samples {
    match data {
        Ok(PromData::Vector(samples) | PromData::Matrix(samples)) => samples,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_recorded_answer_reads_as_what_it_is() {
    let Some(folder) = shared("samples/prometheus") else {
        return;
    };
    for (name, rows) in [
        ("01_vector.txt", 3),
        ("04_matrix_instant.txt", 2),
        ("05_empty.txt", 0),
        ("06_nan.txt", 2),
        ("08_nan_le.txt", 0),
        ("09_qrange.txt", 3),
        ("10_post_form.txt", 3),
    ] {
        assert_eq!(series(replay(&folder, name).await).len(), rows, "{name}");
    }
    for (name, expected) in [
        ("07_inf.txt", Number::Infinite),
        ("07b_ninf.txt", Number::Infinite),
        ("07c_nan.txt", Number::NotANumber),
    ] {
        let samples = series(replay(&folder, name).await);
        assert_eq!(
            samples.iter().next().unwrap().last().unwrap().value,
            expected
        );
    }
    for name in [
        "07d_exp.txt",
        "07e_big.txt",
        "07f_bigint.txt",
        "07g_1e20.txt",
    ] {
        let samples = series(replay(&folder, name).await);
        let value = samples.iter().next().unwrap().last().unwrap().value;
        assert!(value.finite().is_some(), "{name}");
    }
    for name in ["02_scalar.txt", "02b_number.txt", "07h_scalar_inf.txt"] {
        let data = replay(&folder, name).await;
        assert!(matches!(data, Ok(PromData::Scalar(_))), "{name}: {data:?}");
    }
    let text = replay(&folder, "03_string.txt").await;
    assert!(matches!(text, Ok(PromData::Text(_))), "{text:?}");
}

#[tokio::test]
async fn every_recorded_failure_says_what_the_server_said() {
    let Some(folder) = shared("samples/prometheus") else {
        return;
    };
    for (name, expected) in [
        (
            "11_400_parse.txt",
            "query `q` failed: status 400, bad_data: ",
        ),
        (
            "12_400_noquery.txt",
            "query `q` failed: status 400, bad_data: ",
        ),
        (
            "13_400_badtime.txt",
            "query `q` failed: status 400, bad_data: ",
        ),
        (
            "15_422_many.txt",
            "query `q` failed: status 422, execution: ",
        ),
        (
            "16_422_samples.txt",
            "query `q` failed: status 422, execution: ",
        ),
        (
            "17_503_timeout.txt",
            "query `q` failed: status 503, timeout: ",
        ),
        ("25_404.txt", "status 404: 404 page not found"),
        ("25c_405.txt", "status 405"),
        (
            "33_admin.txt",
            "query `q` failed: status 500, unavailable: ",
        ),
    ] {
        let said = replay(&folder, name).await.unwrap_err();
        assert!(said.starts_with(expected), "{name}: {said}");
    }
}
