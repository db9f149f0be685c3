//! The Admin API: reads and changes what a gateway does, over HTTP.
//!
//! [`AdminApi`] is a tower service. What it can do stands in one table, `table`, from which the router, the check of
//! roles and the OpenAPI document are made. A request becomes a `call::Call`, a handler makes a response or a
//! `failure::Failure` of it, and `guard` stands before all of them.

mod answer;
mod apart;
mod apply;
mod call;
mod changelog;
mod changes;
mod cluster;
mod endpoint;
mod etag;
mod events;
mod explain;
mod export;
pub(crate) mod failure;
mod feed;
mod fixture;
mod guard;
mod list;
mod logs;
pub mod model;
mod openapi;
pub(crate) mod origin;
mod probes;
mod query;
mod resource;
mod run;
mod server;
mod service;
mod state;
mod table;
mod tags;
mod watch;
mod written;

use std::sync::Arc;

use dgate_core::apply::Applier;
use dgate_core::event::EventBus;
use dgate_core::store::Store;

pub use feed::Feed;
pub use logs::LogTap;
pub use openapi::document as openapi;
pub use server::{GatewayServer, Listener, ModuleTrial, ServerInfo, UpstreamConnections};
pub use service::AdminApi;

use crate::Fingerprints;

/// What the Admin API works on.
#[derive(Clone)]
pub struct Context {
    /// Makes changes, and knows what is live.
    pub applier: Applier,
    /// Where documents and the history are kept.
    pub store: Arc<dyn Store>,
    /// Tells who watches that something has changed. It has to be among the event sinks of the pipeline.
    pub feed: Feed,
    /// What happens, for those who follow it. It has to be among the event sinks of the pipeline as well.
    pub events: EventBus,
    /// Where lines of the log come from, for those who follow it.
    pub logs: LogTap,
    /// What is shown in place of secrets.
    pub fingerprints: Fingerprints,
    /// The server around the gateway.
    pub server: Arc<dyn GatewayServer>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("applier", &self.applier).finish_non_exhaustive()
    }
}
