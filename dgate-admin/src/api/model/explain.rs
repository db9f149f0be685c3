//! What the gateway would do with a request, and why.

use std::collections::BTreeMap;

use dgate_core::explain::{Candidate, CarriedTag, ConditionVerdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A request that nobody has sent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Explain {
    /// The method.
    #[serde(default = "Explain::get")]
    pub method: String,
    /// The host it is for, with or without a port.
    #[serde(default = "Explain::localhost")]
    pub host: String,
    /// The path, with the query string if there is one.
    pub path: String,
    /// The headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The client's sticky key: the value of the header or cookie of `proxy.canary.sticky`, or its address.
    #[serde(default)]
    pub key: Option<String>,
    /// Answers to be forced, as in `X-DGate-Canary`: `canary:v2`, `!canary:v2`.
    #[serde(default)]
    pub forced: Vec<String>,
    /// The instant it comes at, as RFC 3339; now when absent.
    #[serde(default)]
    pub at: Option<String>,
    /// Really send it, and tell what the answer was. Needs the role `editor`; only for now, not for another instant.
    #[serde(default)]
    pub send: bool,
    /// The body to send.
    #[serde(default)]
    pub body: Option<String>,
}

impl Explain {
    fn get() -> String {
        "GET".to_owned()
    }

    fn localhost() -> String {
        "localhost".to_owned()
    }
}

/// What the gateway would do with a request, and why.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Explained {
    /// The instant it is about.
    pub at: String,
    /// The path as it is matched.
    pub path: String,
    /// What becomes of it, in one sentence.
    pub outcome: String,
    /// Which domain takes the host.
    pub domain: ExplainedDomain,
    /// The route that takes the request; absent when none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<ExplainedRoute>,
    /// Each route with a pattern that matches the path, in the order in which they are tried.
    pub candidates: Vec<RouteCandidate>,
    /// What the answer would be when no route takes the request: 404, or 405 with the methods that are possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The tags of the server, and which of them the request carries.
    pub tags: Vec<CarriedTag>,
    /// What logs and metrics say of it, if canary tags decided on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Each domain that the host may belong to, in the order in which they are tried.
    pub domains: Vec<Candidate>,
    /// The modules of the route, those included that do not apply.
    pub modules: Vec<Candidate>,
    /// The service of the route, whether it applies or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Candidate>,
    /// The endpoints of the service, those included that do not apply.
    pub endpoints: Vec<Candidate>,
    /// What the answer was; absent when nothing was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<SentAnswer>,
}

/// What came of a request that was really sent.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SentAnswer {
    /// The status.
    pub status: u16,
    /// The headers; those that come twice are joined with commas.
    pub headers: BTreeMap<String, String>,
    /// The body, as far as it is text and not too long.
    pub body: String,
    /// Whether the body was too long, or took too long, to be told in full.
    pub truncated: bool,
    /// How long it took until the answer began, in milliseconds.
    pub took_ms: f64,
}

/// Which domain takes a host.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ExplainedDomain {
    /// The host as it is matched.
    pub host: String,
    /// The domain; absent when the request falls to the default namespace, or to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The pattern that matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// What the pattern captured.
    pub parameters: BTreeMap<String, String>,
    /// The namespace; absent when there is none for this host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Why it is this one.
    pub reason: String,
}

/// The route that takes a request.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ExplainedRoute {
    /// Its name.
    pub name: String,
    /// The pattern that matched.
    pub pattern: String,
    /// What the pattern captured.
    pub parameters: BTreeMap<String, String>,
    /// The modules that run, in order.
    pub modules: Vec<String>,
    /// The service it leads to; absent when it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The endpoints of that service that apply.
    pub endpoints: Vec<ExplainedEndpoint>,
    /// The path and query the upstream would see, if no module changes them.
    pub upstream_path: String,
}

/// An endpoint that a request may go to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ExplainedEndpoint {
    /// Its URL.
    pub url: String,
    /// Its share of the requests.
    pub weight: u32,
    /// Endpoints of a higher priority are used first.
    pub priority: i32,
}

/// A route that could take a request.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RouteCandidate {
    /// Its name.
    pub route: String,
    /// The pattern that matches the path.
    pub pattern: String,
    /// Its priority.
    pub priority: i32,
    /// Whether it takes the request.
    pub wins: bool,
    /// Why it does or does not.
    pub reason: String,
    /// Its conditions on tags.
    pub conditions: Vec<ConditionVerdict>,
}
