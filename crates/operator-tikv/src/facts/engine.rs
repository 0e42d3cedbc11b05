//! Which engine a store runs.

use operator_core::Store;

/// Whether a store runs `TiFlash`: it is a store to PD, and no TiKV.
pub(crate) fn is_tiflash(store: &Store) -> bool {
    let engine = store.labels.get("engine").map_or("", String::as_str);
    engine.starts_with("tiflash")
}
