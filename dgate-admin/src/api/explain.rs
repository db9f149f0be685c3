//! What the gateway would do with a request, and why: found with the means that the proxy itself uses.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dgate_core::Body;
use dgate_core::key::DEFAULT_NAMESPACE;
use dgate_core::pattern::{normalize, normalize_host};
use dgate_core::snapshot::{
    CompiledRoute, NamespaceSnapshot, RouteLookup, RouteMatch, RouteService, Snapshot,
};
use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::answer::Answer;
use super::call::Call;
use super::endpoint::Reply;
use super::failure::Failure;
use super::model::{
    Candidate, Explain, Explained, ExplainedDomain, ExplainedEndpoint, ExplainedRoute, SentAnswer,
};
use crate::auth::Role;

/// How much of an answer's body is told.
const LARGEST_BODY: usize = 64 << 10;
/// How long an answer's body may take.
const LONGEST_BODY: Duration = Duration::from_secs(10);

/// A request that nobody has sent.
struct Imagined {
    method: Method,
    host: String,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
}

/// `POST /explain`
pub(crate) async fn explain(mut call: Call) -> Reply {
    let wish: Explain = call.read()?;
    let request = Imagined::read(&wish)?;
    if wish.send && call.who.role < Role::Editor {
        return Err(Failure::forbidden("to really send a request needs the role `editor`"));
    }
    let live = call.state.live();
    let (domain, namespace) = find_namespace(&live.snapshot, &request.host);
    if let Some(namespace) = &namespace
        && !call.who.may_see(&namespace.name)
    {
        return Err(Failure::forbidden("the request belongs to a namespace that you may not see"));
    }
    let mut explained = Explained {
        path: request.path.clone(),
        domain,
        route: None,
        candidates: Vec::new(),
        refused: None,
        answer: None,
    };
    match namespace {
        Some(namespace) => explain_routes(&namespace, &request, &mut explained),
        None => explained.refused = Some("404: no namespace takes this host".to_owned()),
    }
    let revision = live.revision;
    // What is sent may take long; the configuration of now need not live until then.
    drop(live);
    if wish.send {
        explained.answer = Some(send(&call, request, wish.body).await?);
    }
    Ok(Answer::new(explained, revision).into_response())
}

/// Sends the request through the gateway itself, and tells what the answer was.
async fn send(call: &Call, request: Imagined, body: Option<String>) -> Result<SentAnswer, Failure> {
    let Imagined { method, host, path, query, headers } = request;
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let mut sent = http::Request::builder().method(method).uri(format!("{path}{query}"));
    if let Some(all) = sent.headers_mut() {
        *all = headers;
        let host = HeaderValue::from_str(&host).map_err(|_| Failure::bad_request("`host` is no host"))?;
        all.entry(HOST).or_insert(host);
    }
    let sent = sent.body(body.map_or_else(Body::empty, Body::full));
    let sent = sent.map_err(|error| Failure::bad_request(format!("the request cannot be sent: {error}")))?;
    let began = Instant::now();
    let (parts, mut body) = call.state.context.server.send(sent).await.into_parts();
    let took_ms = began.elapsed().as_secs_f64() * 1e3;
    let (mut bytes, mut truncated) = (Vec::new(), false);
    let until = tokio::time::Instant::now() + LONGEST_BODY;
    // An endless stream is told as far as it has come.
    while !truncated {
        match tokio::time::timeout_at(until, body.frame()).await {
            Ok(Some(Ok(frame))) => bytes.extend(frame.into_data().iter().flatten()),
            Ok(Some(Err(_))) | Err(_) => truncated = true,
            Ok(None) => break,
        }
        truncated |= bytes.len() > LARGEST_BODY;
    }
    bytes.truncate(LARGEST_BODY);
    let mut shown: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let known = shown.entry(name.to_string()).or_default();
        *known = if known.is_empty() { value } else { format!("{known}, {value}") };
    }
    let body = String::from_utf8_lossy(&bytes).into_owned();
    Ok(SentAnswer { status: parts.status.as_u16(), headers: shown, body, truncated, took_ms })
}

impl Imagined {
    fn read(wish: &Explain) -> Result<Self, Failure> {
        let method = Method::from_bytes(wish.method.to_ascii_uppercase().as_bytes())
            .map_err(|_| Failure::bad_request(format!("`{}` is no method", wish.method)))?;
        let (path, query) = match wish.path.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (wish.path.as_str(), None),
        };
        if !path.starts_with('/') {
            return Err(Failure::bad_request(format!("`path` must start with `/`, not `{path}`")));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &wish.headers {
            match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
                (Ok(name), Ok(value)) => drop(headers.append(name, value)),
                _ => return Err(Failure::bad_request(format!("`{name}: {value}` is no header"))),
            }
        }
        let host = wish.host.clone();
        Ok(Self { method, host, path: normalize::path(path).into_owned(), query, headers })
    }
}

