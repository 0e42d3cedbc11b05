//! Each form of answer, and what is sent for it.

use std::io::Write;
use std::time::Duration;

use operator_core::Timestamp;
use operator_tikv::{Number, One, PromAuth, PromClient, PromData, PromOptions};

use crate::support::{Server, answer, answer_with, json, vector};

async fn ask(reply: Vec<u8>) -> Result<operator_tikv::PromAnswer, String> {
    let server = Server::start(move |_| reply.clone()).await;
    let client = PromClient::new(&server.url()).unwrap();
    let answer = client.query("up", None).await;
    answer.map_err(|error| format!("{error:#}").replace(&server.url(), "http://prom"))
}

fn of(kind: &str, result: &str) -> Vec<u8> {
    json(format!(
        r#"{{"status":"success","data":{{"resultType":"{kind}","result":{result}}}}}"#
    ))
}

#[tokio::test]
async fn every_type_of_result_is_told_from_the_others() {
    let data = async |kind, result| ask(of(kind, result)).await.unwrap().data;
    let one = r#"[{"metric":{"a":"b"},"value":[1,"2"]}]"#;
    let PromData::Vector(samples) = data("vector", one).await else {
        panic!("a vector");
    };
    let Some(One::Only(series)) = samples.single() else {
        panic!("one");
    };
    assert_eq!(series.label("a"), "b");
    assert_eq!(series.last().unwrap().value, Number::Finite(2.0));
    let many = r#"[{"metric":{},"values":[[1,"2"],[2,"NaN"]]}]"#;
    let PromData::Matrix(samples) = data("matrix", many).await else {
        panic!("a matrix");
    };
    assert_eq!(samples.iter().next().unwrap().points().len(), 2);
    let PromData::Scalar(point) = data("scalar", r#"[1.5,"+Inf"]"#).await else {
        panic!("a scalar");
    };
    assert_eq!(point.at, Timestamp::from_unix_millis(1500));
    assert_eq!(point.value.finite(), None);
    let text = data("string", r#"[1,"hello"]"#).await;
    assert_eq!(text, PromData::Text("hello".into()));
    let native = r#"[{"metric":{},"histogram":[1,{"count":"1"}]}]"#;
    let PromData::Vector(samples) = data("vector", native).await else {
        panic!("a vector");
    };
    let series = samples.iter().next().unwrap();
    assert!(series.is_native_histogram() && series.last().is_none());
}

#[tokio::test]
async fn a_result_that_is_not_of_its_type_is_refused() {
    for (kind, result) in [("scalar", "[]"), ("vector", r#"[1,"2"]"#), ("tensor", "[]")] {
        let error = ask(of(kind, result)).await.unwrap_err();
        let expected = "cannot query metrics from http://prom: expected a vector, a matrix";
        assert!(error.starts_with(expected), "{error}");
    }
}

#[tokio::test]
async fn remarks_let_an_answer_stand_and_missing_data_does_not_pass_for_absence() {
    let body = r#"{"status":"success","isPartial":true,"data":{"resultType":"vector","result":[]},
        "warnings":["PromQL info: a","no store"],"infos":["PromQL info: b"]}"#;
    let answer = ask(json(body)).await.unwrap();
    assert_eq!(answer.remarks, ["PromQL info: a", "PromQL info: b"]);
    let partial = "the server says that its answer is partial";
    assert_eq!(answer.missing, ["no store", partial]);
}

/// What `VictoriaMetrics`, Thanos and Mimir have beside what Prometheus has, and what they write otherwise.
#[tokio::test]
async fn the_dialects_of_others_are_read() {
    let row = r#"{"metric":{"a":"b"},"value":[1795262400,"1"]}"#;
    let data = |more: &str| format!(r#""data":{{"resultType":"vector","result":[{row}]{more}}}"#);
    for (body, missing) in [
        // VictoriaMetrics: whether it is whole comes first, and statistics last
        (
            format!(
                r#"{{"status":"success","isPartial":false,{},"stats":{{"seriesFetched":"1","executionTimeMsec":2}}}}"#,
                data("")
            ),
            None,
        ),
        (
            format!(r#"{{"status":"success","isPartial":true,{}}}"#, data("")),
            Some("the server says that its answer is partial"),
        ),
        // Thanos: an analysis among the data, and a store that is away
        (
            format!(
                r#"{{"status":"success",{},"warnings":["receive series from Addr: sidecar-1:10901: rpc error"]}}"#,
                data(r#","analysis":{"name":"vectorSelector","children":[]}"#)
            ),
            Some("receive series from Addr: sidecar-1:10901: rpc error"),
        ),
        // Mimir, and others that leave lists empty instead of leaving them out
        (
            format!(
                r#"{{"status":"success",{},"warnings":null,"infos":[]}}"#,
                data("")
            ),
            None,
        ),
    ] {
        let answer = ask(json(&body)).await.unwrap();
        assert_eq!(
            answer.missing.first().map(String::as_str),
            missing,
            "{body}"
        );
        assert!(matches!(answer.data, PromData::Vector(samples) if samples.len() == 1));
    }
    for (status, body, expected) in [
        (
            422,
            r#"{"status":"error","errorType":"422","error":"cannot parse the query"}"#,
            "query `up` failed: status 422, 422: cannot parse the query",
        ),
        (
            429,
            r#"{"status":"error","errorType":"too_many_requests","error":"the request was limited"}"#,
            "query `up` failed: status 429, too_many_requests: the request was limited",
        ),
        (
            413,
            r#"{"status":"error","errorType":"too_large_entry","error":"too many series"}"#,
            "query `up` failed: status 413, too_large_entry: too many series",
        ),
    ] {
        let error = ask(answer(status, "application/json", body))
            .await
            .unwrap_err();
        assert_eq!(
            error,
            format!("cannot query metrics from http://prom: {expected}")
        );
    }
}

#[tokio::test]
async fn an_error_carries_query_code_type_and_reason() {
    let body = r#"{"status":"error","errorType":"execution","error":"many-to-many"}"#;
    let expected = "cannot query metrics from http://prom: query `up` failed: \
                    status 422, execution: many-to-many";
    let error = ask(answer(422, "application/json", body))
        .await
        .unwrap_err();
    assert_eq!(error, expected);
    let error = ask(json(body)).await.unwrap_err();
    assert_eq!(error, expected.replace("422", "200"));
    let error = ask(answer(503, "text/plain", "Service Unavailable")).await;
    assert_eq!(
        error.unwrap_err(),
        "cannot query metrics from http://prom: status 503: Service Unavailable"
    );
}

#[tokio::test]
async fn an_answer_may_come_packed() {
    let body = vector((0..1000).map(|n| (format!(r#""instance":"i-{n}""#), n.to_string())));
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(body.as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    assert!(packed.len() * 5 < body.len());
    let line = "content-encoding: gzip\r\n";
    let answer = ask(answer_with(200, "application/json", line, packed)).await;
    let PromData::Vector(samples) = answer.unwrap().data else {
        panic!("a vector");
    };
    assert_eq!(samples.by("instance").len(), 1000);
}

#[tokio::test]
async fn a_query_is_a_form_below_the_prefix_with_who_we_are() {
    let server = Server::start(|_| of("vector", "[]")).await;
    let options = PromOptions {
        auth: PromAuth::Basic {
            user: "me".into(),
            password: "pass".into(),
        },
        headers: vec![("X-Scope-OrgID".into(), "tenant-1".into())],
        parameters: vec![("partial_response".into(), "false".into())],
        ..PromOptions::default()
    };
    let url = format!("{}/select/0/prometheus/", server.url());
    let client = PromClient::with(&url, options).unwrap();
    let at = Timestamp::from_unix_millis(1_700_000_000_123);
    client.query("up{a=\"b&c\"} + 1", Some(at)).await.unwrap();
    let step = Duration::from_millis(1500);
    client.query_range("up", at, at + step, step).await.unwrap();

    let asked = server.asked();
    let once = &asked[0];
    assert_eq!(once.method, "POST");
    assert_eq!(once.path, "/select/0/prometheus/api/v1/query");
    assert_eq!(once.query(), "up{a=\"b&c\"} + 1");
    assert_eq!(once.form["time"], "1700000000.123");
    assert_eq!(once.form["timeout"], "5400ms");
    assert_eq!(once.form["partial_response"], "false");
    assert_eq!(once.headers["authorization"], "Basic bWU6cGFzcw==");
    assert_eq!(once.headers["x-scope-orgid"], "tenant-1");
    assert_eq!(once.headers["accept-encoding"], "gzip");
    let range = &asked[1];
    assert_eq!(range.path, "/select/0/prometheus/api/v1/query_range");
    assert_eq!(range.form["start"], "1700000000.123");
    assert_eq!(range.form["end"], "1700000001.623");
    assert_eq!(range.form["step"], "1.5");
}

#[tokio::test]
async fn a_token_is_sent_and_an_unfit_one_is_refused_without_being_shown() {
    let with = |token: &str| PromOptions {
        auth: PromAuth::Bearer(token.to_owned()),
        ..PromOptions::default()
    };
    let server = Server::start(|_| of("vector", "[]")).await;
    let client = PromClient::with(&server.url(), with("t0ken")).unwrap();
    client.query("up", None).await.unwrap();
    assert_eq!(server.asked()[0].headers["authorization"], "Bearer t0ken");
    let error = PromClient::with("http://prom", with("t0\nken")).unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "cannot set the headers: expected visible characters in the credentials, found others"
    );
}
