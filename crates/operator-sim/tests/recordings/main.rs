//! The simulated incidents beside the recorded ones: the same order of what PD says, with like delays, and log lines
//! of the same shape.
//!
//! The recordings are others' bytes: they are read where they lie, and the tests say so where they do not.

mod lines;
mod milestones;
mod polls;
mod tallies;

use std::io::Write as _;
use std::path::PathBuf;

/// Where the recordings are, if they are.
fn recordings() -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/recordings");
    if path.is_dir() {
        return Some(path);
    }
    // Said also where what tests print is kept back.
    let _ = std::io::stderr()
        .write_all(b"skipped: there is no ../shared/recordings beside the workspace\n");
    None
}
