//! What the tests share.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use operator_bench::real::{PdMembers, find};
use operator_core::{Change, Clock, Entity, Kind, Monitor, Observer};
use operator_tikv::{PdClient, TikvSubject};
use serde_json::Value;

/// Says something to whoever runs the tests: in one piece, and also where what tests print is kept back.
pub(crate) fn say(text: &str) {
    // Where nobody listens there is nobody to tell.
    let _ = std::io::stderr().write_all(format!("real servers: {text}\n").as_bytes());
}

/// Programs that are there.
pub(crate) struct Programs(BTreeMap<&'static str, PathBuf>);

impl Programs {
    /// All of these, or the names of those that are missing.
    pub(crate) fn found(needed: &[&'static str]) -> Result<Self, Vec<String>> {
        let mut found = BTreeMap::new();
        let mut missing = vec![];
        for name in needed {
            match if *name == "operator" {
                ours()
            } else {
                find(name)
            } {
                Some(path) => drop(found.insert(*name, path)),
                None => missing.push(format!("`{name}`")),
            }
        }
        match missing.is_empty() {
            true => Ok(Self(found)),
            false => Err(missing),
        }
    }

    pub(crate) fn path(&self, name: &str) -> &Path {
        &self.0[name]
    }

    /// Runs the command that is released: its exit status, and the object that it printed.
    pub(crate) fn operator(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let mut command = Command::new(self.path("operator"));
        for name in ["OPERATOR_PD", "OPERATOR_PROMETHEUS", "OPERATOR_CONFIG"] {
            command.env_remove(name);
        }
        let output = command.args(arguments).args(["--output", "json"]).output();
        let output = output.expect("it runs");
        let told = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            let words = String::from_utf8_lossy(&output.stderr);
            panic!("{arguments:?}: {error}: {words}")
        });
        (output.status.code(), told)
    }
}

/// The command lies where this package's own programs do, once it is built.
fn ours() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_BIN_EXE_operator-bench")).parent()?;
    let path = folder.join("operator");
    path.is_file().then_some(path)
}

pub(crate) fn client(pd: &PdMembers) -> PdClient {
    PdClient::new(&pd.endpoints()).expect("endpoints")
}

/// What a member of PD says of itself, or as the leader, over plain HTTP.
pub(crate) fn plain(pd: &PdMembers, member: &str, path: &str) -> Value {
    let said = pd.ask(member, "GET", &format!("/pd/api/v1{path}"), "");
    let said = said.unwrap_or_else(|error| panic!("{path}: {error}: {}", pd.last_words()));
    assert_eq!(said.status, 200, "{path}: {said:?}");
    said.json().unwrap_or_else(|| panic!("{path}: {said:?}"))
}

/// Has a member of PD do something.
pub(crate) fn post(pd: &PdMembers, member: &str, path: &str, body: &str) {
    let said = pd.ask(member, "POST", &format!("/pd/api/v1{path}"), body);
    let said = said.expect("an answer");
    assert_eq!(said.status, 200, "{path}: {said:?}");
}

/// Lists come in any order.
pub(crate) fn sorted_by<'a>(list: &'a Value, key: &str) -> Vec<&'a Value> {
    let mut items: Vec<&Value> = list.as_array().expect("a list").iter().collect();
    items.sort_by_key(|item| item[key].to_string());
    items
}

pub(crate) fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    let text = |item: &Value| item.as_str().expect("text").to_owned();
    items.map(text).collect()
}

/// A cluster that is looked at again and again, and judged by all rules.
pub(crate) struct Watched {
    pub(crate) monitor: Monitor<TikvSubject>,
    pub(crate) changes: Vec<Change>,
}

impl Watched {
    pub(crate) fn new(pd: PdClient) -> Self {
        let observer = Observer::new(Clock::system(), Duration::from_secs(8));
        let monitor = Monitor::new(TikvSubject::new(pd), observer).expect("codes differ");
        let changes = vec![];
        Self { monitor, changes }
    }

    /// Looks every second until something holds, or so much time has passed.
    pub(crate) async fn until(&mut self, within: Duration, holds: impl Fn(&Self) -> bool) -> bool {
        let clock = Clock::system();
        let give_up = clock.now() + within;
        while clock.now() < give_up {
            let tick = self.monitor.tick().await;
            self.changes.extend(tick.changes);
            if holds(self) {
                return true;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        false
    }

    /// Whether a rule is broken by an entity.
    pub(crate) fn is_open(&self, code: &str, entity: &Entity) -> bool {
        let mut open = self.monitor.engine().open();
        open.any(|one| one.code() == code && one.entity == *entity)
    }

    pub(crate) fn is_pending(&self, code: &str, entity: &Entity) -> bool {
        let mut pending = self.monitor.engine().pending();
        pending.any(|one| one.rule.code == code && one.entity == entity)
    }

    /// What was raised about the cluster itself so far: code and entity.
    pub(crate) fn raised(&self) -> Vec<(&'static str, Entity)> {
        let raised = self.changes.iter().filter_map(|change| match change {
            Change::Raised(violation) if violation.rule.kind == Kind::Cluster => {
                Some((violation.code(), violation.entity.clone()))
            }
            _ => None,
        });
        raised.collect()
    }

    /// What was raised about stores so far.
    pub(crate) fn blamed(&self) -> Vec<(&'static str, Entity)> {
        let mut raised = self.raised();
        raised.retain(|(_, entity)| matches!(entity, Entity::Store(_)));
        raised
    }
}
