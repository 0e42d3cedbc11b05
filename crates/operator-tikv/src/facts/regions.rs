//! What can be said of many regions at once.

/// What regions are ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RegionTop {
    /// Bytes written within a reporting interval.
    WriteFlow,
    /// Bytes read within a reporting interval.
    ReadFlow,
    /// Write requests. PD ranks by them and does not show them.
    WriteQuery,
    /// Read requests. PD ranks by them and does not show them.
    ReadQuery,
    /// Size.
    Size,
    /// Keys.
    Keys,
    /// Changes of membership.
    ConfVer,
    /// Splits and merges.
    Version,
}
