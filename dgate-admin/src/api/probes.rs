//! Whether the server is alive, wants requests, and how it stands.

use std::collections::BTreeMap;
use std::time::Instant;

use axum::body::Body;
use dgate_core::Kind;
use http::{Response, StatusCode};
use serde_json::json;

use super::answer::{Answer, json as json_response, respond};
use super::call::Call;
use super::endpoint::Reply;
use super::failure::Failure;
use super::model::{Session, Stats, UpstreamEndpoint, UpstreamService};
use super::state::State;

/// The format of `/metrics`.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// What there is, for people who look.
const INDEX: &str = "DGate\n\n/livez                the process is alive\n/readyz               it wants requests\n/healthz              the same, for people\n/metrics              metrics as text (Prometheus)\n/api/v1/openapi.json  what the Admin API can do\n";

fn status(state: &State) -> (bool, StatusCode) {
    let is_ready = state.context.server.is_ready();
    (is_ready, if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE })
}

/// `GET /`
pub(crate) async fn index(_: Call) -> Reply {
    Ok(respond(StatusCode::OK, TEXT, INDEX))
}

/// `GET /livez`
pub(crate) async fn livez(_: Call) -> Reply {
    Ok(respond(StatusCode::OK, TEXT, "ok\n"))
}

/// `GET /readyz`
pub(crate) async fn readyz(call: Call) -> Reply {
    let (is_ready, status) = status(&call.state);
    Ok(json_response(status, &json!({ "ready": is_ready })))
}

/// `GET /healthz`
pub(crate) async fn healthz(call: Call) -> Reply {
    let (is_ready, status) = status(&call.state);
    Ok(json_response(status, &json!({ "status": if is_ready { "ok" } else { "not ready" } })))
}

/// `GET /health`
pub(crate) async fn health(call: Call) -> Reply {
    let (is_ready, status) = status(&call.state);
    Ok(json_response(status, &json!({ "status": if is_ready { "healthy" } else { "not ready" } })))
}

/// `GET /metrics`
pub(crate) async fn metrics(call: Call) -> Reply {
    match call.state.context.server.metrics() {
        Some(text) => Ok(respond(StatusCode::OK, METRICS, text)),
        None => {
            Err(Failure::new(StatusCode::NOT_FOUND, "not_found", "metrics are disabled (disable_metrics)"))
        }
    }
}

/// `GET /api/v1/openapi.json`
pub(crate) async fn openapi(call: Call) -> Reply {
    let response: Response<Body> = respond(StatusCode::OK, "application/json", call.state.openapi.clone());
    Ok(response)
}

/// `GET /api/v1/session`
pub(crate) async fn session(call: Call) -> Reply {
    let session = Session {
        name: call.who.name.clone(),
        role: call.who.role.to_string(),
        namespaces: call.who.namespaces.as_ref().map(|all| all.iter().map(ToString::to_string).collect()),
    };
    Ok(Answer::new(session, call.state.live().revision).into_response())
}

/// `GET /api/v1/stats`
pub(crate) async fn stats(call: Call) -> Reply {
    let state = &call.state;
    let live = state.live();
    let server = state.context.server.info();
    let mut resources: BTreeMap<String, usize> = Kind::ALL
        .into_iter()
        .filter(|kind| *kind != Kind::Document)
        .map(|kind| (kind.plural().to_owned(), 0))
        .collect();
    for (_, _, tables) in live.resources.namespaces().filter(|(name, ..)| call.who.may_see(name)) {
        *resources.entry(Kind::Namespace.plural().to_owned()).or_default() += 1;
        for (kind, count) in tables.counts() {
            *resources.entry(kind.plural().to_owned()).or_default() += count;
        }
    }
    let uptime = jiff::Timestamp::now().duration_since(server.started_at);
    let stats = Stats {
        uptime_seconds: uptime.as_secs().unsigned_abs(),
        ready: state.context.server.is_ready(),
        revision: live.revision,
        generation: live.generation,
        generations_alive: state.context.applier.live().generations_alive(),
        resources,
        server,
    };
    Ok(Answer::new(stats, live.revision).into_response())
}

/// `GET /api/v1/upstreams`
pub(crate) async fn upstreams(call: Call) -> Reply {
    let live = call.state.live();
    let known = call.state.context.server.endpoints();
    let now = Instant::now();
    let mut services = Vec::new();
    for namespace in live.snapshot.namespaces().iter().filter(|namespace| call.who.may_see(&namespace.name)) {
        for service in namespace.services().iter() {
            let endpoints = service.urls.iter().map(|url| {
                let text = format!("{}{}", url.origin(), url.path);
                let used = known.iter().find(|endpoint| {
                    let id = &endpoint.id;
                    id.namespace == namespace.name && id.service == service.name && *id.url == *text
                });
                let given_weight = used.and_then(|endpoint| endpoint.given_weight());
                UpstreamEndpoint {
                    weight: given_weight.unwrap_or(url.weight),
                    given_weight,
                    priority: url.priority,
                    healthy: used.map(|endpoint| endpoint.health.is_available(now)),
                    said_healthy: used.and_then(|endpoint| endpoint.health.said()),
                    in_flight: used.map_or(0, |endpoint| endpoint.in_flight()),
                    url: text,
                }
            });
            services.push(UpstreamService {
                namespace: namespace.name.to_string(),
                service: service.name.to_string(),
                endpoints: endpoints.collect(),
            });
        }
    }
    services.sort_by(|a, b| (&a.namespace, &a.service).cmp(&(&b.namespace, &b.service)));
    Ok(Answer::list(services, None, live.revision).into_response())
}

/// `GET /api/v1/connections`
pub(crate) async fn connections(call: Call) -> Reply {
    let server = &call.state.context.server;
    let (http, upgraded) = server.client_connections();
    let shown = super::model::Connections { http, upgraded, upstreams: server.upstream_connections() };
    Ok(Answer::new(shown, call.state.live().revision).into_response())
}
