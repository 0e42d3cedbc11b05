//! Requests and answers as values: what every face is a function between. No socket is known here.

use std::time::Duration;

/// A request as a face sees it.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET`, `POST`, ..
    pub method: String,
    /// The path, percent-encoded as it came.
    pub path: String,
    /// What follows the question mark, as it came.
    pub query: String,
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body; servers bound its size.
    pub body: Vec<u8>,
}

impl Request {
    /// A GET of a path that may carry a query.
    #[must_use]
    pub fn get(target: &str) -> Self {
        Self::new("GET", target, "")
    }

    /// Any request, with a body.
    #[must_use]
    pub fn new(method: &str, target: &str, body: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    /// The same request with a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers
            .push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The parameters of the query, decoded, in order.
    pub(crate) fn params(&self) -> Params {
        Params(decode_pairs(self.query.as_bytes()))
    }

    /// The parameters of the query and of a form in the body.
    pub(crate) fn form(&self) -> Params {
        let mut pairs = decode_pairs(self.query.as_bytes());
        let is_form = self
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        if self.method == "POST" && is_form {
            pairs.extend(decode_pairs(&self.body));
        }
        Params(pairs)
    }
}

/// Decoded parameters. Values are bytes, because keys of regions are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(Vec<(String, Vec<u8>)>);

impl Params {
    pub(crate) fn bytes(&self, name: &str) -> Option<&[u8]> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_slice())
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.bytes(name)
            .and_then(|value| std::str::from_utf8(value).ok())
    }

    pub(crate) fn texts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let all = self.0.iter().filter(move |(known, _)| known == name);
        all.filter_map(|(_, value)| std::str::from_utf8(value).ok())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.bytes(name).is_some()
    }
}

fn decode_pairs(text: &[u8]) -> Vec<(String, Vec<u8>)> {
    let pairs = text
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default(), true);
            let value = decode(halves.next().unwrap_or_default(), true);
            (String::from_utf8_lossy(&name).into_owned(), value)
        })
        .collect()
}

/// Undoes percent-encoding; in a form, `+` is a space. What is no encoding stays as it is.
pub(crate) fn decode(text: &[u8], form: bool) -> Vec<u8> {
    let digit = |byte: Option<&u8>| {
        byte.and_then(|b| char::from(*b).to_digit(16))
            .and_then(|d| u8::try_from(d).ok())
    };
    let mut decoded = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let pair = digit(text.get(at + 1)).zip(digit(text.get(at + 2)));
        match (byte, pair) {
            (b'%', Some((high, low))) => {
                decoded.push(high * 16 + low);
                at += 2;
            }
            (b'+', _) if form => decoded.push(b' '),
            _ => decoded.push(*byte),
        }
        at += 1;
    }
    decoded
}

/// What a client meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// An answer.
    Reply(Reply),
    /// Nobody listens there.
    Refused,
    /// The connection stands, and nothing ever comes.
    Silence,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// How much later than the request it comes.
    pub after: Duration,
    /// The status code.
    pub status: u16,
    /// The media type; none where the body is empty.
    pub content_type: Option<&'static str>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How much of the body is sent, as if it were all; the whole where `None`.
    pub cut_at: Option<usize>,
}

pub(crate) const JSON: &str = "application/json; charset=UTF-8";
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";

impl Reply {
    pub(crate) fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            after: Duration::ZERO,
            status,
            content_type: Some(content_type),
            headers: Vec::new(),
            body: body.into(),
            cut_at: None,
        }
    }

    /// Plain text with the newline that Go's `http.Error` ends with.
    pub(crate) fn text(status: u16, text: &str) -> Self {
        Self::new(status, TEXT, format!("{text}\n"))
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self {
            content_type: None,
            ..Self::new(status, TEXT, "")
        }
    }

    pub(crate) fn late(mut self, by: Duration) -> Self {
        self.after += by;
        self
    }
}

/// A moment as HTTP's `Date` header writes it.
pub(crate) fn date(unix_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_ms)
        .map(|at| at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_arrive_as_the_bytes_they_are() {
        let request = Request::get("/x?key=t%80%00+%2B&limit=3&key=second");
        assert_eq!(
            request.params().bytes("key"),
            Some(b"t\x80\x00 +".as_slice())
        );
        assert_eq!(request.params().text("limit"), Some("3"));
        assert_eq!(decode(b"100%", true), b"100%");
    }

    #[test]
    fn dates_are_those_of_http() {
        assert_eq!(date(1_795_167_270_143), "Fri, 20 Nov 2026 09:34:30 GMT");
    }
}
