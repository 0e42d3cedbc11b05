//! One record, borrowed from its line.

use std::borrow::Cow;
use std::fmt;

use super::json;
use super::level::Level;
use super::stamp::Stamp;
use super::text::Text;
use super::unified::Sections;

/// The shape a record was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// `[time] [level] [source] [message] [key=value]`: TiKV since 2.1.15, PD and TiDB since 2.1.
    Unified,
    /// One JSON object per line, `log.format = "json"`.
    Json,
    /// `2019/03/07 10:29:20.929 INFO raft.rs:722: text`: TiKV 2.1.0 to 2.1.14.
    Legacy21,
    /// `2018/02/24 16:25:56.782 raft.rs:732: [INFO] text`: TiKV 1.x and 2.0, PD up to 2.0.
    Legacy20,
    /// `2016-09-27 02:27:26,279 raft.rs:582 - INFO  - text`: before 1.0.
    Legacy2016,
    /// `RocksDB`'s own lines: `[time][thread][level] text`.
    RocksDb,
}

/// A record of a log: what it says, where it came from, and nothing copied.
///
/// Every part that a writer may leave out is an `Option`. No method panics, whatever the bytes.
#[derive(Clone, Copy)]
pub struct LogLine<'a> {
    pub(super) record: &'a [u8],
    pub(super) format: Format,
    pub(super) time: Option<Stamp>,
    pub(super) time_text: &'a [u8],
    pub(super) level: Option<Level>,
    pub(super) level_text: &'a [u8],
    pub(super) logger: Option<&'a [u8]>,
    pub(super) source: Option<&'a [u8]>,
    pub(super) message: Option<Text<'a>>,
    /// The part that holds the fields, in the syntax of the format.
    pub(super) sections: &'a [u8],
    pub(super) damage: Damage,
    pub(super) prefix: &'a [u8],
    pub(super) trailing: &'a [u8],
}

impl<'a> LogLine<'a> {
    pub(super) const fn new(record: &'a [u8], format: Format) -> Self {
        LogLine {
            record,
            format,
            time: None,
            time_text: b"",
            level: None,
            level_text: b"",
            logger: None,
            source: None,
            message: None,
            sections: b"",
            damage: Damage::NONE,
            prefix: b"",
            trailing: b"",
        }
    }

    /// The record's own bytes: the line without surrounding blanks, its prefix and its line end.
    #[must_use]
    pub const fn record(&self) -> &'a [u8] {
        self.record
    }

    /// The format it was written in.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// When it was written; `None` where the line has no time, or no zone (the legacy formats).
    #[must_use]
    pub const fn time(&self) -> Option<Stamp> {
        self.time
    }

    /// The time as it stands in the line.
    #[must_use]
    pub fn time_text(&self) -> Option<Cow<'a, str>> {
        (!self.time_text.is_empty()).then(|| String::from_utf8_lossy(self.time_text))
    }

    /// The level.
    #[must_use]
    pub const fn level(&self) -> Option<Level> {
        self.level
    }

    /// The level as it stands in the line.
    #[must_use]
    pub fn level_text(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.level_text)
    }

    /// The name of a named logger (`raft` in PD 8.5).
    #[must_use]
    pub fn logger(&self) -> Option<Cow<'a, str>> {
        self.logger.map(String::from_utf8_lossy)
    }

    /// `file:line` of the log statement.
    #[must_use]
    pub fn source(&self) -> Option<Cow<'a, str>> {
        self.source.map(String::from_utf8_lossy)
    }

    /// The bytes of `file:line`.
    #[must_use]
    pub const fn source_bytes(&self) -> Option<&'a [u8]> {
        self.source
    }

    /// The message; zap leaves an empty one out.
    #[must_use]
    pub const fn message(&self) -> Option<Text<'a>> {
        self.message
    }

    /// The fields in order, duplicates included; empty sections are left out.
    pub fn fields(&self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        self.sections().flatten()
    }

    /// Everything after the message, in order; `None` is an empty section, `[]`.
    #[must_use]
    pub fn sections(&self) -> AllSections<'a> {
        match self.format {
            Format::Json => AllSections(Inner::Json(json::Fields::of(self.sections))),
            _ => AllSections(Inner::Unified(Sections::of(self.sections))),
        }
    }

    /// The first value under this key.
    ///
    /// ```
    /// use operator_tikv::log_parser::parse_line;
    /// let line = parse_line(r#"[2024/08/14 16:25:23.105 +08:00] [INFO] [raft.rs:1] ["became leader at term 6"] [term=6] [region_id=2]"#)?;
    /// assert_eq!(line.field("region_id").and_then(|id| id.number()), Some(2));
    /// assert_eq!(line.field("store_id"), None);
    /// # Ok::<(), operator_tikv::log_parser::Fault>(())
    /// ```
    #[must_use]
    pub fn field(&self, key: &str) -> Option<Text<'a>> {
        self.fields()
            .find(|field| field.key.is(key))
            .map(|field| field.value)
    }

    /// What had to be put up with to read it; nothing for a strict record.
    #[must_use]
    pub const fn damage(&self) -> Damage {
        self.damage
    }

    /// What stood before the record: a file name of grep, a host name, a container's head.
    #[must_use]
    pub fn prefix(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.prefix)
    }

    /// What could not be read, from the first section that is broken.
    #[must_use]
    pub fn trailing(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.trailing)
    }
}

