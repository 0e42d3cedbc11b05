//! What a server says to anyone who asks: plain HTTP, with nothing of the client that is tried.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

const WITHIN: Duration = Duration::from_secs(15);

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its status.
    pub status: u16,
    /// All of its body.
    pub body: Vec<u8>,
}

impl Said {
    /// What the body is, if it is JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Asks once, over a connection of its own: a method, a path, and a body where there is one.
///
/// # Errors
/// When there is no answer.
pub fn ask(server: SocketAddr, method: &str, path: &str, body: &str) -> io::Result<Said> {
    let mut socket = TcpStream::connect_timeout(&server, WITHIN)?;
    socket.set_read_timeout(Some(WITHIN))?;
    // An answer in the older version of the protocol is one piece that ends with the connection.
    write!(
        socket,
        "{method} {path} HTTP/1.0\r\nHost: {server}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut text = vec![];
    socket.read_to_end(&mut text)?;
    parse(&text).ok_or_else(|| io::Error::other("what came is no answer"))
}

fn parse(text: &[u8]) -> Option<Said> {
    const END: &[u8] = b"\r\n\r\n";
    let end = text.windows(END.len()).position(|four| four == END)?;
    let head = std::str::from_utf8(&text[..end]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let body = text[end + END.len()..].to_vec();
    Some(Said { status, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_status_and_a_body() {
        let said = parse(b"HTTP/1.0 503 Service Unavailable\r\na: b\r\n\r\n[1]\r\n\r\n").unwrap();
        assert_eq!((said.status, said.body), (503, b"[1]\r\n\r\n".to_vec()));
        assert_eq!(parse(b"HTTP/1.0 200 OK\r\n"), None);
        assert_eq!(parse(b""), None);
    }
}
