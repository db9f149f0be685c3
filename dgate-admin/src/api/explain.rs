//! What the gateway would do with a request, and why: found with the means that the proxy itself uses.

mod send;

use std::sync::Arc;

use dgate_core::explain::{Candidate, Explanation, Question, explain as ask};
use dgate_core::key::DEFAULT_NAMESPACE;
use dgate_core::resource::Service;
use dgate_core::snapshot::Snapshot;
use dgate_core::stored::{Revision, Stored, Tables};

use super::answer::Answer;
use super::call::Call;
use super::endpoint::Reply;
use super::failure::Failure;
use super::fixture::Fixture;
use super::model::{Explain, Explained, ExplainedDomain, ExplainedEndpoint, ExplainedRoute, RouteCandidate};
use super::tags::{instant, may_see};
use crate::auth::Role;

/// `POST /explain`
pub(crate) async fn explain(mut call: Call) -> Reply {
    let wish: Explain = call.read()?;
    if wish.send && call.who.role < Role::Editor {
        return Err(Failure::forbidden("to really send a request needs the role `editor`"));
    }
    if wish.send && wish.at.is_some() {
        return Err(Failure::bad_request("a request can only be sent now: leave out `at`, or `send`"));
    }
    let (explanation, revision, snapshot) = answer(&call, &wish)?;
    let mut explained = told(explanation, &snapshot);
    // What is sent may take long; the configuration of now need not live until then.
    drop(snapshot);
    if wish.send {
        explained.answer = Some(send::send(&call, &wish).await?);
    }
    Ok(Answer::new(explained, revision).into_response())
}

/// `POST /tags/explain`: the same, as it is found.
pub(crate) async fn explain_tags(mut call: Call) -> Reply {
    let wish: Explain = call.read()?;
    if wish.send {
        return Err(Failure::bad_request("nothing is sent from here: ask `/api/v1/explain`"));
    }
    let (explanation, revision, _) = answer(&call, &wish)?;
    Ok(Answer::new(explanation, revision).into_response())
}

/// What there is to say of a request to whoever asks, and by which configuration.
fn answer(call: &Call, wish: &Explain) -> Result<(Explanation, Revision, Arc<Snapshot>), Failure> {
    let Fixture { method, path, query, headers } = Fixture::read(&wish.method, &wish.path, &wish.headers)?;
    let (key, forced) = (wish.key.clone(), wish.forced.clone());
    let question = Question { method, host: wish.host.clone(), path, query, headers, key, forced };
    let live = call.state.live();
    let snapshot = match &wish.at {
        None => live.snapshot.clone(),
        Some(at) => Arc::new(live.snapshot.at(instant("at", at)?).map_err(Failure::invalid)?),
    };
    let mut explanation = ask(&snapshot, &question);
    if let Some(namespace) = &explanation.namespace
        && !call.who.may_see(namespace)
    {
        return Err(Failure::forbidden("the request belongs to a namespace that you may not see"));
    }
    explanation.domains.retain(|domain| may_see(&call.who, &domain.resource));
    Ok((explanation, live.revision, snapshot))
}

/// An explanation, with what whoever reads it wants to know first.
fn told(explanation: Explanation, snapshot: &Snapshot) -> Explained {
    let tables = explanation.namespace.as_ref().and_then(|name| snapshot.resources().tables(name));
    let candidates: Vec<_> =
        explanation.routes.iter().map(|candidate| route_candidate(candidate, tables)).collect();
    let refused = explanation.route.is_none().then(|| explanation.outcome.clone());
    Explained {
        at: explanation.at.to_string(),
        path: explanation.path.clone(),
        domain: domain(&explanation),
        route: route(&explanation, tables),
        candidates,
        refused,
        outcome: explanation.outcome,
        tags: explanation.tags,
        variant: explanation.variant,
        domains: explanation.domains,
        modules: explanation.modules,
        service: explanation.service,
        endpoints: explanation.endpoints,
        answer: None,
    }
}

fn domain(explanation: &Explanation) -> ExplainedDomain {
    let chosen = explanation.domains.iter().find(|domain| domain.chosen);
    let reason = match (chosen, &explanation.namespace) {
        (Some(chosen), _) => chosen.why.clone(),
        (None, Some(_)) => {
            format!("no domain claims the host, so it falls to the namespace `{DEFAULT_NAMESPACE}`")
        }
        (None, None) => explanation.outcome.clone(),
    };
    ExplainedDomain {
        host: explanation.host.clone(),
        domain: chosen.map(|domain| domain.resource.clone()),
        pattern: chosen.and_then(|domain| domain.pattern.clone()),
        parameters: explanation.domain_parameters.clone(),
        namespace: explanation.namespace.clone(),
        reason,
    }
}

fn route_candidate(candidate: &Candidate, tables: Option<&Tables>) -> RouteCandidate {
    let route = name(&candidate.resource);
    let stored = tables.and_then(|tables| tables.routes.get(route));
    RouteCandidate {
        route: route.to_owned(),
        pattern: candidate.pattern.clone().unwrap_or_default(),
        priority: stored.map_or(0, |stored| stored.spec.priority),
        wins: candidate.chosen,
        reason: candidate.why.clone(),
        conditions: candidate.conditions.clone(),
    }
}

fn route(explanation: &Explanation, tables: Option<&Tables>) -> Option<ExplainedRoute> {
    let route = explanation.route.clone()?;
    let chosen = explanation.routes.iter().find(|candidate| candidate.chosen);
    let modules = explanation.modules.iter().filter(|module| module.chosen);
    let service = explanation.service.as_ref().map(|service| name(&service.resource).to_owned());
    let stored = service.as_ref().and_then(|service| tables?.services.get(service));
    Some(ExplainedRoute {
        name: route,
        pattern: chosen.and_then(|candidate| candidate.pattern.clone()).unwrap_or_default(),
        parameters: explanation.path_parameters.clone(),
        modules: modules.map(|module| name(&module.resource).to_owned()).collect(),
        service,
        endpoints: stored.map(|stored| endpoints(stored, &explanation.endpoints)).unwrap_or_default(),
        upstream_path: explanation.upstream_path.clone().unwrap_or_default(),
    })
}

/// Those that apply; they are told in the order in which they are written.
fn endpoints(service: &Stored<Service>, told: &[Candidate]) -> Vec<ExplainedEndpoint> {
    let applies = service.spec.urls.iter().zip(told).filter(|(_, candidate)| candidate.chosen);
    applies
        .map(|(url, _)| ExplainedEndpoint {
            url: url.url.clone(),
            weight: url.weight,
            priority: url.priority,
        })
        .collect()
}

/// The name in `kind/namespace/name`.
fn name(resource: &str) -> &str {
    resource.rsplit('/').next().unwrap_or_default()
}
