//! What is known about a request, from its first byte to its last.

mod client;
mod header_block;
mod record;
mod request_id;

use std::sync::Arc;

use http::uri::PathAndQuery;

pub use client::{ClientInfo, ConnectionInfo};
pub use header_block::HeaderBlock;
pub use record::{RequestRecord, RouteNames};
pub use request_id::RequestId;

use crate::pattern::PathPattern;
use crate::publish::Published;
use crate::snapshot::{Captures, CompiledRoute, NamespaceSnapshot};
use crate::tags::{CarriedTags, RequestTags};

/// The one extension of a request.
///
/// It pins what was live when the request came: the request sees one configuration from beginning to end. It dies
/// with the request; response bodies and upgraded connections must not hold on to it.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// What logs and metrics will say about the request.
    pub record: Arc<RequestRecord>,
    /// What was live when the request came.
    pub live: Arc<Published>,
    /// The connection it came on.
    pub connection: Arc<ConnectionInfo>,
    /// Where interim responses go, if the client can read them.
    pub interim: Option<Arc<dyn InterimSink>>,
    /// Where it goes, once that is known.
    pub matched: Option<Matched>,
    /// Which canary tags it carries; nothing on a server that has none.
    pub canaries: Option<Box<RequestTags>>,
}

impl RequestContext {
    /// The canary tags that it carries, of those that something has asked for: all that matter to its route, once that
    /// is known.
    pub fn carried(&self) -> u64 {
        self.canaries.as_ref().map_or(0, |canaries| canaries.carried())
    }

    /// All tags that the server carries for this request. They hold on to nothing else of the snapshot.
    pub fn tags(&self) -> CarriedTags {
        let snapshot = &self.live.snapshot;
        let active =
            self.matched.as_ref().map_or(snapshot.tags(), |matched| snapshot.tags_in(matched.namespace.id));
        CarriedTags::new(active.clone(), self.canaries.clone())
    }
}

/// Where a request goes.
#[derive(Debug, Clone)]
pub struct Matched {
    /// The namespace its host belongs to.
    pub namespace: Arc<NamespaceSnapshot>,
    /// What the domain's pattern captured.
    pub domain_parameters: Arc<[(Arc<str>, Arc<str>)]>,
    /// The route that takes it.
    pub route: Arc<CompiledRoute>,
    /// The path pattern that matched.
    pub pattern: Arc<PathPattern>,
    /// Where the pattern's parameters stand in the path.
    pub captures: Captures,
    /// The normalised path that was matched.
    pub path: PathAndQuery,
}

impl Matched {
    /// The raw value of a path parameter, still percent-encoded.
    ///
    /// Decode it with [`crate::pattern::normalize::decode`].
    pub fn path_parameter(&self, name: &str) -> Option<&str> {
        let index = self.pattern.parameters().iter().position(|known| **known == *name)?;
        self.path_value(index)
    }

    /// All path parameters with their raw values.
    pub fn path_parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        let names = self.pattern.parameters().iter().enumerate();
        names.filter_map(|(index, name)| Some((&**name, self.path_value(index)?)))
    }

    /// The value of a domain parameter.
    pub fn domain_parameter(&self, name: &str) -> Option<&str> {
        self.domain_parameters.iter().find(|(known, _)| **known == *name).map(|(_, value)| &**value)
    }

    fn path_value(&self, index: usize) -> Option<&str> {
        let (from, to) = *self.captures.get(index)?;
        self.path.path().get(usize::from(from)..usize::from(to))
    }
}

/// Takes interim responses (1xx) on their way to the client.
pub trait InterimSink: Send + Sync + std::fmt::Debug {
    /// Sends one. It goes out before anything else that is sent later.
    fn send(&self, status: http::StatusCode, headers: &http::HeaderMap);
}
