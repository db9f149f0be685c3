//! What happens in the gateway, as it happens.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::IntoResponse;
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use dgate_core::event::{Event, Subscription};
use futures_util::stream::{self, Stream};
use serde_json::{Map, Value, json};

use super::call::Call;
use super::endpoint::Reply;

/// How many events a slow reader may be behind.
const BEHIND: usize = 1_024;
/// How often a word is said when nothing happens: proxies cut silent connections.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// `GET /events`
pub(crate) async fn follow(call: Call) -> Reply {
    let pattern = call.query.get("name").unwrap_or("*").to_owned();
    let events = call.state.context.events.subscribe(BEHIND);
    let events = Sse::new(stream(Follower { events, pattern, call }));
    Ok(events.keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

struct Follower {
    events: Subscription,
    /// Which names are wanted; a `*` at its end stands for anything.
    pattern: String,
    call: Call,
}

impl Follower {
    fn wants(&self, event: &Event) -> bool {
        let name = event.name();
        let fits = match self.pattern.strip_suffix('*') {
            Some(begin) => name.starts_with(begin),
            None => name == self.pattern,
        };
        fits && event.namespace().is_none_or(|namespace| self.call.who.may_see(namespace))
    }
}

fn stream(follower: Follower) -> impl Stream<Item = Result<Sent, Infallible>> + Send {
    stream::unfold(follower, |mut follower| async {
        loop {
            let dropped = follower.events.take_dropped();
            if dropped > 0 {
                let data = json!({ "events": dropped }).to_string();
                return Some((Ok(Sent::default().event("dropped").data(data)), follower));
            }
            let event = follower.events.next().await?;
            if follower.wants(&event) {
                let sent = Sent::default().event("event").data(Value::Object(shown(&event)).to_string());
                return Some((Ok(sent), follower));
            }
        }
    })
}

/// An event as it is shown. Resources are not, as there are secrets among them.
fn shown(event: &Event) -> Map<String, Value> {
    let mut shown = Map::new();
    shown.insert("name".to_owned(), event.name().into());
    if let Some(namespace) = event.namespace() {
        shown.insert("namespace".to_owned(), namespace.into());
    }
    let more = match event {
        Event::Resource { key, .. } => json!({ "kind": key.kind.as_str(), "resource": &*key.name }),
        Event::ConfigApplied { revision } => json!({ "revision": revision }),
        Event::Upstream { service, endpoint, .. } => {
            json!({ "service": &**service, "endpoint": &**endpoint })
        }
        Event::Custom(event) => json!({
            "id": event.id, "time": event.time.to_string(), "source": &*event.source,
            "depth": event.depth, "data": event.data,
        }),
        _ => Value::Null,
    };
    if let Value::Object(more) = more {
        shown.extend(more);
    }
    shown
}
