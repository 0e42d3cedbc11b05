//! How much a store uses of what it may use: what the rules on CPU and on memory share.

use operator_core::{Broken, Evidence, Gap, Measured, Quantity, Snapshot, StoreId, Value};

use super::common::idle;
use super::tiers::{Tiers, percent, rounded};

/// What is used of something, and what may be.
pub(super) struct Use<'a> {
    pub(super) used: Option<&'a Measured<f64>>,
    pub(super) quota: Option<&'a Measured<f64>>,
    /// What the share, the use and the quota are called, and the unit of the latter two.
    pub(super) names: [&'static str; 3],
    pub(super) unit: &'static str,
}

impl Use<'_> {
    /// Judges the share that is used.
    pub(super) fn judge(
        &self,
        snapshot: &Snapshot,
        store: StoreId,
        share: Tiers,
    ) -> Result<Option<Broken>, Gap> {
        let (Some(used), Some(quota)) = (self.used, self.quota) else {
            return idle(snapshot, store);
        };
        let ratio = used.map(|used| used / quota.value);
        Ok(share.above(ratio.value).map(|(severity, threshold)| {
            let [share, use_of_it, limit] = self.names;
            let amount = |name, amount: &Measured<f64>| {
                Quantity::measured(name, &amount.map(|n| Value::from(rounded(*n))), self.unit)
            };
            let share = Quantity::measured(share, &ratio.map(|ratio| percent(*ratio)), "%");
            let evidence = [
                share.against(percent(threshold)),
                amount(use_of_it, used),
                amount(limit, quota),
            ];
            Broken::new(severity, Evidence::of(evidence))
        }))
    }
}
