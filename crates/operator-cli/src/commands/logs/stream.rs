//! One stream out of many logs: each is read by a thread of its own, and what they give is written by time.

use std::io::{self, ErrorKind, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use operator_tikv::log_parser::files::{FileError, Follower};

use super::inputs::Log;
use super::merging::{Batch, Merger, Sink};
use super::progress::Progress;
use super::reading::{self, Maker, Piece};
use crate::failure::{Failure, Outcome};

/// So many batches of a log may wait for the others.
const AHEAD: usize = 4;
/// Written at once.
const WRITE: usize = 64 << 10;
/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How often a followed log is looked at.
const POLL: Duration = Duration::from_millis(200);

/// What is to be done.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) reading: reading::Manner,
    pub(super) limit: Option<u64>,
    pub(super) progress: Progress,
}

/// How it ended.
#[derive(Debug)]
pub(super) struct Done<M> {
    /// The makers of those logs that were read to their end, or to where they could not be read any more.
    pub(super) makers: Vec<M>,
    /// What could not be read.
    pub(super) failed: Vec<FileError>,
    /// How many lines were written.
    pub(super) written: u64,
}

type Reader<M> = JoinHandle<(M, Result<Option<Follower>, FileError>)>;

/// Reads the logs and writes what is made of them.
pub(super) fn run<M: Maker>(
    logs: &[Log],
    mut task: Task,
    make: impl Fn(&Log) -> M,
) -> Outcome<Done<M>> {
    let bytes = Arc::new(AtomicU64::new(0));
    let (readers, receivers): (Vec<Reader<M>>, Vec<Receiver<Batch>>) = logs
        .iter()
        .map(|log| start(log, task.reading, make(log), Arc::clone(&bytes)))
        .unzip();
    let mut out = Out::default();
    let mut merger = Merger::new(logs.len(), task.limit);
    let written = merge(
        &mut merger,
        &receivers,
        &mut out,
        &mut task.progress,
        &bytes,
    );
    task.progress.clear();
    let written = written.and_then(|()| out.flush());
    drop(receivers);
    if gone(written)? || merger.is_done() {
        // Whoever still waits for standard input need not be waited for.
        let ended = readers.into_iter().filter(JoinHandle::is_finished);
        let (mut done, _) = collect(ended);
        done.written = merger.written();
        return Ok(done);
    }
    let (mut done, followers) = collect(readers.into_iter());
    done.written = merger.written();
    if task.reading.follows {
        follow(logs, followers, &mut done.makers, &mut merger, &mut out)?;
    }
    Ok(done)
}

fn start<M: Maker>(
    log: &Log,
    manner: reading::Manner,
    mut maker: M,
    done: Arc<AtomicU64>,
) -> (Reader<M>, Receiver<Batch>) {
    let (sender, receiver) = sync_channel(AHEAD);
    let log = log.clone();
    let reader = thread::spawn(move || {
        let read = reading::read(&log, manner, &mut maker, &done, |sink| send(sink, &sender));
        (maker, read)
    });
    (reader, receiver)
}

fn send(sink: &mut Sink, sender: &SyncSender<Batch>) -> ControlFlow<()> {
    let batch = sink.take();
    match batch.is_empty() || sender.send(batch).is_ok() {
        true => ControlFlow::Continue(()),
        // Nobody reads what is written any more.
        false => ControlFlow::Break(()),
    }
}

fn merge(
    merger: &mut Merger,
    receivers: &[Receiver<Batch>],
    out: &mut Out,
    progress: &mut Progress,
    bytes: &AtomicU64,
) -> io::Result<()> {
    while !merger.is_done() {
        merger.write(out)?;
        let Some(log) = merger.waits_for() else {
            return Ok(());
        };
        let Some(receiver) = receivers.get(log) else {
            return Ok(());
        };
        match receiver.try_recv() {
            Ok(batch) => {
                merger.add(log, batch);
                continue;
            }
            // What is known is not held back while somebody thinks, or waits.
            Err(_) => out.flush()?,
        }
        match receiver.recv_timeout(LOOK) {
            Ok(batch) => merger.add(log, batch),
            Err(RecvTimeoutError::Disconnected) => merger.end(log),
            Err(RecvTimeoutError::Timeout) => progress.look(bytes.load(Ordering::Relaxed)),
        }
        progress.look(bytes.load(Ordering::Relaxed));
    }
    Ok(())
}

