//! The eleven resource kinds.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a resource is. Together with a namespace and a name it is a resource's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A world of its own: names, routes and documents of one namespace are invisible to another.
    Namespace,
    /// Host patterns that lead to a namespace, and their certificate.
    Domain,
    /// A group of upstream endpoints with its balancing, health and retry rules.
    Service,
    /// Which requests go where, and through which modules.
    Route,
    /// TypeScript or JavaScript that runs in the request path.
    Module,
    /// A named set of documents, with an optional JSON Schema.
    Collection,
    /// One JSON value of a collection.
    Document,
    /// A value that modules may read and nobody may print.
    Secret,
    /// A module that runs on a schedule or on events.
    Job,
    /// A TCP address and what to do with its connections.
    Listener,
    /// A wire format for TCP connections.
    Protocol,
}

impl Kind {
    /// Every kind, in the order in which references point: what is referred to comes first.
    pub const ALL: [Self; 11] = [
        Self::Namespace,
        Self::Secret,
        Self::Module,
        Self::Collection,
        Self::Document,
        Self::Service,
        Self::Protocol,
        Self::Route,
        Self::Listener,
        Self::Job,
        Self::Domain,
    ];

    /// The name as it stands in URLs, keys and messages: `route`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Domain => "domain",
            Self::Service => "service",
            Self::Route => "route",
            Self::Module => "module",
            Self::Collection => "collection",
            Self::Document => "document",
            Self::Secret => "secret",
            Self::Job => "job",
            Self::Listener => "listener",
            Self::Protocol => "protocol",
        }
    }

    /// The name of a list of them, as it stands in configuration files: `routes`.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Namespace => "namespaces",
            Self::Domain => "domains",
            Self::Service => "services",
            Self::Route => "routes",
            Self::Module => "modules",
            Self::Collection => "collections",
            Self::Document => "documents",
            Self::Secret => "secrets",
            Self::Job => "jobs",
            Self::Listener => "listeners",
            Self::Protocol => "protocols",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no resource kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a resource kind")]
pub struct UnknownKind(String);

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text || kind.plural() == text)
            .ok_or_else(|| UnknownKind(text.to_owned()))
    }
}
