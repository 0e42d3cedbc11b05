//! Memory under servers that lie: in proportion to what was allowed, whatever is sent. By itself, because all
//! that a process allocates is counted.

use std::io::Write;
use std::sync::Arc;

use operator_tikv::{PromClient, PromOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATED: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

const LIMIT: usize = 4 << 20;

/// What a server says: a head, one piece again and again, and a tail.
struct Lie {
    headers: &'static str,
    head: Vec<u8>,
    piece: Vec<u8>,
    times: usize,
    tail: &'static [u8],
}

impl Lie {
    fn new(head: &str, piece: impl Into<Vec<u8>>, bytes: usize, tail: &'static str) -> Self {
        let piece = piece.into();
        Self {
            headers: "",
            head: head.into(),
            times: bytes / piece.len(),
            piece,
            tail: tail.as_bytes(),
        }
    }
}

/// Asks a server that says this, and tells how much memory that took at its worst, beside what was said.
async fn asked(lie: Lie) -> (Result<(), String>, usize) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let lie = Arc::new(lie);
    let told = lie.clone();
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = socket.read(&mut request).await;
        let length = told.head.len() + told.piece.len() * told.times + told.tail.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{}content-length: {length}\r\n\r\n",
            told.headers
        );
        // Nobody listens to the end of a lie.
        let _ = socket.write_all(head.as_bytes()).await;
        let _ = socket.write_all(&told.head).await;
        for _ in 0..told.times {
            if socket.write_all(&told.piece).await.is_err() {
                return;
            }
        }
        let _ = socket.write_all(told.tail).await;
    });
    let options = PromOptions {
        limit_bytes: LIMIT,
        within: std::time::Duration::from_secs(60),
        ..PromOptions::default()
    };
    let client = PromClient::with(&url, options).unwrap();
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    let answer = client.query("up", None).await;
    let taken = ALLOCATED.peak_usage().saturating_sub(before);
    server.abort();
    (
        answer.map(drop).map_err(|error| format!("{error:#}")),
        taken,
    )
}

const HEAD: &str = r#"{"status":"success","data":{"resultType":"vector","result":["#;
const TAIL: &str = r#"{"metric":{},"value":[1,"1"]}]}}"#;

/// One test, so that nothing else allocates meanwhile.
#[tokio::test]
async fn no_lie_takes_more_memory_than_a_multiple_of_what_was_allowed() {
    let row = r#"{"metric":{"instance":"10.0.0.1:20180","job":"tikv"},"value":[1,"1"]},"#;
    let vector = Lie::new(HEAD, row.repeat(1000), 100 << 20, TAIL);
    let text = Lie::new(
        r#"{"status":"success","x":""#,
        vec![b'x'; 1 << 16],
        100 << 20,
        "\"}",
    );
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..100 {
        packer.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let packed = packer.finish().unwrap();
    assert!(packed.len() < LIMIT / 20);
    let bomb = Lie {
        headers: "content-encoding: gzip\r\n",
        head: Vec::new(),
        times: 1,
        piece: packed,
        tail: b"",
    };
    for (name, lie) in [
        ("a vector", vector),
        ("a text", text),
        ("a packed bomb", bomb),
    ] {
        let (said, taken) = asked(lie).await;
        let said = said.unwrap_err();
        assert!(
            said.contains("expected at most 4194304 bytes, found more"),
            "{name}: {said}"
        );
        assert!(taken < 3 * LIMIT, "{name}: {taken} bytes");
    }

    // What is allowed, in the form that takes most room once it is read.
    let allowed = LIMIT - 4096;
    let tiny = Lie::new(HEAD, r#"{"metric":{},"value":[1,"1"]},"#, allowed, TAIL);
    let labels: Vec<String> = (0..256).map(|n| format!(r#""{n}":"""#)).collect();
    let labels = format!(r#"{{"metric":{{{}}},"value":[1,"1"]}},"#, labels.join(","));
    let labels = Lie::new(HEAD, labels, allowed, TAIL);
    let head =
        r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":["#;
    let points = Lie::new(head, r#"[1,"1"],"#, allowed, r#"[1,"1"]]}]}}"#);
    for (name, lie) in [
        ("tiny series", tiny),
        ("labels", labels),
        ("points", points),
    ] {
        let (said, taken) = asked(lie).await;
        assert_eq!(said, Ok(()), "{name}");
        assert!(taken < 12 * LIMIT, "{name}: {taken} bytes");
    }

    // More labels than a series can mean are given up at once.
    let endless: String = (0..400_000).map(|n| format!(r#""{n}":"","#)).collect();
    let head = format!(r#"{HEAD}{{"metric":{{"#);
    let bomb = Lie::new(&head, &endless[..allowed], allowed, "");
    let (said, taken) = asked(bomb).await;
    let said = said.unwrap_err();
    assert!(
        said.contains("more than 256 labels in one series"),
        "{said}"
    );
    assert!(taken < 3 * LIMIT, "labels of one series: {taken} bytes");
}
