//! The members of PD, each behind a port of its own.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use operator_core::{ManualClock, Timestamp};

use super::book::{Answer, Book};
use super::derived::{self, Regions};
use super::door::Door;
use super::http::{self, Request, Response};
use super::{Asked, Recording};

const REGIONS: &str = "regions-begin.json";
const STATISTICS: &str = "the recorded statistics";

/// Members that answer as they did.
#[derive(Debug)]
pub(super) struct Members {
    doors: Vec<Door>,
    played: Arc<Played>,
    /// Our addresses, and the recorded ones that they stand for.
    pub(super) instead: Vec<(String, String)>,
}

#[derive(Debug)]
struct Played {
    book: Book,
    regions: Option<Regions>,
    clock: ManualClock,
    asked: Asked,
}

impl Members {
    /// Every member on a free port, all of them down until it is said what time it is. Where members tell
    /// of themselves, they tell our addresses.
    pub(super) fn new(recording: Recording, clock: ManualClock, asked: Asked) -> io::Result<Self> {
        let Recording {
            mut book, regions, ..
        } = recording;
        let doors: io::Result<Vec<Door>> = (0..book.members()).map(|_| Door::new()).collect();
        let doors = doors?;
        let (mut texts, mut instead) = (Vec::new(), Vec::new());
        for (door, urls) in doors.iter().zip(book.client_urls()) {
            for url in urls {
                let ours = door.address().to_string();
                let recorded = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
                texts.push((format!("\"{url}\""), format!("\"http://{ours}\"")));
                instead.push((ours, recorded.trim_end_matches('/').to_owned()));
            }
        }
        book.rewrite(&texts);
        let played = Arc::new(Played {
            book,
            regions,
            clock,
            asked,
        });
        Ok(Self {
            doors,
            played,
            instead,
        })
    }

    /// The members' addresses, in their order.
    pub(super) fn addresses(&self) -> Vec<String> {
        let addresses = self.doors.iter().map(|door| door.address().to_string());
        addresses.collect()
    }

    /// Brings every member up or down, as it is at a moment.
    pub(super) async fn set(&mut self, at: Timestamp) -> io::Result<()> {
        for (member, door) in self.doors.iter_mut().enumerate() {
            match (self.played.book.is_up(member, at), door.is_open()) {
                (true, false) => {
                    let played = self.played.clone();
                    door.open(move |request| {
                        let played = played.clone();
                        async move { played.answer(member, &request) }
                    })?;
                }
                (false, true) => door.close().await,
                _ => {}
            }
        }
        Ok(())
    }
}

impl Played {
    fn answer(&self, member: usize, request: &Request) -> Option<Response> {
        let path = request.uri().path_and_query();
        let path = path.map_or("/", |path| path.as_str());
        let now = self.clock.now();
        self.asked.pd(path);
        if request.method() != hyper::Method::GET {
            return self.not_recorded(&format!("{} {path}", request.method()));
        }
        match self.book.answer(member, path, now) {
            Answer::None => None,
            Answer::Said { status, body } => http::response(status, kind(status), body, now),
            Answer::NotRecorded => match self.derived(member, path) {
                Some((body, from)) => {
                    self.asked.derived(path, from);
                    http::response(200, kind(200), body, now)
                }
                None => self.not_recorded(path),
            },
        }
    }

    fn derived(&self, member: usize, path: &str) -> Option<(Bytes, &'static str)> {
        if let Some(statistics) = derived::counted(path) {
            let said = self.book.answer(member, statistics, self.clock.now());
            return match said {
                Answer::Said { status: 200, body } => Some((derived::count(&body)?, STATISTICS)),
                _ => None,
            };
        }
        Some((self.regions.as_ref()?.answer(path)?, REGIONS))
    }

    fn not_recorded(&self, path: &str) -> Option<Response> {
        self.asked.not_recorded(path);
        let text = format!("not recorded: {path}");
        http::response(
            501,
            "text/plain; charset=utf-8",
            text.into(),
            self.clock.now(),
        )
    }
}

fn kind(status: u16) -> &'static str {
    match status {
        200 => "application/json; charset=UTF-8",
        _ => "text/plain; charset=utf-8",
    }
}
