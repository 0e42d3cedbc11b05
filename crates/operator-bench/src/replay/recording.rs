//! A recording as it lies in its folder.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use operator_core::Timestamp;
use serde::Deserialize;

use super::Book;
use super::book::Row;
use super::derived::Regions;

/// More than this no recording of PD unpacks to.
const MOST_BYTES: u64 = 4 << 30;
/// More than this no list of regions holds.
const MOST_REGION_BYTES: u64 = 1 << 30;

/// What was recorded of one incident.
#[derive(Debug)]
pub struct Recording {
    folder: PathBuf,
    pub(super) book: Book,
    pub(super) regions: Option<Regions>,
}

/// Why a folder cannot be played.
#[derive(Debug)]
pub struct RecordingError {
    path: PathBuf,
    what: String,
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read {}: {}", self.path.display(), self.what)
    }
}

impl std::error::Error for RecordingError {}

/// One answer of PD, or that there was none.
#[derive(Deserialize)]
struct Line {
    t: f64,
    pd: usize,
    path: String,
    status: u16,
    body: Option<String>,
    #[serde(default)]
    same: bool,
}

impl Recording {
    /// Reads what PD answered. The regions, the block and the logs may be absent.
    ///
    /// # Errors
    /// When PD's answers are absent or cannot be read.
    pub fn open(folder: &Path) -> Result<Self, RecordingError> {
        let path = folder.join("pd.jsonl.gz");
        let failed = |path: &Path, what: String| {
            let path = path.to_owned();
            RecordingError { path, what }
        };
        let file = File::open(&path).map_err(|error| failed(&path, error.to_string()))?;
        let lines = BufReader::new(GzDecoder::new(file).take(MOST_BYTES));
        let book = answers(lines).map_err(|what| failed(&path, what))?;
        let path = folder.join("regions-begin.json");
        let regions = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(&path, error.to_string())),
            Ok(file) => {
                let mut text = Vec::new();
                let read = file.take(MOST_REGION_BYTES).read_to_end(&mut text);
                read.map_err(|error| failed(&path, error.to_string()))?;
                Some(Regions::parse(&text).map_err(|error| failed(&path, error.to_string()))?)
            }
        };
        Ok(Self {
            folder: folder.to_owned(),
            book,
            regions,
        })
    }

    /// What PD answered.
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// The block of Prometheus' storage, where there is one.
    pub fn block(&self) -> Option<PathBuf> {
        self.file("tsdb.tar.gz")
    }

    /// The logs, where there are any.
    pub fn logs(&self) -> Option<PathBuf> {
        self.file("logs.tar.gz")
    }

    fn file(&self, name: &str) -> Option<PathBuf> {
        let path = self.folder.join(name);
        path.is_file().then_some(path)
    }
}

/// Every answer, in the order it was given. A line that is none is an error: what it said is not known.
fn answers(lines: impl BufRead) -> Result<Book, String> {
    let mut book = Book::default();
    for (number, line) in lines.lines().enumerate() {
        let at = |what: String| format!("line {}: {what}", number + 1);
        let line = line.map_err(|error| at(error.to_string()))?;
        let line: Line = serde_json::from_str(&line).map_err(|error| at(error.to_string()))?;
        let asked = millis(line.t).ok_or_else(|| at(format!("{} is no time", line.t)))?;
        let row = |body| Row {
            at: asked,
            status: line.status,
            body,
        };
        match (line.same, line.body) {
            (false, body) => {
                let body = body.unwrap_or_default();
                book.add(line.pd, &line.path, row(body.into_bytes().into()));
            }
            (true, _) => {
                let last = book.last(line.pd, &line.path);
                let last = last.ok_or_else(|| at("nothing that it could be the same as".into()))?;
                let row = row(last.body.clone());
                book.add(line.pd, &line.path, row);
            }
        }
    }
    match book.begins() {
        Some(_) => Ok(book),
        None => Err("it is empty".into()),
    }
}

fn millis(seconds: f64) -> Option<Timestamp> {
    let millis = (seconds * 1000.0).round();
    // Beyond this there are no whole milliseconds in a float, and no year that a recording could be of.
    let sane = millis.is_finite() && millis.abs() < 9e15;
    #[expect(clippy::cast_possible_truncation, reason = "it was just seen to fit")]
    sane.then(|| Timestamp::from_unix_millis(millis as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_is_what_that_member_said_last() {
        let book = answers(
            br#"{"t": 1.0, "ms": 1, "pd": 0, "path": "/a", "status": 200, "body": "x"}
{"t": 1.5, "ms": 1, "pd": 1, "path": "/a", "status": 200, "body": "y"}
{"t": 3.0, "ms": 1, "pd": 0, "path": "/a", "status": 200, "same": true}
"#
            .as_slice(),
        )
        .unwrap();
        let last = book.last(0, "/a").unwrap();
        assert_eq!(
            (&*last.body, last.at.unix_millis()),
            (b"x".as_slice(), 3000)
        );
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_line() {
        let check = |text: &str, expected: &str| {
            let told = answers(text.as_bytes()).unwrap_err();
            assert!(told.starts_with(expected), "{told}");
        };
        check("", "it is empty");
        check("{", "line 1: ");
        let row = r#"{"t": 1.0, "pd": 0, "path": "/a", "status": 200, "same": true}"#;
        check(row, "line 1: nothing that it could be the same as");
        let never = r#"{"t": 1e16, "pd": 0, "path": "/a", "status": 200, "body": ""}"#;
        check(never, "line 1: 10000000000000000 is no time");
    }
}
