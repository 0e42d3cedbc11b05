//! What several logs give, as one stream by time.

use std::collections::VecDeque;
use std::io::{self, Write};

use operator_tikv::log_parser::Stamp;

/// What was made of some lines of one log, in their order.
#[derive(Debug, Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    /// The time that each sorts by, and where it ends.
    items: VecDeque<(Option<Stamp>, usize)>,
    /// Where the first of them begins.
    begin: usize,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    fn time(&self) -> Option<Stamp> {
        self.items.front().and_then(|(time, _)| *time)
    }

    /// Writes the first out and takes it off.
    fn write_first(&mut self, out: &mut impl Write) -> io::Result<()> {
        let Some((_, end)) = self.items.pop_front() else {
            return Ok(());
        };
        let begin = std::mem::replace(&mut self.begin, end);
        out.write_all(self.bytes.get(begin..end).unwrap_or_default())
    }
}

/// Where what is made of a log's lines is put. Within a log the order of its lines holds: one whose clock was set
/// back sorts by the latest time before it.
#[derive(Debug, Default)]
pub(super) struct Sink {
    batch: Batch,
    latest: Option<Stamp>,
}

impl Sink {
    /// Puts down what this writes, for a line of that time.
    pub(super) fn put(&mut self, time: Option<Stamp>, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.batch.bytes);
        self.latest = self.latest.max(time);
        self.batch
            .items
            .push_back((self.latest, self.batch.bytes.len()));
    }

    pub(super) fn take(&mut self) -> Batch {
        std::mem::take(&mut self.batch)
    }
}

/// Batches of several logs while they are put in order.
#[derive(Debug)]
pub(super) struct Merger {
    queues: Vec<Queue>,
    left: u64,
    written: u64,
}

#[derive(Debug, Default)]
struct Queue {
    batch: Batch,
    ended: bool,
}

impl Merger {
    /// Of so many logs, until so many lines are written.
    pub(super) fn new(logs: usize, limit: Option<u64>) -> Self {
        Self {
            queues: (0..logs).map(|_| Queue::default()).collect(),
            left: limit.unwrap_or(u64::MAX),
            written: 0,
        }
    }

    /// Which log must say more before the next line is known.
    pub(super) fn waits_for(&self) -> Option<usize> {
        self.queues
            .iter()
            .position(|queue| queue.batch.is_empty() && !queue.ended)
    }

    /// The next of that log.
    pub(super) fn add(&mut self, log: usize, batch: Batch) {
        if let Some(queue) = self.queues.get_mut(log) {
            queue.batch = batch;
        }
    }

    /// That log has ended.
    pub(super) fn end(&mut self, log: usize) {
        if let Some(queue) = self.queues.get_mut(log) {
            queue.ended = true;
        }
    }

    /// All that a log has given for now: it is not waited for.
    pub(super) fn restart(&mut self, log: usize, batch: Batch) {
        self.add(log, batch);
        self.end(log);
    }

    /// How many lines were written.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// How many lines may still be written.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Whether as much was written as was asked for.
    pub(super) fn is_done(&self) -> bool {
        self.left == 0
    }

    /// Writes what is known to come next; of lines of one moment that of the log that was named first.
    pub(super) fn write(&mut self, out: &mut impl Write) -> io::Result<()> {
        while self.waits_for().is_none() && self.left > 0 {
            let open = self
                .queues
                .iter_mut()
                .filter(|queue| !queue.batch.is_empty());
            let Some(next) = open.min_by_key(|queue| queue.batch.time()) else {
                return Ok(());
            };
            next.batch.write_first(out)?;
            self.left -= 1;
            self.written += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(sink: &mut Sink, items: &[(i64, &str)]) -> Batch {
        for (at, text) in items {
            let time = (*at >= 0).then(|| Stamp::utc(*at));
            sink.put(time, |bytes| bytes.extend(text.as_bytes()));
        }
        sink.take()
    }

    #[test]
    fn lines_of_several_logs_come_by_time_and_those_of_one_in_their_order() {
        let mut merger = Merger::new(2, None);
        let mut out = Vec::new();
        let (mut a, mut b) = (Sink::default(), Sink::default());
        merger.add(
            0,
            batch(
                &mut a,
                &[(1, "a1 "), (5, "a5 "), (2, "a2-late "), (-1, "a- ")],
            ),
        );
        merger.write(&mut out).expect("memory");
        assert_eq!(
            (merger.waits_for(), out.len()),
            (Some(1), 0),
            "nobody knows what b says"
        );
        merger.add(1, batch(&mut b, &[(1, "b1 "), (4, "b4 ")]));
        merger.write(&mut out).expect("memory");
        assert_eq!(merger.waits_for(), Some(1));
        merger.add(1, batch(&mut b, &[(6, "b6 ")]));
        merger.end(0);
        merger.write(&mut out).expect("memory");
        merger.end(1);
        merger.write(&mut out).expect("memory");
        assert_eq!(String::from_utf8_lossy(&out), "a1 b1 b4 a5 a2-late a- b6 ");
    }

    #[test]
    fn a_limit_ends_it() {
        let mut merger = Merger::new(1, Some(2));
        let mut out = Vec::new();
        merger.add(
            0,
            batch(&mut Sink::default(), &[(1, "1"), (2, "2"), (3, "3")]),
        );
        merger.write(&mut out).expect("memory");
        assert!(merger.is_done());
        assert_eq!(out, b"12");
    }
}
