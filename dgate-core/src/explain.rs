//! Why a request goes where it goes: every candidate, every condition, and why it won or lost.

mod conditions;
mod domains;
mod parts;
mod routes;

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{HeaderMap, Method};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use conditions::{CarriedTag, ConditionVerdict};

use crate::pattern::{normalize, normalize_host};
use crate::snapshot::{NamespaceSnapshot, Snapshot};
use crate::tags::{ActiveTags, CanaryKey, RequestTags, ServerTags};

/// A request that somebody asks about.
///
/// ```
/// use dgate_core::explain::{Question, explain};
/// use dgate_core::resource::Route;
/// use dgate_core::{apply::resource_set, compile, tags::ServerTags};
/// let mut beta = Route::new("beta", "/a");
/// beta.tags = vec!["#beta".into()];
/// let resources = resource_set([Route::new("stable", "/a").into(), beta.into()]);
/// let (snapshot, _) = compile(&resources, &ServerTags::default(), None).unwrap();
///
/// let explanation = explain(&snapshot, &Question::get("localhost", "/a"));
/// assert_eq!(explanation.route.as_deref(), Some("stable"));
/// assert_eq!(explanation.routes[0].resource, "route/default/beta");
/// assert_eq!(explanation.routes[0].conditions[0].why, "the server does not have `beta`");
/// ```
#[derive(Debug, Clone)]
pub struct Question {
    /// The method.
    pub method: Method,
    /// The host, with or without a port.
    pub host: String,
    /// The path.
    pub path: String,
    /// The query string, if there is one.
    pub query: Option<String>,
    /// The headers.
    pub headers: HeaderMap,
    /// The sticky key of the client: the value of the header or cookie, or its address. Without one, what is left to
    /// dice is said to be left out.
    pub key: Option<String>,
    /// Answers to be forced, as in `X-DGate-Canary`: `canary:v2`, `!canary:v2`.
    pub forced: Vec<String>,
}

impl Question {
    /// A `GET` request without headers and without a key.
    pub fn get(host: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            host: host.into(),
            path: path.into(),
            query: None,
            headers: HeaderMap::new(),
            key: None,
            forced: Vec::new(),
        }
    }
}

/// Why a request goes where it goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// The instant it is about.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// The host as it is matched.
    #[serde(default)]
    pub host: String,
    /// The path as it is matched.
    #[serde(default)]
    pub path: String,
    /// The tags of the server, and which of them the request carries.
    pub tags: Vec<CarriedTag>,
    /// The domains that the host may belong to, in the order in which they are tried.
    pub domains: Vec<Candidate>,
    /// The namespace it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The routes that match the path, in the order in which they are tried.
    pub routes: Vec<Candidate>,
    /// The route that takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// What the route's path captured.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub path_parameters: BTreeMap<String, String>,
    /// The path and query that the upstream would see, if no module changes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_path: Option<String>,
    /// What the domain captured.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub domain_parameters: BTreeMap<String, String>,
    /// The modules of the route, in their order.
    pub modules: Vec<Candidate>,
    /// The service of the route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Candidate>,
    /// The endpoints of the service.
    pub endpoints: Vec<Candidate>,
    /// What logs and metrics say of it, if canary tags decided on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// What becomes of it, in one sentence.
    pub outcome: String,
}

/// Something that may take part in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Candidate {
    /// What it is: `route/default/hello`, or the URL of an endpoint.
    pub resource: String,
    /// Its pattern that matches, if it has patterns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Whether it takes part.
    pub chosen: bool,
    /// Why, or why not.
    pub why: String,
    /// Its conditions on tags.
    pub conditions: Vec<ConditionVerdict>,
}

/// Says of a request why it goes where it goes, by what runs. For another instant, ask [`Snapshot::at`].
pub fn explain(snapshot: &Snapshot, question: &Question) -> Explanation {
    let mut asking = Asking::new(snapshot, question);
    let mut explanation = Explanation {
        at: snapshot.tags().instant(),
        host: asking.host.clone(),
        path: asking.path.clone(),
        tags: asking.tags(),
        domains: Vec::new(),
        namespace: None,
        routes: Vec::new(),
        route: None,
        path_parameters: BTreeMap::new(),
        upstream_path: None,
        domain_parameters: BTreeMap::new(),
        modules: Vec::new(),
        service: None,
        endpoints: Vec::new(),
        variant: None,
        outcome: String::new(),
    };
    asking.explain_domains(&mut explanation);
    explanation
}

/// A question, and what is known by now.
struct Asking<'a> {
    snapshot: &'a Snapshot,
    question: &'a Question,
    host: String,
    path: String,
    /// What the server carries, in the namespace once that is known.
    active: Arc<ActiveTags>,
    /// The same as it was written.
    written: ServerTags,
    request: RequestTags,
}

impl<'a> Asking<'a> {
    fn new(snapshot: &'a Snapshot, question: &'a Question) -> Self {
        let key = question.key.as_deref().unwrap_or_default();
        let request = snapshot.request_tags(CanaryKey::of(key.as_bytes()));
        let path = if question.path.starts_with('/') {
            question.path.clone()
        } else {
            format!("/{}", question.path)
        };
        let mut asking = Self {
            snapshot,
            question,
            host: normalize_host(&question.host).unwrap_or_default().into_owned(),
            path: normalize::path(&path).into_owned(),
            active: snapshot.tags().clone(),
            written: snapshot.server_tags().clone(),
            request,
        };
        asking.settle();
        asking
    }

    /// Goes on inside of a namespace.
    fn enter(&mut self, namespace: &NamespaceSnapshot) {
        self.active = self.snapshot.tags_in(namespace.id).clone();
        self.written = self.snapshot.server_tags_in(namespace.id).clone();
        self.request.enter(&self.active);
        self.settle();
    }

    /// Settles what is not drawn.
    fn settle(&mut self) {
        if self.question.key.is_none() {
            // Nobody knows what dice say: explain what most requests get.
            for (_, canary) in self.active.canaries() {
                self.request.force(&format!("!{}", canary.label()));
            }
        }
        for forced in &self.question.forced {
            self.request.force(forced);
        }
    }
}