fn find_namespace(snapshot: &Snapshot, host: &str) -> (ExplainedDomain, Option<Arc<NamespaceSnapshot>>) {
    let normal = normalize_host(host).map(std::borrow::Cow::into_owned).unwrap_or_default();
    let mut explained = ExplainedDomain {
        host: normal.clone(),
        domain: None,
        pattern: None,
        parameters: BTreeMap::new(),
        namespace: None,
        reason: String::new(),
    };
    if let Some(found) = snapshot.domains().find(&normal) {
        let entry = found.entry;
        explained.domain = Some(format!("domain/{}/{}", entry.namespace, entry.domain));
        explained.pattern = Some(entry.pattern.as_str().to_owned());
        explained.parameters =
            found.parameters.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        explained.namespace = Some(entry.namespace.to_string());
        "its pattern is the best one that matches the host".clone_into(&mut explained.reason);
        let namespace = snapshot.namespaces().get(entry.namespace_id).cloned();
        return (explained, namespace);
    }
    let fallback = snapshot.fallback().and_then(|number| snapshot.namespaces().get(number)).cloned();
    explained.namespace = fallback.as_ref().map(|namespace| namespace.name.to_string());
    explained.reason = match &fallback {
        Some(_) => format!("no domain claims the host, so it falls to the namespace `{DEFAULT_NAMESPACE}`"),
        None => format!(
            "no domain claims the host, and there is no namespace `{DEFAULT_NAMESPACE}` without domains to fall back to"
        ),
    };
    (explained, fallback)
}

fn explain_routes(namespace: &NamespaceSnapshot, request: &Imagined, explained: &mut Explained) {
    let Imagined { method, path, query, headers, .. } = request;
    let winner = match namespace.find_route(method, path, headers, query.as_deref()) {
        RouteLookup::Found(found) => Some(found),
        RouteLookup::MethodNotAllowed(allowed) => {
            let allowed: Vec<_> = allowed.iter().map(Method::as_str).collect();
            explained.refused = Some(format!("405: the path takes {}", allowed.join(", ")));
            None
        }
        RouteLookup::NotFound => {
            explained.refused = Some("404: no route takes this request".to_owned());
            None
        }
    };
    for candidate in namespace.candidates(path) {
        let wins = winner.as_ref().is_some_and(|winner| {
            winner.route.id == candidate.route.id && winner.pattern.as_str() == candidate.pattern.as_str()
        });
        explained.candidates.push(Candidate {
            route: candidate.route.name.to_string(),
            pattern: candidate.pattern.as_str().to_owned(),
            priority: candidate.route.spec.spec.priority,
            wins,
            reason: reason(&candidate.route, request, wins),
        });
    }
    explained.route = winner.map(|winner| explain_route(namespace, &winner, request));
}

fn reason(route: &CompiledRoute, request: &Imagined, wins: bool) -> String {
    if wins {
        return "the first one whose path, method and conditions all fit".to_owned();
    }
    if !route.methods.answers(&request.method) {
        let allowed: Vec<_> = route.methods.allowed().map(|method| method.to_string()).collect();
        return format!("it takes {}, not {}", allowed.join(", "), request.method);
    }
    match route.conditions.first_that_fails(&request.headers, request.query.as_deref()) {
        Some(what) => format!("its condition on {what} does not hold"),
        None => "it fits, but another one is tried before it".to_owned(),
    }
}

fn explain_route(namespace: &NamespaceSnapshot, found: &RouteMatch, request: &Imagined) -> ExplainedRoute {
    let spec = &found.route.spec.spec;
    let captured = found.pattern.captures(&request.path).unwrap_or_default();
    let service = match &found.route.service {
        Some(RouteService::Active(number)) => namespace.services().get(*number),
        _ => None,
    };
    let endpoints = service.iter().flat_map(|service| &service.urls).map(|url| ExplainedEndpoint {
        url: format!("{}{}", url.origin(), url.path),
        weight: url.weight,
        priority: url.priority,
    });
    let stripped = if spec.strip_path { found.pattern.strip_length(&request.path) } else { 0 };
    let rest = request.path.get(stripped..).unwrap_or_default();
    let slash = if rest.starts_with('/') { "" } else { "/" };
    let query = request.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    ExplainedRoute {
        name: found.route.name.to_string(),
        pattern: found.pattern.as_str().to_owned(),
        parameters: captured.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        modules: spec.modules.clone(),
        service: spec.service.clone(),
        endpoints: endpoints.collect(),
        upstream_path: format!("{slash}{rest}{query}"),
    }
}
