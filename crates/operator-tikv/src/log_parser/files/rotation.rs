//! The files that one log was rotated into.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::source::FileError;

/// Bytes of the date in a rotated file's name: `2024-08-14T16-25-23.105`.
const DATE_LEN: usize = 23;

/// The files of a log in the order they were written: the rotated ones by the date in their name,
/// then the one that grows.
///
/// Both writers name a rotated file `stem-DATE.ext`; lumberjack's may be compressed, `.gz` behind
/// that. Files that do not have such a name are not part of the set. A rotated file that stands
/// both plain and compressed (the compression was interrupted) counts once, plain.
///
/// # Errors
/// [`FileError`] where the folder cannot be listed, or neither the log nor a rotated file exists.
pub fn rotation_set(current: &Path) -> Result<Vec<PathBuf>, FileError> {
    let folder = match current.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut rotated = Vec::new();
    for entry in fs::read_dir(folder).map_err(FileError::new("list", folder))? {
        let entry = entry.map_err(FileError::new("list", folder))?;
        let name = entry.file_name();
        if let (Some(name), Some(current)) =
            (name.to_str(), current.file_name().and_then(OsStr::to_str))
            && let Some(date) = rotation_date(name, current)
        {
            rotated.push((
                date.to_owned(),
                name.ends_with(".gz"),
                current.to_owned(),
                entry.path(),
            ));
        }
    }
    rotated.sort();
    rotated.dedup_by(|later, earlier| later.0 == earlier.0);
    let mut files: Vec<PathBuf> = rotated.into_iter().map(|(.., path)| path).collect();
    if current.exists() || files.is_empty() {
        // A missing log is reported by whoever opens it, with its name.
        files.push(current.to_owned());
    }
    Ok(files)
}

/// The log that a file was rotated from, by its name; `None` where the name is not a rotated one's.
///
/// ```
/// use std::path::Path;
/// use operator_tikv::log_parser::files::rotated_from;
/// let rotated = Path::new("/logs/tikv-2024-08-14T16-25-23.105.log.gz");
/// assert_eq!(rotated_from(rotated).as_deref(), Some(Path::new("/logs/tikv.log")));
/// assert_eq!(rotated_from(Path::new("/logs/tikv.log")), None);
/// ```
#[must_use]
pub fn rotated_from(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let plain = name.strip_suffix(".gz").unwrap_or(name);
    let stems = plain.match_indices('-').map(|(at, _)| plain.split_at(at));
    let current = stems.filter_map(|(stem, rest)| {
        let date = rest.get(1..=DATE_LEN)?;
        let tail = rest.get(1 + DATE_LEN..)?;
        let fits = is_date(date.as_bytes()) && (tail.is_empty() || tail.starts_with('.'));
        (fits && !stem.is_empty()).then(|| format!("{stem}{tail}"))
    });
    current.last().map(|current| path.with_file_name(current))
}

/// The date in a rotated file's name, if it is one of this log's.
fn rotation_date<'a>(name: &'a str, current: &str) -> Option<&'a str> {
    let plain = name.strip_suffix(".gz").unwrap_or(name);
    let (stem, extension) = current.rsplit_once('.').unwrap_or((current, ""));
    let rest = plain.strip_prefix(stem)?.strip_prefix('-')?;
    let date = rest.get(..DATE_LEN)?;
    let tail = &rest[DATE_LEN..];
    let fits = if extension.is_empty() {
        tail.is_empty()
    } else {
        tail.strip_prefix('.') == Some(extension)
    };
    (fits && is_date(date.as_bytes())).then_some(date)
}

fn is_date(text: &[u8]) -> bool {
    text.iter()
        .zip(b"dddd-dd-ddTdd-dd-dd.ddd")
        .all(|(byte, shape)| match shape {
            b'd' => byte.is_ascii_digit(),
            other => byte == other,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotated_name_is_stem_date_and_extension() {
        let date = Some("2024-08-14T16-25-23.105");
        assert_eq!(
            rotation_date("tikv-2024-08-14T16-25-23.105.log", "tikv.log"),
            date
        );
        assert_eq!(
            rotation_date("pd-2024-08-14T16-25-23.105.log.gz", "pd.log"),
            date
        );
        assert_eq!(
            rotation_date("rocksdb-2024-08-14T16-25-23.105.info", "rocksdb.info"),
            date
        );
        for name in [
            "tikv.log",
            "tikv-2024-08-14.log",
            "tikv-slow-2024-08-14T16-25-23.105.log",
            "tikv-2024-08-14T16-25-23.105.log.bz2",
            "tikv-é",
        ] {
            assert_eq!(rotation_date(name, "tikv.log"), None, "{name}");
        }
    }
}
