//! A recording, and what was done to its cluster.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::Value;

use crate::played::Played;

/// One recording.
pub(crate) struct Incident {
    pub(crate) folder: PathBuf,
    pub(crate) scenario: String,
    events: Vec<Event>,
    store_ids: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct Truth {
    scenario: String,
    events: Vec<Event>,
    store_ids: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct Event {
    t: f64,
    event: String,
}

/// Every recording there is, or why there is none.
pub(crate) fn incidents() -> Result<Vec<Incident>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/recordings");
    let entries = fs::read_dir(&folder)
        .map_err(|error| format!("no recordings at {}: {error}", folder.display()))?;
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter(|path| path.join("truth.json").is_file())
        .collect();
    folders.sort();
    Ok(folders.into_iter().map(Incident::read).collect())
}

impl Incident {
    fn read(folder: PathBuf) -> Self {
        let truth = fs::read(folder.join("truth.json")).expect("what was done can be read");
        let truth: Truth = serde_json::from_slice(&truth).expect("what was done is JSON");
        Self {
            folder,
            scenario: truth.scenario,
            events: truth.events,
            store_ids: truth.store_ids,
        }
    }

    /// Plays it, with the looks so late, and not beyond a moment.
    pub(crate) fn play(&self, offset: u32, until: Option<f64>) -> Played {
        let mut command = Command::new(env!("CARGO_BIN_EXE_replay"));
        command.arg("--offset").arg(offset.to_string());
        if let Some(until) = until {
            // It counts from its first second on.
            let until = (until - self.begins()).max(0.0);
            command.arg("--until").arg(until.to_string());
        }
        let output = command.arg(&self.folder).output().expect("the player runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        let folder = self.folder.display();
        assert!(output.status.success(), "{folder}: {errors}");
        assert_eq!(errors, "", "{folder}");
        Played::read(String::from_utf8(output.stdout).expect("lines are text"))
    }

    pub(crate) fn begins(&self) -> f64 {
        self.events.first().expect("something was done").t
    }

    /// When the `nth` thing (from 0) whose words contain these was done.
    pub(crate) fn when(&self, words: &str, nth: usize) -> f64 {
        let found = self
            .events
            .iter()
            .filter(|event| event.event.contains(words));
        let event = found.clone().nth(nth);
        event
            .unwrap_or_else(|| panic!("{}: no {words}", self.scenario))
            .t
    }

    /// Names of stores by the ids that PD gave them: `tikv-1` is `store/5`.
    pub(crate) fn named(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, id) in &self.store_ids {
            text = text.replace(name, &format!("store/{id}"));
        }
        text
    }

    /// The stores as PD told of them: when, and the list.
    pub(crate) fn stores(&self) -> Vec<(f64, Value)> {
        self.told("/pd/api/v1/stores")
    }

    /// The regions with the most writes as PD told of them.
    pub(crate) fn hot_writes(&self) -> Vec<(f64, Value)> {
        self.told("/pd/api/v1/hotspot/regions/write")
    }

    /// What the first member said, where it was something new.
    fn told(&self, path: &str) -> Vec<(f64, Value)> {
        #[derive(Deserialize)]
        struct Line {
            t: f64,
            pd: usize,
            path: String,
            status: u16,
            body: Option<String>,
        }
        let packed = fs::File::open(self.folder.join("pd.jsonl.gz")).expect("PD's answers");
        let mut text = String::new();
        GzDecoder::new(packed)
            .read_to_string(&mut text)
            .expect("text");
        let lines = text
            .lines()
            .map(|line| serde_json::from_str::<Line>(line).expect("a line"));
        let lines = lines.filter(|line| line.pd == 0 && line.path == path && line.status == 200);
        let told = lines.filter_map(|line| Some((line.t, serde_json::from_str(&line.body?).ok()?)));
        told.collect()
    }
}
