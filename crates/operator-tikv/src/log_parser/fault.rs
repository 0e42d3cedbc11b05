//! Why a line is not one whole record.

use std::fmt;

/// What the strict grammar missed, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// What is wrong.
    pub reason: Reason,
    /// The byte of the given line at which it is wrong.
    pub at: usize,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a record: {} at byte {}", self.reason, self.at)
    }
}

impl std::error::Error for Fault {}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $says:literal,)*) => {
        /// Why a line is not a record.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $($(#[$doc])* $name,)* }

        impl Reason {
            /// Every reason there is.
            pub const ALL: &'static [Reason] = &[$(Reason::$name),*];

            /// In words.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Reason::$name => $says,)* }
            }
        }
    };
}

reasons! {
    /// Nothing but blanks.
    Empty = "empty line",
    /// It neither begins with a bracketed time or level nor is it a JSON object.
    NoHeader = "no header",
    /// A header's level is no level.
    Level = "no such level",
    /// There is no source where one must stand.
    Source = "no source",
    /// A section is not a message or a field.
    Section = "bad section",
    /// The line ends inside a section.
    CutOff = "cut off",
    /// A control character stands raw in it.
    ControlByte = "raw control byte",
    /// `RocksDB`'s own format, written into the same directory.
    RocksDb = "RocksDB's own format",
    /// A JSON object that is no log record of TiKV, PD or TiDB.
    OtherJson = "other JSON",
    /// The line is longer than the reader's bound; its beginning was looked at.
    TooLong = "longer than the bound",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
