//! What each member of PD answered, and when; and what it would answer at a moment.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use operator_core::Timestamp;
use serde::Deserialize;

/// Asked of every member at every poll: it tells how a member is.
const STORES: &str = "/pd/api/v1/stores";
const MEMBERS: &str = "/pd/api/v1/members";
/// Members are polled one after the other. An answer this much older than another member's is not of the
/// same poll.
const POLL: Duration = Duration::from_millis(1500);

/// The answers of every member of PD.
#[derive(Debug, Default)]
pub struct Book {
    members: Vec<BTreeMap<String, Vec<Row>>>,
}

/// One answer.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) at: Timestamp,
    /// 0 where there was no answer.
    pub(super) status: u16,
    pub(super) body: Bytes,
}

/// What a member answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is down: connections are refused, or end.
    None,
    /// This.
    Said {
        /// The status.
        status: u16,
        /// The body.
        body: Bytes,
    },
    /// It lives, and was never asked this.
    NotRecorded,
}

impl Book {
    pub(super) fn add(&mut self, member: usize, path: &str, row: Row) {
        if self.members.len() <= member {
            self.members.resize_with(member + 1, BTreeMap::new);
        }
        let rows = &mut self.members[member];
        match rows.get_mut(path) {
            Some(rows) => rows.push(row),
            None => {
                rows.insert(path.to_owned(), vec![row]);
            }
        }
    }

    pub(super) fn last(&self, member: usize, path: &str) -> Option<&Row> {
        self.members.get(member)?.get(path)?.last()
    }

    /// How many members there are.
    pub fn members(&self) -> usize {
        self.members.len()
    }

    /// When the first answer was given.
    pub fn begins(&self) -> Option<Timestamp> {
        self.times(<[Row]>::first).min()
    }

    /// When the last answer was given.
    pub fn ends(&self) -> Option<Timestamp> {
        self.times(<[Row]>::last).max()
    }

    fn times<'a>(
        &'a self,
        which: impl Fn(&'a [Row]) -> Option<&'a Row> + 'a,
    ) -> impl Iterator<Item = Timestamp> + 'a {
        let rows = self.members.iter().flat_map(BTreeMap::values);
        rows.filter_map(move |rows| Some(which(rows)?.at))
    }

    /// Whether a member listens at a moment.
    pub fn is_up(&self, member: usize, at: Timestamp) -> bool {
        let state = self.newest(member, STORES, at);
        state.is_some_and(|row| row.status != 0)
    }

    /// What a member answers at a moment to a path with its query.
    ///
    /// It is as its newest answer about stores says: down, or without a leader, which is then what it says
    /// to everything that it has not answered since. Otherwise its own newest answer stands; or, where
    /// others were asked instead of it, theirs.
    pub fn answer(&self, member: usize, path: &str, at: Timestamp) -> Answer {
        let Some(state) = self
            .newest(member, STORES, at)
            .filter(|row| row.status != 0)
        else {
            return Answer::None;
        };
        let own = self.newest(member, path, at);
        if matches!(state.status, 500 | 503) {
            let current = own.filter(|row| row.at >= state.at);
            return current.unwrap_or(state).said();
        }
        let any = (0..self.members.len())
            .filter_map(|other| self.newest(other, path, at))
            .filter(|row| row.status != 0)
            .max_by_key(|row| row.at);
        match (own, any) {
            (Some(own), Some(any)) if any.at.since(own.at) > POLL => any.said(),
            (Some(own), _) => own.said(),
            (None, Some(any)) => any.said(),
            (None, None) => Answer::NotRecorded,
        }
    }

    fn newest(&self, member: usize, path: &str, at: Timestamp) -> Option<&Row> {
        let rows = self.members.get(member)?.get(path)?;
        let until = rows.partition_point(|row| row.at <= at);
        rows[..until].last()
    }

    /// The URLs under which clients reach each member, by its number, as the members themselves say.
    pub(super) fn client_urls(&self) -> Vec<BTreeSet<String>> {
        #[derive(Deserialize)]
        struct Members {
            members: Vec<Member>,
        }
        #[derive(Deserialize)]
        struct Member {
            name: String,
            client_urls: Vec<String>,
        }
        let mut urls = vec![BTreeSet::new(); self.members.len()];
        let rows = self.members.iter().filter_map(|rows| rows.get(MEMBERS));
        // What is no list of members tells nothing here; who plays it shows what it was.
        let said = rows.flatten().filter(|row| row.status == 200);
        let said = said.filter_map(|row| serde_json::from_slice::<Members>(&row.body).ok());
        for member in said.flat_map(|said| said.members) {
            let number = member.name.strip_prefix("pd-");
            let number = number.and_then(|number| number.parse::<usize>().ok());
            if let Some(known) = number.and_then(|number| urls.get_mut(number)) {
                known.extend(member.client_urls);
            }
        }
        urls
    }

    /// Puts other texts in the place of texts, in every body.
    pub(super) fn rewrite(&mut self, texts: &[(String, String)]) {
        let mut done: BTreeMap<*const u8, Bytes> = BTreeMap::new();
        for row in self
            .members
            .iter_mut()
            .flat_map(BTreeMap::values_mut)
            .flatten()
        {
            // Bodies that were the same share their bytes, and go on sharing them.
            let body = done.entry(row.body.as_ptr()).or_insert_with(|| {
                match std::str::from_utf8(&row.body) {
                    Err(_) => row.body.clone(),
                    Ok(text) => rewritten(text, texts),
                }
            });
            row.body = body.clone();
        }
    }
}

