//! The access log: one line a request, written by a thread of its own.

mod line;
mod redact;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use dgate_core::context::RequestRecord;
use dgate_core::metric_names;
use dgate_core::units::Percent;
use metrics::Counter;

use crate::metrics::Answered;
pub(crate) use line::RequestLine;

/// How many lines may wait for the writer.
const QUEUE: usize = 16 * 1_024;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessLogFormat {
    /// One JSON object a line.
    Json,
    /// The common log format with referer and user agent, as web servers write it.
    Common,
}

/// The access log. Writing to it never waits: lines that the writer cannot keep up with are counted and dropped.
/// Cheap to clone; all clones are one log.
#[derive(Debug, Clone)]
pub struct AccessLog(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    lines: SyncSender<Message>,
    dropped: Dropped,
    is_json: AtomicBool,
    /// The share of requests that is logged, as a threshold for random numbers.
    threshold: AtomicU64,
}

/// The threshold that no number is above.
const ALL: u64 = u64::MAX;

#[derive(Debug)]
enum Message {
    Line(String),
    /// Everything before this is to be written; the answer comes when it is.
    Flush(SyncSender<()>),
    /// Go on with another writer: the file was renamed.
    Reopen(Box<dyn Out>),
}

trait Out: Write + Send {}

impl<W: Write + Send> Out for W {}

impl std::fmt::Debug for dyn Out {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Out")
    }
}

/// Counts lines that nobody will read.
#[derive(Clone)]
struct Dropped(Counter);

impl std::fmt::Debug for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dropped")
    }
}

impl AccessLog {
    /// A log that writes lines of a format to `out`, from a thread of its own.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn new(out: impl Write + Send + 'static, format: AccessLogFormat) -> io::Result<Self> {
        let (lines, queue) = sync_channel(QUEUE);
        let dropped = Dropped(metrics::counter!(metric_names::LOG_DROPPED));
        std::thread::Builder::new().name("access-log".to_owned()).spawn({
            let dropped = dropped.clone();
            move || Writer { out: Box::new(out), text: String::new(), lines: 0, dropped }.run(&queue)
        })?;
        Ok(Self(Arc::new(Shared {
            lines,
            dropped,
            is_json: AtomicBool::new(format == AccessLogFormat::Json),
            threshold: AtomicU64::new(ALL),
        })))
    }

    /// The same, with only a share of the requests.
    #[must_use]
    pub fn sampled(self, share: Percent) -> Self {
        self.set_sample(share);
        self
    }

    /// Writes only a share of the requests from now on.
    pub fn set_sample(&self, share: Percent) {
        self.0.threshold.store(share.threshold().unwrap_or(ALL), Ordering::Relaxed);
    }

    /// Writes lines of another format from now on.
    pub fn set_format(&self, format: AccessLogFormat) {
        self.0.is_json.store(format == AccessLogFormat::Json, Ordering::Relaxed);
    }

    /// Goes on writing to `out`.
    pub fn reopen(&self, out: impl Write + Send + 'static) {
        let _ = self.0.lines.send(Message::Reopen(Box::new(out)));
    }

    /// Waits until everything is written that was logged before.
    pub fn flush(&self) {
        let (done, wait) = sync_channel(1);
        if self.0.lines.send(Message::Flush(done)).is_ok() {
            let _ = wait.recv();
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.0.threshold.load(Ordering::Relaxed) != 0
    }

    pub(crate) fn write(
        &self,
        line: &RequestLine,
        answered: &Answered<'_>,
        record: &RequestRecord,
        sent: u64,
    ) {
        let threshold = self.0.threshold.load(Ordering::Relaxed);
        if threshold != ALL && fastrand::u64(..) >= threshold {
            return;
        }
        let text = if self.0.is_json.load(Ordering::Relaxed) {
            line.json(answered, record, sent)
        } else {
            line.common(answered, record, sent)
        };
        if let Err(TrySendError::Full(_)) = self.0.lines.try_send(Message::Line(text)) {
            self.0.dropped.0.increment(1);
        }
    }
}

/// Writes lines, in a thread of its own.
struct Writer {
    out: Box<dyn Out>,
    text: String,
    /// How many lines the text is.
    lines: u64,
    dropped: Dropped,
}

impl Writer {
    fn run(mut self, queue: &Receiver<Message>) {
        while let Ok(first) = queue.recv() {
            // One write for all that is there.
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    Message::Line(line) => {
                        self.text.push_str(&line);
                        self.lines += 1;
                    }
                    Message::Flush(done) => {
                        self.write();
                        let _ = done.try_send(());
                    }
                    Message::Reopen(other) => {
                        self.write();
                        self.out = other;
                    }
                }
                next = if self.text.len() < 64 * 1_024 { queue.try_recv().ok() } else { None };
            }
            self.write();
        }
    }

    fn write(&mut self) {
        let written = self.out.write_all(self.text.as_bytes()).and_then(|()| self.out.flush());
        if written.is_err() {
            // A full disk: some of them may have got through, nobody knows which.
            self.dropped.0.increment(self.lines);
        }
        self.text.clear();
        self.lines = 0;
    }
}
