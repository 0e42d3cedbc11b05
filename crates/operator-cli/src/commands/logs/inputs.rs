//! From the names on the command line to logs: whose each is, and the files it was written into.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use operator_tikv::log_parser::Stamp;
use operator_tikv::log_parser::files::{first_time, last_time, open, rotated_from, rotation_set};

use crate::args::Input;
use crate::failure::{Failure, Outcome};
use crate::nearest;

/// Folders are looked through this deep.
const DEEPEST: usize = 8;
/// So many entries of folders are looked at.
const MOST_ENTRIES: usize = 100_000;
/// So many logs can be read at once: each takes a thread and a buffer.
const MOST_LOGS: usize = 500;

/// One server's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Log {
    /// What it is called in what is written.
    pub(super) name: Arc<str>,
    /// The store, where the command line says.
    pub(super) store: Option<u64>,
    /// The files in the order they were written.
    pub(super) files: Vec<PathBuf>,
}

/// A log while names are being read.
#[derive(Debug)]
struct Found {
    /// The name that the command line gives.
    given: Option<String>,
    /// The folder on the command line that it was found in.
    folder: Option<PathBuf>,
    /// The file that is written to now, or would be.
    base: PathBuf,
    files: Vec<PathBuf>,
}

/// Every log that is named, each once.
pub(super) fn logs(input: &Input) -> Outcome<Vec<Log>> {
    let mut found: Vec<Found> = Vec::new();
    for name in &input.files {
        let (given, path) = split_name(name);
        for (folder, path) in files_of(&path)? {
            let base = rotated_from(&path).unwrap_or_else(|| path.clone());
            let files = match base == path && !input.no_rotated && path.is_file() {
                true => rotation_set(&path)
                    .map_err(|error| failure(error.doing, &error.path, &error.source))?,
                false => vec![path],
            };
            match found
                .iter_mut()
                .find(|known| known.base == base && known.given == given)
            {
                Some(known) => known.files.extend(files),
                None => found.push(Found {
                    given: given.clone(),
                    folder,
                    base,
                    files,
                }),
            }
        }
    }
    if found.len() > MOST_LOGS {
        return Err(Failure::usage(format!(
            "these are {} logs: at most {MOST_LOGS} can be read at once",
            found.len()
        )));
    }
    let names = names(&found);
    let logs = found.into_iter().zip(names).map(|(mut found, name)| {
        let base = found.base;
        found
            .files
            .sort_by_key(|file| (*file == base, file.clone()));
        found.files.dedup();
        Log {
            store: found.given.as_deref().and_then(store_of),
            name: Arc::from(name),
            files: found.files,
        }
    });
    Ok(logs.collect())
}

/// `STORE=FILE`, unless there is a file with all of that for its name.
fn split_name(name: &OsStr) -> (Option<String>, PathBuf) {
    let path = PathBuf::from(name);
    match name.to_str().and_then(|name| name.split_once('=')) {
        Some((store, file)) if !store.is_empty() && !store.contains('/') && !path.exists() => {
            (Some(store.to_owned()), file.into())
        }
        _ => (None, path),
    }
}

/// The id in the name of a store: `4`, `store/4`, `store-4`.
fn store_of(name: &str) -> Option<u64> {
    let digits = ["store/", "store-", "store"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix));
    digits.unwrap_or(name).parse().ok()
}

/// The files that a path stands for, each with the folder that it was found in.
fn files_of(path: &Path) -> Outcome<Vec<(Option<PathBuf>, PathBuf)>> {
    if path == Path::new("-") {
        return Ok(vec![(None, path.to_owned())]);
    }
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            let mut files = BTreeSet::new();
            walk(path, DEEPEST, &mut MOST_ENTRIES.clone(), &mut files)?;
            if files.is_empty() {
                return Err(Failure::usage(format!(
                    "there is no log in {}: expected files that are called *.log",
                    path.display()
                )));
            }
            let folder = Some(path.to_owned());
            Ok(files
                .into_iter()
                .map(|file| (folder.clone(), file))
                .collect())
        }
        Ok(_) => {
            // Asked now, so that a name that is wrong is never half an answer.
            if path.is_file() {
                fs::File::open(path).map_err(|error| failure("open", path, &error))?;
            }
            Ok(vec![(None, path.to_owned())])
        }
        // A log that is rotated right now is not there, and what it was rotated into is.
        Err(error) if error.kind() == io::ErrorKind::NotFound => match rotation_set(path) {
            Ok(files) if files.iter().any(|file| file.is_file()) => {
                Ok(files.into_iter().map(|file| (None, file)).collect())
            }
            _ => Err(missing(path, &error)),
        },
        Err(error) => Err(failure("open", path, &error)),
    }
}