/// Waits for those readers; gives what they made, what failed, and what follows each of them.
fn collect<M>(readers: impl Iterator<Item = Reader<M>>) -> (Done<M>, Vec<Option<Follower>>) {
    let mut done = Done {
        makers: Vec::new(),
        failed: Vec::new(),
        written: 0,
    };
    let mut followers = Vec::new();
    for reader in readers {
        match reader.join() {
            Ok((maker, read)) => {
                done.makers.push(maker);
                match read {
                    Ok(follower) => followers.push(follower),
                    Err(error) => {
                        followers.push(None);
                        done.failed.push(error);
                    }
                }
            }
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
    (done, followers)
}

/// Goes on with what is written from now on, until nobody reads it any more.
fn follow<M: Maker>(
    logs: &[Log],
    followers: Vec<Option<Follower>>,
    makers: &mut [M],
    merger: &mut Merger,
    out: &mut Out,
) -> Outcome<()> {
    let mut followed = Vec::new();
    for ((log, follower), maker) in logs.iter().zip(followers).zip(makers) {
        // What broke off before is not begun again, and standard input has ended.
        let (Some(follower), Some(path)) = (follower, log.files.last()) else {
            continue;
        };
        followed.push(Followed {
            follower,
            maker,
            path: Arc::from(path.as_path()),
            sink: Sink::default(),
            complained: None,
        });
    }
    let left = merger.left();
    let mut merger = Merger::new(followed.len(), Some(left));
    while !followed.is_empty() {
        for (at, log) in followed.iter_mut().enumerate() {
            merger.restart(at, log.poll());
        }
        let written = merger.write(out).and_then(|()| out.flush());
        if gone(written)? || merger.is_done() {
            return Ok(());
        }
        thread::sleep(POLL);
    }
    Ok(())
}

struct Followed<'a, M> {
    follower: Follower,
    maker: &'a mut M,
    path: Arc<Path>,
    sink: Sink,
    complained: Option<String>,
}

impl<M: Maker> Followed<'_, M> {
    fn poll(&mut self) -> Batch {
        let (maker, sink, path) = (&mut *self.maker, &mut self.sink, &self.path);
        let polled = self.follower.poll(|bytes| {
            let piece = Piece {
                bytes,
                path,
                offset: None,
                begins: false,
                cut: false,
            };
            maker.take(&piece, sink);
        });
        match polled {
            Ok(_) => self.complained = None,
            Err(error) => {
                let text = format!("{error}: {}", super::inputs::reason(&error.source));
                if self.complained.as_ref() != Some(&text) {
                    super::account::complain(&text);
                    self.complained = Some(text);
                }
            }
        }
        self.sink.take()
    }
}

/// Whether whoever read the answer has gone: then enough was written.
fn gone(written: io::Result<()>) -> Outcome<bool> {
    match written {
        Ok(()) => Ok(false),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(true),
        Err(error) => Err(Failure::local(format!(
            "cannot write to standard output: {}",
            super::inputs::reason(&error)
        ))),
    }
}

/// Standard output, written in large pieces. (Rust's own is written line by line.)
#[derive(Debug, Default)]
pub(super) struct Out(Vec<u8>);

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        if self.0.len() >= WRITE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        out.write_all(&self.0)?;
        self.0.clear();
        out.flush()
    }
}

/// Writes all of an answer.
pub(super) fn write(text: &[u8]) -> Outcome<()> {
    let mut out = Out::default();
    gone(out.write_all(text).and_then(|()| out.flush())).map(|_| ())
}
