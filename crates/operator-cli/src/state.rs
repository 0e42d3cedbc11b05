//! What a watch keeps across restarts: one file, written so that a crash leaves the old one or the new one.

use std::fs::{self, File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use operator_core::{Engine, Maintenance, State, Timestamp};
use operator_tikv::invariants::{self, Settings};
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Outcome};

/// The version of the file.
const SCHEMA: &str = "operator-state/1";
/// A larger file is none of ours.
const LARGEST: u64 = 256 << 20;
/// How often a file that somebody else is writing is tried, and how long after each other.
const TRIES: u32 = 100;
const BETWEEN: Duration = Duration::from_millis(20);

/// A state file.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
}

/// What is in it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    schema: String,
    written_at: Timestamp,
    /// Which cluster it is about, as it was named.
    target: String,
    /// Which cluster it is about, as that calls itself; `None` where only maintenance was declared so far.
    #[serde(default)]
    cluster_id: Option<u64>,
    engine: State,
}

/// Which cluster a file is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Whose {
    pub(crate) target: String,
    pub(crate) cluster_id: Option<u64>,
}

/// What of it others may change.
#[derive(Debug, Deserialize)]
struct Declared {
    maintenance: Vec<Maintenance>,
}

/// The file, while nobody else may touch it.
#[derive(Debug)]
struct Locked<'a> {
    file: &'a StateFile,
    _lock: File,
}

impl StateFile {
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.into() }
    }

    pub(crate) fn path(&self) -> std::path::Display<'_> {
        self.path.display()
    }

    /// Puts what the file holds into an engine, if there is one yet and it is not about another cluster.
    pub(crate) async fn restore(&self, engine: &mut Engine, asked: &Whose) -> Outcome<Whose> {
        let Some(saved) = self.lock().await?.read()? else {
            return Ok(Whose::default());
        };
        self.refuse_other(&saved.whose(), asked)?;
        self.put(saved, engine)
    }

    /// Cases of one cluster say nothing about another, and would be lost if they were written over. While either
    /// id is not known nobody can tell.
    pub(crate) fn refuse_other(&self, kept: &Whose, asked: &Whose) -> Outcome<()> {
        match (kept.cluster_id, asked.cluster_id) {
            (Some(kept_id), Some(asked_id)) if kept_id != asked_id => {
                let (path, of) = (self.path(), &kept.target);
                Err(Failure::usage(format!(
                    "{path} is about cluster {kept_id} (written for {of}), and {} is cluster {asked_id}",
                    asked.target
                ))
                .hint("another FILE for this cluster; this one is left as it is")
                .hint("if the other cluster is no more: remove the file, and its cases are forgotten"))
            }
            _ => Ok(()),
        }
    }

    fn put(&self, saved: Saved, engine: &mut Engine) -> Outcome<Whose> {
        let whose = saved.whose();
        let wrong = |error: operator_core::RestoreError| {
            Failure::usage(format!("{}: {error}", self.path())).hint("another file, or none")
        };
        engine.restore(saved.engine).map_err(wrong)?;
        Ok(whose)
    }

    /// Takes up the maintenance that others have declared or ended, and writes down what the engine knows.
    /// While somebody else holds the file that is left for the next look; and nothing is written before the
    /// cluster has said which one it is.
    pub(crate) fn keep_now(
        &self,
        engine: &mut Engine,
        whose: &Whose,
        at: Timestamp,
    ) -> Outcome<()> {
        let Some(locked) = self.try_lock()? else {
            return Ok(());
        };
        if let Some(saved) = locked.read()? {
            self.refuse_other(&saved.whose(), whose)?;
            adopt(engine, declared(&saved.engine)?);
        }
        match whose.cluster_id {
            Some(_) => locked.write(engine, whose, at),
            None => Ok(()),
        }
    }

    /// Changes what is declared. What else the file holds stays as it is.
    pub(crate) async fn change<T>(
        &self,
        at: Timestamp,
        change: impl FnOnce(&mut Engine) -> T,
    ) -> Outcome<T> {
        let locked = self.lock().await?;
        let mut engine = Engine::new(invariants::standard(&Settings::default()))
            .map_err(|error| Failure::local(error.to_string()))?;
        let whose = match locked.read()? {
            Some(saved) => self.put(saved, &mut engine)?,
            None => Whose::default(),
        };
        let changed = change(&mut engine);
        locked.write(&engine, &whose, at)?;
        Ok(changed)
    }

    /// What is declared.
    pub(crate) async fn declared(&self) -> Outcome<Vec<Maintenance>> {
        match self.lock().await?.read()? {
            Some(saved) => declared(&saved.engine),
            None => Ok(Vec::new()),
        }
    }

    /// Waits for whoever is writing; for a short time only.
    async fn lock(&self) -> Outcome<Locked<'_>> {
        for _ in 0..TRIES {
            match self.try_lock()? {
                Some(locked) => return Ok(locked),
                None => tokio::time::sleep(BETWEEN).await,
            }
        }
        Err(Failure::local(format!(
            "cannot lock {}: somebody else holds it",
            self.path()
        )))
    }

    /// The file, unless somebody else holds it.
    fn try_lock(&self) -> Outcome<Option<Locked<'_>>> {
        let path = self.beside(".lock");
        let failed = |error: std::io::Error| {
            Failure::local(format!("cannot lock {}: {error}", path.display()))
                .hint("a folder that is there, and can be written to")
        };
        let mut options = File::options();
        let file = options
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Locked {
                file: self,
                _lock: file,
            })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    fn beside(&self, end: &str) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(end);
        self.path.with_file_name(name)
    }
}

