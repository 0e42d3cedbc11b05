//! A piece of a line as it stands there: bare, or quoted as a JSON string.

use std::borrow::Cow;
use std::fmt;

use memchr::memchr;

/// Text borrowed from a line, not yet unescaped.
///
/// Most text needs no unescaping and is handed out as it lies in the line; what does is unescaped
/// when it is asked for. Bytes that are no UTF-8 are kept and shown as U+FFFD.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Text<'a> {
    raw: &'a [u8],
    quoted: bool,
}

impl<'a> Text<'a> {
    /// Text that is what it says.
    #[must_use]
    pub const fn bare(raw: &'a [u8]) -> Self {
        Text { raw, quoted: false }
    }

    /// The inside of a JSON string, without its quotes.
    #[must_use]
    pub const fn quoted(raw: &'a [u8]) -> Self {
        Text { raw, quoted: true }
    }

    /// The bytes in the line, without the quotes and not unescaped.
    #[must_use]
    pub const fn raw(self) -> &'a [u8] {
        self.raw
    }

    /// Whether it stood in quotes.
    #[must_use]
    pub const fn is_quoted(self) -> bool {
        self.quoted
    }

    /// Whether there is nothing.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.raw.is_empty()
    }

    /// The beginning: so many bytes as they stand in the line, at most.
    pub(super) fn start(self, most: usize) -> Self {
        Text {
            raw: self.raw.get(..most).unwrap_or(self.raw),
            quoted: self.quoted,
        }
    }

    /// The unescaped bytes; borrowed where nothing was escaped.
    #[must_use]
    pub fn bytes(self) -> Cow<'a, [u8]> {
        if self.quoted && memchr(b'\\', self.raw).is_some() {
            Cow::Owned(unescape(self.raw))
        } else {
            Cow::Borrowed(self.raw)
        }
    }

    /// The unescaped text; borrowed where nothing was escaped or broken.
    #[must_use]
    pub fn to_str(self) -> Cow<'a, str> {
        match self.bytes() {
            Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
            Cow::Owned(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Cow::Owned(text),
                Err(broken) => Cow::Owned(String::from_utf8_lossy(broken.as_bytes()).into_owned()),
            },
        }
    }

    /// Whether the unescaped text is exactly this.
    #[must_use]
    pub fn is(self, text: &str) -> bool {
        self.raw == text.as_bytes() && (!self.quoted || memchr(b'\\', self.raw).is_none())
            || *self.bytes() == *text.as_bytes()
    }

    /// The text as an unsigned number, where it is nothing else.
    #[must_use]
    pub fn number(self) -> Option<u64> {
        whole_number(self.raw)
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_str(), f)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_str())
    }
}

/// The number that all of these digits make, if it fits.
pub(super) fn whole_number(digits: &[u8]) -> Option<u64> {
    match leading_number(digits) {
        Some((number, [])) => Some(number),
        _ => None,
    }
}

/// The number at the start, and what follows it.
pub(super) fn leading_number(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return None;
    }
    let number = text[..digits].iter().try_fold(0_u64, |n, &d| {
        n.checked_mul(10)?.checked_add(u64::from(d - b'0'))
    })?;
    Some((number, &text[digits..]))
}

/// Unescapes the inside of a JSON string. What is no escape stays as it stands: a damaged line
/// loses nothing here.
pub(super) fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let taken = unescape_one(rest, &mut out);
        rest = &rest[taken..];
    }
    out.extend_from_slice(rest);
    out
}

/// Unescapes what starts with a backslash; says how many bytes that was, always at least one.
fn unescape_one(rest: &[u8], out: &mut Vec<u8>) -> usize {
    let plain = match rest.get(1) {
        Some(b'"') => b'"',
        Some(b'\\') => b'\\',
        Some(b'/') => b'/',
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'b') => 8,
        Some(b'f') => 12,
        Some(b'u') => return unescape_unicode(rest, out),
        _ => {
            out.push(b'\\');
            return 1;
        }
    };
    out.push(plain);
    2
}

fn unescape_unicode(rest: &[u8], out: &mut Vec<u8>) -> usize {
    let Some(first) = hex4(rest, 2) else {
        out.push(b'\\');
        return 1;
    };
    let (code, taken) = match (first, rest.get(6..8), hex4(rest, 8)) {
        (0xd800..=0xdbff, Some(b"\\u"), Some(second @ 0xdc00..=0xdfff)) => {
            (0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00), 12)
        }
        _ => (first, 6),
    };
    let symbol = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(symbol.encode_utf8(&mut [0; 4]).as_bytes());
    taken
}

/// Four hexadecimal digits at this place.
pub(super) fn hex4(text: &[u8], at: usize) -> Option<u32> {
    text.get(at..at + 4)?.iter().try_fold(0_u32, |n, &byte| {
        Some(n * 16 + char::from(byte).to_digit(16)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_json() {
        for (raw, expected) in [
            (r#"a\"b\\c\/d"#, "a\"b\\c/d"),
            (r"\n\r\t\b\f", "\n\r\t\u{8}\u{c}"),
            (r"\u001b[31m", "\u{1b}[31m"),
            (r"\ud83d\udc96", "\u{1f496}"),
            (r"\ud83d alone", "\u{fffd} alone"),
            (r"\x \u12 \", r"\x \u12 \"),
        ] {
            assert_eq!(Text::quoted(raw.as_bytes()).to_str(), expected, "{raw}");
            assert_eq!(
                Text::bare(raw.as_bytes()).to_str(),
                raw,
                "bare text has no escapes"
            );
        }
    }

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(
            Text::quoted(b"became leader at term 6").to_str(),
            Cow::Borrowed(_)
        ));
    }

    #[test]
    fn hostile_bytes_are_shown_and_kept() {
        assert_eq!(Text::bare(b"a\xffb").to_str(), "a\u{fffd}b");
        assert_eq!(&*Text::bare(b"a\xffb").bytes(), b"a\xffb");
    }

    #[test]
    fn a_number_is_all_digits_and_fits() {
        assert_eq!(Text::bare(b"18446744073709551615").number(), Some(u64::MAX));
        for text in ["", "18446744073709551616", "1a", "-1", "1.0"] {
            assert_eq!(Text::bare(text.as_bytes()).number(), None, "{text}");
        }
    }
}
