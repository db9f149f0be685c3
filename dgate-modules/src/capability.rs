//! What modules can be given, if they have the permission for it.

mod cache;

use std::sync::{Arc, OnceLock};

use dgate_core::capability::{Documents, Fetch, Upstreams};
use dgate_core::event::EventSink;

pub(crate) use cache::Cache;

use crate::limits::LimitSettings;

/// What identifies this server to modules.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Node {
    /// Its name.
    pub id: String,
    /// Its tags.
    pub tags: Vec<String>,
}

impl Node {
    /// A server of a name.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), tags: Vec::new() }
    }

    /// The same with tags.
    #[must_use]
    pub fn tagged(mut self, tags: Vec<String>) -> Self {
        self.tags = tags;
        self
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::json!({ "id": self.id, "tags": self.tags, "version": env!("CARGO_PKG_VERSION") })
    }
}

/// A line that a module wrote to its console.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsoleLine {
    /// How important it is: `debug`, `info`, `warn` or `error`.
    pub level: &'static str,
    /// Which module wrote it.
    pub module: String,
    /// In which hook.
    pub hook: &'static str,
    /// The request's identifier.
    pub request_id: String,
    /// What it wrote.
    pub text: String,
}

/// Takes what modules write to their consoles.
pub(crate) type Console = dyn Fn(ConsoleLine) + Send + Sync;

/// Takes what modules tried without a permission for it.
pub(crate) type Denials = dyn Fn(&str) + Send + Sync;

/// What the runtimes of a gateway share.
#[derive(Default)]
pub(crate) struct Capabilities {
    pub(crate) node: Node,
    pub(crate) limits: LimitSettings,
    pub(crate) fetch: OnceLock<Arc<dyn Fetch>>,
    pub(crate) documents: OnceLock<Arc<dyn Documents>>,
    pub(crate) upstreams: OnceLock<Arc<dyn Upstreams>>,
    pub(crate) events: OnceLock<Arc<dyn EventSink>>,
    /// Where console lines go besides the log.
    pub(crate) console: OnceLock<Arc<Console>>,
    /// Where it is told what modules tried without a permission for it.
    pub(crate) denials: OnceLock<Arc<Denials>>,
    pub(crate) cache: Cache,
}