fn walk(
    folder: &Path,
    deep: usize,
    left: &mut usize,
    files: &mut BTreeSet<PathBuf>,
) -> Outcome<()> {
    let entries = fs::read_dir(folder).map_err(|error| failure("list", folder, &error))?;
    for entry in entries {
        let path = entry
            .map_err(|error| failure("list", folder, &error))?
            .path();
        *left = left.checked_sub(1).ok_or_else(|| {
            Failure::usage(format!(
                "there are more than {MOST_ENTRIES} files in that folder"
            ))
            .hint("the folders that hold the logs")
        })?;
        if path.is_dir() && deep > 0 {
            walk(&path, deep - 1, left, files)?;
        } else if is_log(&path) && path.is_file() {
            files.insert(path);
        }
    }
    Ok(())
}

fn is_log(path: &Path) -> bool {
    let current = rotated_from(path);
    let current = current.as_deref().unwrap_or(path);
    current.extension().is_some_and(|end| end == "log")
        || current
            .to_str()
            .is_some_and(|name| name.ends_with(".log.gz"))
}

pub(super) fn failure(doing: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!(
        "cannot {doing} {}: {}",
        path.display(),
        reason(error)
    ))
}

/// What the system says, without its number.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(at) => text[..at].to_lowercase(),
        None => text,
    }
}

/// A file that is not there, with the one that was probably meant.
fn missing(path: &Path, error: &io::Error) -> Failure {
    let failure = failure("open", path, error);
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let known = entries
        .take(1000)
        .filter_map(|entry| entry.file_name().into_string().ok());
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    match nearest::nearest(name, known) {
        Some(meant) => failure.hint(path.with_file_name(meant).display().to_string()),
        None => failure,
    }
}

/// What each log is called: as the command line says, else by its folder or file, with so much of the path before
/// that no two are called alike.
fn names(found: &[Found]) -> Vec<String> {
    let in_folder = |folder: &Path| {
        found
            .iter()
            .filter(|found| found.folder.as_deref() == Some(folder))
            .count()
    };
    let paths: Vec<PathBuf> = found
        .iter()
        .map(|found| match &found.folder {
            Some(folder) if in_folder(folder) == 1 && folder.file_name().is_some() => {
                folder.clone()
            }
            _ => without_endings(&found.base),
        })
        .collect();
    let mut deep = vec![1; found.len()];
    let tail = |at: usize, deep: usize| -> String {
        let parts: Vec<_> = paths[at].iter().map(OsStr::to_string_lossy).collect();
        parts[parts.len().saturating_sub(deep)..].join("/")
    };
    for _ in 0..DEEPEST * 2 {
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for at in (0..found.len()).filter(|at| found[*at].given.is_none()) {
            groups.entry(tail(at, deep[at])).or_default().push(at);
        }
        let alike: Vec<usize> = groups
            .into_values()
            .filter(|group| group.len() > 1)
            .flatten()
            .collect();
        if alike.is_empty() {
            break;
        }
        for at in alike {
            deep[at] += 1;
        }
    }
    let name = |(at, found): (usize, &Found)| match &found.given {
        Some(given) => given.clone(),
        None if found.base == Path::new("-") => "stdin".to_owned(),
        None => tail(at, deep[at]),
    };
    found.iter().enumerate().map(name).collect()
}

fn without_endings(path: &Path) -> PathBuf {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let name = name.strip_suffix(".log").unwrap_or(name);
    match name.is_empty() {
        true => path.to_owned(),
        false => path.with_file_name(name),
    }
}

/// Whether these logs can be followed: a compressed file does not grow.
pub(super) fn check_growing(logs: &[Log]) -> Outcome<()> {
    let lasts = logs.iter().filter_map(|log| log.files.last());
    for path in lasts.filter(|path| path.is_file()) {
        let source =
            open(path).map_err(|error| failure(error.doing, &error.path, &error.source))?;
        if source.len().is_none() {
            return Err(Failure::usage(format!(
                "cannot follow {}: it is compressed",
                path.display()
            ))
            .hint("the log that is being written"));
        }
    }
    Ok(())
}

/// The first and the last moment of these logs, as far as they can be known without reading all.
pub(super) fn span(logs: &[Log]) -> Option<(Stamp, Stamp)> {
    let files = logs
        .iter()
        .flat_map(|log| [log.files.first(), log.files.last()]);
    let files = files.flatten().filter(|file| file.is_file());
    let moments = files.flat_map(|file| [first_time(file), last_time(file)]);
    let moments: Vec<Stamp> = moments.filter_map(|time| time.ok().flatten()).collect();
    Some((*moments.iter().min()?, *moments.iter().max()?))
}

/// The last moment of all these logs, as far as it can be known without reading them.
pub(super) fn last_moment(logs: &[Log]) -> Option<Stamp> {
    let lasts = logs.iter().filter_map(|log| {
        let last = log.files.last().filter(|file| file.is_file())?;
        last_time(last).ok().flatten()
    });
    lasts.max()
}
