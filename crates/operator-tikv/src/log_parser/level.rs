//! How severe the writer thought it was.

use std::fmt;

/// The level of a line, whichever program's name for it the line carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Not compiled into release builds.
    Trace,
    /// Off by default.
    Debug,
    /// The ordinary level, elections included.
    Info,
    /// Worth a look.
    Warn,
    /// Something failed.
    Error,
    /// zap's level that panics in development only.
    DPanic,
    /// zap's level that panics.
    Panic,
    /// The last line of a process; TiKV's panics carry it.
    Fatal,
    /// The word that an export writes where it did not know the level.
    Unknown,
}

impl Level {
    /// Reads any spelling: TiKV's and zap's words, the four-letter ones of TiKV 2.1, PD's old
    /// lower-case words, and those of an export.
    #[must_use]
    pub fn parse(word: &[u8]) -> Option<Self> {
        // Compared as numbers: nearly every line has one of these.
        if let Ok(four) = <[u8; 4]>::try_from(word) {
            match u32::from_le_bytes(four) {
                INFO => return Some(Level::Info),
                WARN => return Some(Level::Warn),
                _ => {}
            }
        }
        NAMES
            .iter()
            .find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(word))
            .map(|&(_, level)| level)
    }

    /// The word that the unified format uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Trace => "TRACE",
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
            Level::DPanic => "DPANIC",
            Level::Panic => "PANIC",
            Level::Fatal => "FATAL",
            Level::Unknown => "UNKNOWN",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

const INFO: u32 = u32::from_le_bytes(*b"INFO");
const WARN: u32 = u32::from_le_bytes(*b"WARN");

const NAMES: [(&str, Level); 16] = [
    ("ERROR", Level::Error),
    ("INFO", Level::Info),
    ("WARN", Level::Warn),
    ("DEBUG", Level::Debug),
    ("FATAL", Level::Fatal),
    ("TRACE", Level::Trace),
    ("PANIC", Level::Panic),
    ("DPANIC", Level::DPanic),
    ("WARNING", Level::Warn),
    ("CRITICAL", Level::Fatal),
    ("CRIT", Level::Fatal),
    ("ERRO", Level::Error),
    ("DEBG", Level::Debug),
    ("TRCE", Level::Trace),
    ("UNKNOWN", Level::Unknown),
    ("ERR", Level::Error),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_known() {
        for (word, level) in [
            ("TRACE", Level::Trace),
            ("Info", Level::Info),
            ("warning", Level::Warn),
            ("ERRO", Level::Error),
            ("Critical", Level::Fatal),
            ("DPANIC", Level::DPanic),
            ("UNKNOWN", Level::Unknown),
        ] {
            assert_eq!(Level::parse(word.as_bytes()), Some(level), "{word}");
        }
        for word in ["", "I", "INFOS", "unistore", "\u{ff}"] {
            assert_eq!(Level::parse(word.as_bytes()), None, "{word}");
        }
    }
}