fn rewritten(text: &str, texts: &[(String, String)]) -> Bytes {
    let mut text = text.to_owned();
    for (from, to) in texts {
        if text.contains(from.as_str()) {
            text = text.replace(from.as_str(), to);
        }
    }
    text.into_bytes().into()
}

impl Row {
    fn said(&self) -> Answer {
        match self.status {
            0 => Answer::None,
            status => Answer::Said {
                status,
                body: self.body.clone(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: &str = "/pd/api/v1/schedulers";
    const HEALTH: &str = "/pd/api/v1/health";

    fn book(rows: &[(i64, usize, &str, u16, &'static str)]) -> Book {
        let mut book = Book::default();
        for (at, member, path, status, body) in rows {
            let row = Row {
                at: Timestamp::from_unix_millis(*at),
                status: *status,
                body: Bytes::from_static(body.as_bytes()),
            };
            book.add(*member, path, row);
        }
        book
    }

    fn check(book: &Book, at: i64, member: usize, path: &str, expected: &str) {
        let told = match book.answer(member, path, Timestamp::from_unix_millis(at)) {
            Answer::None => "none".to_owned(),
            Answer::NotRecorded => "not recorded".to_owned(),
            Answer::Said { status, body } => {
                format!("{status} {}", String::from_utf8_lossy(&body))
            }
        };
        assert_eq!(told, expected, "{path} of {member} at {at}");
    }

    #[test]
    fn a_member_is_as_it_last_was_about_stores() {
        let book = book(&[
            (1000, 0, STORES, 200, "a"),
            (1100, 0, OTHER, 200, "b"),
            (3000, 0, STORES, 0, "refused"),
            (5000, 0, STORES, 503, "no leader"),
            (5050, 0, HEALTH, 200, "well"),
            (7000, 0, STORES, 200, "c"),
        ]);
        check(&book, 999, 0, STORES, "none");
        check(&book, 1000, 0, STORES, "200 a");
        check(&book, 1000, 0, OTHER, "not recorded");
        check(&book, 2999, 0, OTHER, "200 b");
        check(&book, 4000, 0, OTHER, "none");
        assert!(!book.is_up(0, Timestamp::from_unix_millis(4000)));
        check(&book, 6000, 0, OTHER, "503 no leader");
        check(&book, 6000, 0, HEALTH, "200 well");
        check(&book, 6000, 0, "/never", "503 no leader");
        check(&book, 8000, 0, STORES, "200 c");
        check(&book, 8000, 0, OTHER, "200 b");
        check(&book, 8000, 1, STORES, "none");
    }

    #[test]
    fn what_others_were_asked_instead_is_answered_as_they_did() {
        let book = book(&[
            (1000, 0, STORES, 200, "s0"),
            (1010, 1, STORES, 200, "s1"),
            (1020, 0, OTHER, 200, "first"),
            (3000, 0, STORES, 0, ""),
            (3010, 1, STORES, 200, "s1 later"),
            (3020, 1, OTHER, 200, "second"),
            (5000, 0, STORES, 200, "s0 again"),
            (5010, 1, STORES, 200, "s1 again"),
            (5020, 0, OTHER, 200, "third"),
        ]);
        check(&book, 2000, 1, STORES, "200 s1");
        check(&book, 2000, 1, OTHER, "200 first");
        check(&book, 4000, 1, OTHER, "200 second");
        check(&book, 6000, 0, OTHER, "200 third");
        check(&book, 6000, 1, OTHER, "200 third");
        // Every member was asked this, a moment apart.
        check(&book, 6000, 0, STORES, "200 s0 again");
    }

    #[test]
    fn addresses_are_rewritten_wherever_they_stand_and_shared_bodies_stay_shared() {
        let said = r#"{"members":[{"name":"pd-0","client_urls":["http://a:1"]}]}"#;
        let mut book = book(&[(0, 0, MEMBERS, 200, said), (1, 0, MEMBERS, 200, said)]);
        assert_eq!(
            book.client_urls(),
            [BTreeSet::from(["http://a:1".to_owned()])]
        );
        book.rewrite(&[("\"http://a:1\"".into(), "\"http://b:2\"".into())]);
        let expected = said.replace("a:1", "b:2");
        check(&book, 0, 0, MEMBERS, "none");
        let rows = &book.members[0][MEMBERS];
        assert!(rows.iter().all(|row| row.body == expected));
        assert_eq!(rows[0].body.as_ptr(), rows[1].body.as_ptr());
    }
}
