//! Commands that show what there is.

use clap::{Args as ClapArgs, ValueEnum};
use operator_core::{Ailment, RegionId, StoreId};
use operator_tikv::RegionTop;

use super::EXIT_STATUS;
use super::judge::{Judge, Within};
use super::{Whom, values};

/// In which order, and how many.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Lists")]
pub(crate) struct Order {
    /// Sort by a column of the list; `:desc` turns the order around
    #[arg(long, value_name = "COLUMN[:desc]")]
    pub(crate) sort: Option<String>,
    /// Show this many at most
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

/// A command that looks and takes no other argument.
#[derive(Debug, ClapArgs)]
pub(crate) struct Look {
    #[command(flatten)]
    pub(crate) whom: Whom,
    #[command(flatten)]
    pub(crate) order: Order,
}

/// One screen: what is wrong first, then the cluster, then its objectives.
#[derive(Debug, ClapArgs)]
#[command(after_help = EXIT_STATUS)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) whom: Whom,
    #[command(flatten)]
    pub(crate) judge: Judge,
    /// Take cases and objectives from what a watch keeps in this file
    #[arg(long, value_name = "FILE", value_parser = values::path)]
    pub(crate) state: Option<std::path::PathBuf>,
    #[command(flatten)]
    pub(crate) within: Within,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Store {
    /// The store's number
    pub(crate) id: StoreId,
    #[command(flatten)]
    pub(crate) whom: Whom,
}

/// List regions: by ailment, by store, by what they have most of, by keys. Without any of these, how
/// many there are and what ails them.
#[derive(Debug, ClapArgs)]
pub(crate) struct Regions {
    /// Those that something ails
    #[arg(long, value_enum, value_name = "AILMENT", group = "which")]
    pub(crate) ailing: Option<AilmentWord>,
    /// Those with a peer on a store
    #[arg(long, value_name = "ID", group = "which")]
    pub(crate) on: Option<StoreId>,
    /// Those with the most of something
    #[arg(long, value_enum, value_name = "QUANTITY", group = "which")]
    pub(crate) top: Option<TopWord>,
    /// Those from this key on (hexadecimal; empty is the first)
    #[arg(long, value_name = "KEY", value_parser = values::key)]
    pub(crate) from: Option<Key>,
    /// Those up to this key (hexadecimal)
    #[arg(long, value_name = "KEY", value_parser = values::key, requires = "from")]
    pub(crate) to: Option<Key>,
    /// Read every region, and sum up; may take minutes where there are millions
    #[arg(long, group = "which", conflicts_with = "from")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) whom: Whom,
    #[command(flatten)]
    pub(crate) order: Order,
}

/// A key, as bytes. (An alias, so that the command line does not take it for a list of values.)
pub(crate) type Key = Vec<u8>;

#[derive(Debug, ClapArgs)]
pub(crate) struct Region {
    /// The region's number
    #[arg(required_unless_present = "key")]
    pub(crate) id: Option<RegionId>,
    /// The region that holds this key (hexadecimal)
    #[arg(long, value_name = "KEY", value_parser = values::key, conflicts_with = "id")]
    pub(crate) key: Option<Key>,
    #[command(flatten)]
    pub(crate) whom: Whom,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Hot {
    /// Writes alone
    #[arg(long, conflicts_with = "reads")]
    pub(crate) writes: bool,
    /// Reads alone
    #[arg(long)]
    pub(crate) reads: bool,
    #[command(flatten)]
    pub(crate) whom: Whom,
    #[command(flatten)]
    pub(crate) order: Order,
}

/// What can be wrong with a region, as PD calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AilmentWord {
    /// It has fewer peers than it should
    MissPeer,
    /// It has more peers than it should
    ExtraPeer,
    /// A peer has not been heard from
    DownPeer,
    /// A peer is still catching up
    PendingPeer,
    /// A peer follows without a vote
    LearnerPeer,
    /// A peer is on a store that is being removed
    OfflinePeer,
    /// It holds next to nothing
    Empty,
    /// It is larger than it should be
    Oversized,
    /// It is small enough to be merged
    Undersized,
}

impl AilmentWord {
    pub(crate) fn ailment(self) -> Ailment {
        match self {
            Self::MissPeer => Ailment::MissingPeer,
            Self::ExtraPeer => Ailment::ExtraPeer,
            Self::DownPeer => Ailment::DownPeer,
            Self::PendingPeer => Ailment::PendingPeer,
            Self::LearnerPeer => Ailment::LearnerPeer,
            Self::OfflinePeer => Ailment::OfflinePeer,
            Self::Empty => Ailment::Empty,
            Self::Oversized => Ailment::Oversized,
            Self::Undersized => Ailment::Undersized,
        }
    }
}

/// What regions are ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TopWord {
    /// Bytes written within a reporting interval
    WriteFlow,
    /// Bytes read within a reporting interval
    ReadFlow,
    /// Write requests
    WriteQuery,
    /// Read requests
    ReadQuery,
    /// Size
    Size,
    /// Keys
    Keys,
    /// Changes of membership
    ConfVer,
    /// Splits and merges
    Version,
}

impl TopWord {
    pub(crate) fn top(self) -> RegionTop {
        match self {
            Self::WriteFlow => RegionTop::WriteFlow,
            Self::ReadFlow => RegionTop::ReadFlow,
            Self::WriteQuery => RegionTop::WriteQuery,
            Self::ReadQuery => RegionTop::ReadQuery,
            Self::Size => RegionTop::Size,
            Self::Keys => RegionTop::Keys,
            Self::ConfVer => RegionTop::ConfVer,
            Self::Version => RegionTop::Version,
        }
    }
}
