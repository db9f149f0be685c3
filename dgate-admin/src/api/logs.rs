//! What the server says about itself, as it says it.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{Receiver, Sender};

use super::call::Call;
use super::endpoint::Reply;
use super::failure::Failure;

/// How many lines a slow reader may be behind.
const BEHIND: usize = 1_024;
/// How often a word is said when nothing happens: proxies cut silent connections.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Levels, the most severe first.
const LEVELS: [&str; 5] = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];

/// Passes lines of the log on to whoever follows it. Whoever writes the log writes into it, one JSON object at a time.
/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct LogTap(Sender<Arc<str>>);

impl LogTap {
    /// Whether somebody follows the log: when nobody does, nothing needs to be written into it.
    pub fn is_followed(&self) -> bool {
        self.0.receiver_count() > 0
    }
}

impl Default for LogTap {
    fn default() -> Self {
        Self(Sender::new(BEHIND))
    }
}

impl io::Write for LogTap {
    /// Takes a whole line.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Ok(text) = std::str::from_utf8(line) {
            // Nobody may be there to hear it.
            let _ = self.0.send(text.trim_end().into());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Which lines are wanted.
struct Filter {
    /// How many levels, from the most severe one.
    levels: usize,
    target: Option<String>,
    text: Option<String>,
}

impl Filter {
    fn of(call: &Call) -> Result<Self, Failure> {
        let level = call.query.get("level").unwrap_or("trace");
        let levels = LEVELS.iter().position(|known| known.eq_ignore_ascii_case(level));
        let levels = levels.ok_or_else(|| {
            Failure::bad_request(format!("`level` must be error, warn, info, debug or trace, not `{level}`"))
        })?;
        let owned = |name| call.query.get(name).map(str::to_owned);
        Ok(Self { levels: levels + 1, target: owned("target"), text: owned("q") })
    }

    fn wants(&self, line: &str) -> bool {
        if self.text.as_deref().is_some_and(|text| !line.contains(text)) {
            return false;
        }
        let Ok(fields) = serde_json::from_str::<Value>(line) else { return false };
        let field = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
        LEVELS[..self.levels].contains(&field("level"))
            && self.target.as_deref().is_none_or(|target| field("target").starts_with(target))
    }
}

/// `GET /logs`
pub(crate) async fn follow(call: Call) -> Reply {
    if call.who.namespaces.is_some() {
        return Err(Failure::forbidden("the log tells of all namespaces"));
    }
    let filter = Filter::of(&call)?;
    let lines = call.state.context.logs.0.subscribe();
    let events = Sse::new(events(lines, filter)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok(events.into_response())
}

fn events(lines: Receiver<Arc<str>>, filter: Filter) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    stream::unfold((lines, filter), |(mut lines, filter)| async {
        loop {
            let event = match lines.recv().await {
                Ok(line) if filter.wants(&line) => Event::default().event("line").data(&*line),
                Ok(_) => continue,
                Err(RecvError::Lagged(count)) => {
                    Event::default().event("dropped").data(format!("{{\"lines\":{count}}}"))
                }
                Err(RecvError::Closed) => return None,
            };
            return Some((Ok(event), (lines, filter)));
        }
    })
}
