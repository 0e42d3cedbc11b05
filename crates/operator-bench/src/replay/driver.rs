//! Moves the time on, look by look.

use std::io;
use std::time::Duration;

use operator_core::{Clock, ManualClock, Monitor, Observer, Subject, Tick, Timestamp};

use super::members::Members;
use super::proxy::Proxy;
use super::{Asked, Prometheus, Recording, StartError, archive};

/// How long after the first answer the first look is: the first poll is through by then.
const FIRST_LOOK: Duration = Duration::from_secs(1);
/// How long a look may take, in real time. Nothing that is played hangs; only a busy machine is slow, and
/// must not change what is said.
const DEADLINE: Duration = Duration::from_secs(120);

/// Plays a recording.
#[derive(Debug)]
pub struct Player {
    clock: ManualClock,
    asked: Asked,
    members: Members,
    prometheus: Option<(Prometheus, Proxy)>,
    begins: Timestamp,
    ends: Timestamp,
}

/// When to look, in the recording's time.
#[derive(Debug, Clone, Copy)]
pub struct Looks {
    /// How far apart looks are.
    pub every: Duration,
    /// How long after the beginning the first one is.
    pub offset: Duration,
    /// How long after the beginning the last one is at most.
    pub until: Option<Duration>,
}

impl Default for Looks {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(10),
            offset: Duration::ZERO,
            until: None,
        }
    }
}

/// Where a subject is to look.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The members of PD, with commas between.
    pub pd: String,
    /// Prometheus, where there is one.
    pub prometheus: Option<String>,
    /// The time that is played.
    pub clock: ManualClock,
}

impl Player {
    /// Sets everything up, at the moment before the first look.
    ///
    /// The second value says why there is no Prometheus, if there is none.
    ///
    /// # Errors
    /// When loopback has no ports.
    pub fn new(recording: Recording) -> io::Result<(Self, Option<StartError>)> {
        let book = recording.book();
        let first = book.begins().unwrap_or(Timestamp::EPOCH);
        let ends = book.ends().unwrap_or(first);
        let begins = next_second(first + FIRST_LOOK);
        let clock = ManualClock::new(begins);
        let asked = Asked::default();
        let (prometheus, why) = match measured(&recording) {
            Ok(server) => (Some(server), None),
            Err(why) => (None, Some(why)),
        };
        let prometheus = match prometheus {
            None => None,
            Some(server) => {
                let address = server.address().unwrap_or_default();
                let proxy = Proxy::open(address, clock.clone(), asked.clone())?;
                Some((server, proxy))
            }
        };
        let members = Members::new(recording, clock.clone(), asked.clone())?;
        let player = Self {
            clock,
            asked,
            members,
            prometheus,
            begins,
            ends,
        };
        Ok((player, why))
    }

    /// Where to look.
    pub fn sources(&self) -> Sources {
        Sources {
            pd: self.members.addresses().join(","),
            prometheus: self
                .prometheus
                .as_ref()
                .map(|(_, proxy)| format!("http://{}", proxy.address())),
            clock: self.clock.clone(),
        }
    }

    /// What was asked so far.
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// A text with the recorded addresses in the place of those that they were played on.
    pub fn as_recorded(&self, text: &str) -> String {
        let ours = self.prometheus.as_ref();
        let prometheus = ours.map(|(_, proxy)| (proxy.address().to_string(), "prometheus".into()));
        let mut text = text.to_owned();
        for (ours, recorded) in self.members.instead.iter().chain(prometheus.iter()) {
            text = text.replace(ours.as_str(), recorded);
        }
        text
    }

    /// Looks again and again for as long as the recording lasts, and hands every look to `each`.
    ///
    /// # Errors
    /// When a member's port cannot be opened again.
    pub async fn play<S: Subject>(
        &mut self,
        monitor: &mut Monitor<S>,
        looks: Looks,
        mut each: impl FnMut(&Self, &Monitor<S>, &Tick),
    ) -> io::Result<()> {
        let every = looks.every.max(Duration::from_millis(1));
        let last = looks.until.map_or(self.ends, |until| self.begins + until);
        let mut at = self.begins + looks.offset;
        while at <= self.ends.min(last) {
            self.clock.set(at);
            self.members.set(at).await?;
            self.asked.look();
            let tick = monitor.tick().await;
            each(self, monitor, &tick);
            at = at + every;
        }
        Ok(())
    }

    /// An observer of the time that is played; what it waits for, it waits for in real time.
    pub fn observer(&self) -> Observer {
        Observer::new(Clock::from(self.clock.clone()), DEADLINE)
    }
}

fn next_second(at: Timestamp) -> Timestamp {
    let millis = at.unix_millis();
    let into = millis.rem_euclid(1000);
    Timestamp::from_unix_millis(millis + (1000 - into) % 1000)
}

/// A server over a copy of the block.
fn measured(recording: &Recording) -> Result<Prometheus, StartError> {
    let block = recording
        .block()
        .ok_or_else(|| StartError::Failed("the recording has no block of its storage".into()))?;
    Prometheus::start("global: {}\n", |data| {
        // The archive brings the folder's own name.
        archive::unpack(&block, data.parent().unwrap_or(data))
    })
}
