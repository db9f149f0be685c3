//! Revisions as they go live, as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use dgate_core::store::Entry;
use dgate_core::stored::Revision;
use futures_util::stream::{self, Stream};
use tokio::sync::watch;

use super::apart::apart;
use super::call::Call;
use super::changelog::{is_worth_showing, summary};
use super::endpoint::Reply;
use super::failure::Failure;
use crate::auth::Identity;

/// How many revisions are read at a time.
const PAGE: usize = 20;
/// How often a word is said when nothing happens: proxies cut silent connections.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// `GET /watch`
pub(crate) async fn watch(call: Call) -> Reply {
    let header = call.parts.headers.get("last-event-id").map(|value| {
        let id = value.to_str().ok().and_then(|text| text.trim().parse::<Revision>().ok());
        id.ok_or_else(|| Failure::bad_request("`Last-Event-ID` is none that this server has given out"))
    });
    let since = match header.transpose()? {
        Some(id) => Some(id),
        None => call.query.parsed("since", "a revision")?,
    };
    let changed = call.state.context.feed.subscribe();
    let since = since.unwrap_or_else(|| call.state.live().revision);
    let watcher = Watcher { call: Arc::new(call), since, pending: Vec::new(), changed };
    let events = Sse::new(events(watcher)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok(events.into_response())
}

struct Watcher {
    call: Arc<Call>,
    /// The last revision that was told.
    since: Revision,
    /// What is to be told next, the next one last.
    pending: Vec<Event>,
    changed: watch::Receiver<Revision>,
}

fn events(watcher: Watcher) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    stream::unfold(watcher, |mut watcher| async {
        loop {
            if let Some(event) = watcher.pending.pop() {
                return Some((Ok(event), watcher));
            }
            watcher.changed.mark_unchanged();
            if !watcher.read().await {
                return None;
            }
            if watcher.pending.is_empty() && watcher.changed.changed().await.is_err() {
                return None;
            }
        }
    })
}

impl Watcher {
    /// Reads what has come after the last revision that was told. Says whether the stream goes on.
    async fn read(&mut self) -> bool {
        let live = self.call.state.live().revision;
        if live <= self.since {
            return true;
        }
        let Ok(entries) = self.call.state.context.store.history(self.since, PAGE).await else {
            return false;
        };
        // The history may have been cut off behind the watcher's back.
        if entries.first().is_some_and(|entry| entry.revision > self.since + 1) {
            let first = entries.first().map_or(0, |entry| entry.revision);
            self.pending.push(
                Event::default()
                    .event("reset")
                    .id((first - 1).to_string())
                    .data("{\"reason\":\"the changelog does not go back so far: list everything again\"}"),
            );
        }
        let entries: Vec<_> = entries.into_iter().filter(|entry| entry.revision <= live).collect();
        self.since = entries.last().map_or(self.since, |entry| entry.revision);
        let who = self.call.who.clone();
        let Ok(told) =
            apart(move || entries.iter().filter_map(|entry| event(&who, entry)).collect::<Vec<_>>()).await
        else {
            return false;
        };
        self.pending.extend(told);
        self.pending.reverse();
        true
    }
}

/// What is told of a revision; nothing when none of it may be seen.
fn event(who: &Identity, entry: &Entry) -> Option<Event> {
    let summary = summary(who, entry);
    let event = Event::default().event("change").id(entry.revision.to_string());
    is_worth_showing(&summary).then(|| event.json_data(&summary).ok())?
}
