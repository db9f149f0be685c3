//! The access log: one line a request, written by a thread of its own.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use dgate_core::context::{RequestContext, RequestRecord};
use dgate_core::metric_names;
use dgate_core::units::Percent;
use http::header::{HOST, REFERER, USER_AGENT};
use http::{HeaderValue, Method, Request, Uri, Version};
use jiff::Timestamp;
use metrics::Counter;
use serde::Serialize;

use crate::metrics::Answered;

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
    dropped: CounterHandle,
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

struct CounterHandle(Counter);

impl std::fmt::Debug for CounterHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Counter")
    }
}

impl AccessLog {
    /// A log that writes lines of a format to `out`, from a thread of its own.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn new(out: impl Write + Send + 'static, format: AccessLogFormat) -> io::Result<Self> {
        let (lines, queue) = sync_channel(QUEUE);
        std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || write_lines(&queue, Box::new(out)))?;
        Ok(Self(Arc::new(Shared {
            lines,
            dropped: CounterHandle(metrics::counter!(metric_names::LOG_DROPPED)),
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

fn write_lines(queue: &Receiver<Message>, mut out: Box<dyn Out>) {
    while let Ok(first) = queue.recv() {
        // One write for all that is there.
        let mut text = String::new();
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Line(line) => text.push_str(&line),
                Message::Flush(done) => {
                    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
                    text.clear();
                    let _ = done.try_send(());
                }
                Message::Reopen(other) => {
                    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
                    text.clear();
                    out = other;
                }
            }
            next = if text.len() < 64 * 1_024 { queue.try_recv().ok() } else { None };
        }
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

/// What the log wants to know of a request, kept until it is over.
#[derive(Debug)]
pub(crate) struct RequestLine {
    method: Method,
    uri: Uri,
    version: Version,
    host: Option<HeaderValue>,
    user_agent: Option<HeaderValue>,
    referer: Option<HeaderValue>,
    traceparent: Option<HeaderValue>,
}

#[derive(Serialize)]
struct Json<'a> {
    ts: String,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    client: String,
    method: &'a str,
    host: &'a str,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<&'a str>,
    protocol: &'static str,
    status: u16,
    bytes: u64,
    namespace: &'a str,
    route: &'a str,
    service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'a str>,
    attempts: u32,
    variant: &'static str,
    duration_ms: f64,
    upstream_ms: f64,
    module_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    user_agent: &'a str,
}

impl RequestLine {
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        let header = |name| request.headers().get(name).cloned();
        let matched =
            request.extensions().get::<RequestContext>().and_then(|context| context.matched.as_ref());
        let uri = matched.map_or_else(|| request.uri().clone(), |matched| Uri::from(matched.path.clone()));
        Self {
            method: request.method().clone(),
            uri,
            version: request.version(),
            host: header(HOST),
            user_agent: header(USER_AGENT),
            referer: header(REFERER),
            traceparent: request.headers().get("traceparent").cloned(),
        }
    }

    /// What was sent in place of a request.
    pub(crate) fn unreadable() -> Self {
        Self {
            method: Method::from_bytes(b"-").unwrap_or_default(),
            uri: Uri::from_static("/"),
            version: Version::HTTP_11,
            host: None,
            user_agent: None,
            referer: None,
            traceparent: None,
        }
    }

    fn json(&self, answered: &Answered<'_>, record: &RequestRecord, sent: u64) -> String {
        let route = record.route();
        let millis = |duration: std::time::Duration| (duration.as_secs_f64() * 1e6).round() / 1e3;
        let trace = text(self.traceparent.as_ref()).split('-').nth(1).filter(|trace| !trace.is_empty());
        let line = Json {
            ts: Timestamp::now().to_string(),
            request_id: record.id.as_str(),
            trace_id: trace,
            client: record.client.ip.to_string(),
            method: self.method.as_str(),
            host: text(self.host.as_ref()),
            path: self.uri.path(),
            query: self.uri.query(),
            protocol: protocol(self.version),
            status: answered.status.as_u16(),
            bytes: sent,
            namespace: route.map_or("-", |names| &names.namespace),
            route: route.map_or("-", |names| &names.route),
            service: route.map_or("-", |names| &names.service),
            endpoint: record.endpoint().map(|endpoint| &**endpoint),
            attempts: record.attempts(),
            variant: "-",
            duration_ms: millis(answered.took),
            upstream_ms: millis(record.upstream_time()),
            module_ms: millis(record.module_time()),
            error: answered.error.map(dgate_core::ErrorKind::code),
            user_agent: text(self.user_agent.as_ref()),
        };
        let mut text = serde_json::to_string(&line).unwrap_or_default();
        text.push('\n');
        text
    }

    fn common(&self, answered: &Answered<'_>, record: &RequestRecord, sent: u64) -> String {
        let mut line = String::with_capacity(256);
        let time = jiff::fmt::strtime::format(
            "%d/%b/%Y:%H:%M:%S %z",
            &Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC),
        );
        let _ = writeln!(
            line,
            "{} - - [{}] \"{} {} {}\" {} {sent} \"{}\" \"{}\"",
            record.client.ip,
            time.unwrap_or_default(),
            self.method,
            self.uri,
            protocol(self.version),
            answered.status.as_u16(),
            quoted(self.referer.as_ref()),
            quoted(self.user_agent.as_ref()),
        );
        line
    }
}

fn text(value: Option<&HeaderValue>) -> &str {
    value.and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// A header's text between quotes: what would end them is taken out.
fn quoted(value: Option<&HeaderValue>) -> String {
    match text(value) {
        "" => "-".to_owned(),
        text => text.replace(['"', '\\'], "'"),
    }
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2",
        Version::HTTP_3 => "HTTP/3",
        _ => "HTTP/1.1",
    }
}