impl Saved {
    fn whose(&self) -> Whose {
        Whose {
            target: self.target.clone(),
            cluster_id: self.cluster_id,
        }
    }
}

impl Locked<'_> {
    fn read(&self) -> Outcome<Option<Saved>> {
        let path = &self.file.path;
        let shown = path.display();
        let size = match fs::metadata(path) {
            Ok(data) => data.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::usage(format!("cannot read {shown}: {error}"))),
        };
        if size > LARGEST {
            return Err(Failure::usage(format!(
                "{shown}: {size} bytes are no state file"
            )));
        }
        let text = fs::read(path)
            .map_err(|error| Failure::usage(format!("cannot read {shown}: {error}")))?;
        let saved: Saved = serde_json::from_slice(&text).map_err(|error| {
            Failure::usage(format!("{shown} is no state file: {error}"))
                .hint("another file; this one is left as it is")
        })?;
        match saved.schema == SCHEMA {
            true => Ok(Some(saved)),
            false => Err(Failure::usage(format!(
                "{shown} is of version {}, expected {SCHEMA}",
                saved.schema
            ))),
        }
    }

    /// Written beside, brought to the disk, and then given the name.
    fn write(&self, engine: &Engine, whose: &Whose, at: Timestamp) -> Outcome<()> {
        let (path, beside) = (&self.file.path, self.file.beside(".new"));
        let failed = |error: &dyn std::fmt::Display| {
            Failure::local(format!("cannot write {}: {error}", path.display()))
        };
        let saved = Saved {
            schema: SCHEMA.to_owned(),
            written_at: at,
            target: whose.target.clone(),
            cluster_id: whose.cluster_id,
            engine: engine.export(),
        };
        let text = serde_json::to_vec(&saved).map_err(|error| failed(&error))?;
        let write = || {
            let mut file = File::create(&beside)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&beside, path)?;
            match path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty())
            {
                Some(folder) => File::open(folder)?.sync_all(),
                None => File::open(".")?.sync_all(),
            }
        };
        write().map_err(|error: std::io::Error| failed(&error))
    }
}

/// What a state declares: the one thing in it that others than the watch change.
fn declared(state: &State) -> Outcome<Vec<Maintenance>> {
    let read = || {
        let value = serde_json::to_value(state)?;
        serde_json::from_value::<Declared>(value)
    };
    read()
        .map(|declared| declared.maintenance)
        .map_err(|error| Failure::local(format!("cannot read what is declared: {error}")))
}

/// The engine expects what is declared, and nothing else.
fn adopt(engine: &mut Engine, declared: Vec<Maintenance>) {
    let ended: Vec<_> = engine
        .expected()
        .iter()
        .filter(|known| !declared.iter().any(|other| other.entity == known.entity))
        .map(|known| known.entity.clone())
        .collect();
    for entity in ended {
        engine.unexpect(&entity);
    }
    for maintenance in declared {
        if !engine.expected().contains(&maintenance) {
            engine.expect(maintenance);
        }
    }
}
