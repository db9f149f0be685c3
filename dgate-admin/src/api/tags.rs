//! What tags do: to a request, and with time.

use std::collections::BTreeMap;

use dgate_core::explain::{Explanation, Question};
use dgate_core::timeline::{self, PlannedEdge};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::{Timestamp, ToSpan};

use super::answer::Answer;
use super::call::Call;
use super::endpoint::Reply;
use super::failure::Failure;
use super::model::ExplainTags;
use crate::auth::Identity;

/// `POST /tags/explain`
pub(crate) async fn explain(mut call: Call) -> Reply {
    let wish: ExplainTags = call.read()?;
    let question = question(&wish)?;
    let live = call.state.live();
    let snapshot = match &wish.at {
        None => live.snapshot.clone(),
        Some(at) => std::sync::Arc::new(live.snapshot.at(instant("at", at)?).map_err(Failure::invalid)?),
    };
    let mut explanation: Explanation = dgate_core::explain::explain(&snapshot, &question);
    if let Some(namespace) = &explanation.namespace
        && !call.who.may_see(namespace)
    {
        return Err(Failure::forbidden("the request belongs to a namespace that you may not see"));
    }
    explanation.domains.retain(|domain| may_see(&call.who, &domain.resource));
    Ok(Answer::new(explanation, live.revision).into_response())
}

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
fn may_see(who: &Identity, resource: &str) -> bool {
    resource.split(['/', ' ']).nth(1).is_some_and(|namespace| who.may_see(namespace))
}

fn question(wish: &ExplainTags) -> Result<Question, Failure> {
    let method = wish.method.to_ascii_uppercase();
    let method = Method::from_bytes(method.as_bytes())
        .map_err(|_| Failure::bad_request(format!("`{}` is no method", wish.method)))?;
    let (path, query) = match wish.path.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (wish.path.as_str(), None),
    };
    if !path.starts_with('/') {
        return Err(Failure::bad_request(format!("`path` must start with `/`, not `{path}`")));
    }
    let (key, forced) = (wish.key.clone(), wish.forced.clone());
    let headers = headers(&wish.headers)?;
    Ok(Question { method, host: wish.host.clone(), path: path.to_owned(), query, headers, key, forced })
}

fn headers(written: &BTreeMap<String, String>) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for (name, value) in written {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => drop(headers.append(name, value)),
            _ => return Err(Failure::bad_request(format!("`{name}: {value}` is no header"))),
        }
    }
    Ok(headers)
}

fn instant(name: &str, text: &str) -> Result<Timestamp, Failure> {
    text.parse().map_err(|_| {
        Failure::bad_request(format!(
            "`{name}` is no instant: write it like `2030-01-31T08:00:00Z`, not `{text}`"
        ))
    })
}
