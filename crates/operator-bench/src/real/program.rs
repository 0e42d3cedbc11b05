//! Programs that somebody has, and we do not.

use std::path::{Path, PathBuf};

/// A folder to look into before all others.
const FOLDER: &str = "OPERATOR_TEST_BIN";

/// A program: in the folder that `OPERATOR_TEST_BIN` names, or else on the `PATH`.
pub fn find(name: &str) -> Option<PathBuf> {
    let first = std::env::var_os(FOLDER).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = first.into_iter().chain(std::env::split_paths(&path));
    let mut programs = folders.map(|folder| folder.join(name));
    programs.find(|program| is_program(program))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let Ok(data) = path.metadata() else {
        return false;
    };
    data.is_file() && data.permissions().mode() & 0o111 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_found_and_what_is_not_is_not() {
        assert!(find("sh").is_some_and(|program| program.is_absolute()));
        assert_eq!(find("no-such-program-anywhere"), None);
    }
}
