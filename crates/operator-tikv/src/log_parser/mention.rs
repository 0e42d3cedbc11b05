//! What a text says in passing: region, peer and term in messages of the time before fields.

use memchr::memmem;

use super::text::leading_number;

/// The region that a text names: `[region 5]`, `[region_id=5]`, `region_id: 5`.
pub(super) fn region(text: &[u8]) -> Option<u64> {
    ["[region ", "[region_id=", "region_id: "]
        .iter()
        .find_map(|key| number_after(text, key))
}

/// The term that a text names: `at term 5`, else the first of `[term: 5]`, `[term 5]`, `term: 5`.
pub(super) fn term(text: &[u8]) -> Option<u64> {
    number_after(text, "at term ").or_else(|| {
        memmem::find_iter(text, "term").find_map(|at| {
            let starts_word = at == 0 || matches!(text[at - 1], b' ' | b'[' | b',' | b'(');
            let rest = &text[at + 4..];
            let rest = rest
                .strip_prefix(b": ")
                .or_else(|| rest.strip_prefix(b"="))
                .or_else(|| {
                    rest.strip_prefix(b" ")
                        .filter(|_| at > 0 && text[at - 1] == b'[')
                })?;
            if starts_word {
                leading_number(rest).map(|(number, _)| number)
            } else {
                None
            }
        })
    })
}

/// The number that follows the first such key that a number follows.
pub(super) fn number_after(text: &[u8], key: &str) -> Option<u64> {
    memmem::find_iter(text, key)
        .find_map(|at| leading_number(&text[at + key.len()..]).map(|(number, _)| number))
}

/// A message without what stands before its words: `[region 5] 8 `, a raft id, `raft: [`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body<'a> {
    pub(super) text: &'a [u8],
    pub(super) region: Option<u64>,
    pub(super) peer: Option<u64>,
}

impl<'a> Body<'a> {
    pub(super) fn of(message: &'a [u8]) -> Self {
        let mut body = Body {
            text: message,
            region: None,
            peer: None,
        };
        if let Some(rest) = message.strip_prefix(b"[region ")
            && let Some((region, rest)) = leading_number(rest)
            && let Some(rest) = rest.strip_prefix(b"] ")
        {
            body.region = Some(region);
            body.text = rest;
        } else if let Some(rest) = message.strip_prefix(b"raft: [") {
            body.text = rest.strip_suffix(b"]").unwrap_or(rest);
        }
        if let Some((peer, rest)) = leading_number(body.text)
            && let Some(rest) = rest.strip_prefix(b" ")
        {
            body.peer = Some(peer);
            body.text = rest;
        } else if let Some(rest) = strip_hex_id(body.text) {
            body.text = rest;
        }
        body
    }
}

/// An id of etcd: 12 to 16 hexadecimal digits.
fn strip_hex_id(text: &[u8]) -> Option<&[u8]> {
    let len = text
        .iter()
        .take(17)
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    if (12..=16).contains(&len) {
        text[len..].strip_prefix(b" ")
    } else {
        None
    }
}
