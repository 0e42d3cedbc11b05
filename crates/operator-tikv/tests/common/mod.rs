//! Where bytes of others lie that the tests read and the project does not hold.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A folder of `../shared`, seen from the workspace or, where that is a worktree, from a folder
/// above it; `None`, with the reason printed, where it is absent.
pub(crate) fn shared(folder: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let found = root
        .ancestors()
        .skip(1)
        .map(|above| above.join("shared").join(folder))
        .find(|path| path.is_dir());
    if found.is_none() {
        // Said also where what tests print is kept back.
        let _ = writeln!(
            std::io::stderr(),
            "nothing to judge by: ../shared/{folder} is absent"
        );
    }
    found
}
