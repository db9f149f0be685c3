//! Tags: every form, the naive evaluator, shares, time, and every kind of resource.

mod forms;
mod kinds;
mod naive;
mod shares;
mod time;

use std::sync::Arc;

use dgate_core::tags::{ActiveTags, Applies, CanaryKey, Conditions, RequestTags, ServerTags};
use jiff::Timestamp;

fn texts(tags: &[&str]) -> Vec<String> {
    tags.iter().map(|tag| (*tag).to_owned()).collect()
}

fn server(tags: &[&str]) -> ServerTags {
    let (server, problems) = ServerTags::parse(&texts(tags));
    assert!(problems.is_empty(), "{problems}");
    server
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn active(tags: &[&str], at: &str) -> Arc<ActiveTags> {
    Arc::new(server(tags).at(instant(at)))
}

fn applies(condition: &str, tags: &ActiveTags) -> Applies {
    let (conditions, problems) = Conditions::parse(&texts(&[condition]));
    assert!(problems.is_empty(), "{problems}");
    conditions.on(tags)
}

fn user(active: &Arc<ActiveTags>, user: &str) -> RequestTags {
    RequestTags::new(active.clone(), CanaryKey::of(user.as_bytes()), active.instant())
}
