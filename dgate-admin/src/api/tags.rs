//! What tags do with time.

use dgate_core::timeline::{self, PlannedEdge};
use jiff::{Timestamp, ToSpan};

use super::answer::Answer;
use super::call::Call;
use super::endpoint::Reply;
use super::failure::Failure;
use crate::auth::Identity;

/// `GET /tags/plan`
pub(crate) async fn plan(call: Call) -> Reply {
    let live = call.state.live();
    let until = match call.query.get("until") {
        Some(until) => instant("until", until)?,
        // Most people want to know what comes next.
        None => live.snapshot.tags().instant().checked_add(24_i64.hours() * 366).unwrap_or(Timestamp::MAX),
    };
    let mut edges: Vec<PlannedEdge> = timeline::plan(&live.snapshot, until);
    for edge in &mut edges {
        edge.tags.retain(|tag| tag.namespace.as_ref().is_none_or(|namespace| call.who.may_see(namespace)));
        for list in [&mut edge.begins, &mut edge.begins_for_some, &mut edge.ends] {
            list.retain(|resource| may_see(&call.who, resource));
        }
    }
    edges.retain(|edge| !edge.tags.is_empty());
    Ok(Answer::list(edges, None, live.revision).into_response())
}

/// Whether a resource, as it is named in plans, is in a namespace that somebody may see.
pub(crate) fn may_see(who: &Identity, resource: &str) -> bool {
    resource.split(['/', ' ']).nth(1).is_some_and(|namespace| who.may_see(namespace))
}

/// An instant, as somebody wrote it.
pub(crate) fn instant(name: &str, text: &str) -> Result<Timestamp, Failure> {
    text.parse().map_err(|_| {
        Failure::bad_request(format!(
            "`{name}` is no instant: write it like `2030-01-31T08:00:00Z`, not `{text}`"
        ))
    })
}