impl fmt::Debug for LogLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogLine")
            .field("format", &self.format)
            .field("time", &self.time.map(|time| time.to_string()))
            .field("level", &self.level)
            .field("logger", &self.logger())
            .field("source", &self.source())
            .field("message", &self.message)
            .field("fields", &self.fields().collect::<Vec<_>>())
            .field("damage", &self.damage)
            .finish_non_exhaustive()
    }
}

/// A key and its value. A JSON value that is no string is its JSON text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Field<'a> {
    /// The key.
    pub key: Text<'a>,
    /// The value.
    pub value: Text<'a>,
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={:?}", self.key, self.value)
    }
}

/// Iterates over what follows the message.
#[derive(Clone, Debug)]
pub struct AllSections<'a>(Inner<'a>);

#[derive(Clone, Debug)]
enum Inner<'a> {
    Unified(Sections<'a>),
    Json(json::Fields<'a>),
}

impl<'a> Iterator for AllSections<'a> {
    type Item = Option<Field<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Inner::Unified(sections) => sections.next(),
            Inner::Json(fields) => fields.next().map(Some),
        }
    }
}

/// What a line needed to be read: a small set.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Damage(u16);

macro_rules! damages {
    ($($(#[$doc:meta])* $name:ident = $bit:literal $says:literal,)*) => {
        impl Damage {
            /// Nothing: a strict record.
            pub const NONE: Damage = Damage(0);
            $($(#[$doc])* pub const $name: Damage = Damage(1 << $bit);)*
            /// Every single kind of damage, with its words.
            pub const ALL: &'static [(Damage, &'static str)] = &[$((Damage::$name, $says)),*];
        }
    };
}

damages! {
    /// Something stood before the record.
    PREFIX = 0 "prefix",
    /// It was the text inside a container runtime's JSON.
    DOCKER = 1 "docker JSON",
    /// The first bracket was missing.
    NO_BRACKET = 2 "missing first bracket",
    /// The tail could not be read: cut off, or text added.
    TAIL = 3 "unreadable tail",
    /// The message itself was cut off.
    CUT_MESSAGE = 4 "cut message",
    /// The source could not be read.
    SOURCE = 5 "mangled source",
    /// Blanks between sections were missing or doubled, or control characters stood raw.
    LOOSE = 6 "loose spacing",
    /// One of the three formats from before the unified one.
    LEGACY = 7 "legacy format",
    /// `RocksDB`'s own format.
    ROCKSDB = 8 "RocksDB format",
    /// A container runtime cut the record in pieces, which were put together.
    JOINED = 9 "joined pieces",
}

impl Damage {
    /// Whether all of that is in this.
    #[must_use]
    pub const fn has(self, other: Damage) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Damage) -> Damage {
        Damage(self.0 | other.0)
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for &(damage, says) in Damage::ALL {
            if self.has(damage) {
                f.write_str(if first { "" } else { ", " })?;
                f.write_str(says)?;
                first = false;
            }
        }
        if first { f.write_str("none") } else { Ok(()) }
    }
}

impl fmt::Debug for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
