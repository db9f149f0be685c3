//! Modules: the runner that a configuration wants, and what it is joined to.

use std::sync::Arc;

use dgate_modules::{ModuleRunner, ModuleSettings, Node};
use dgate_proxy::Gateway;

use crate::config::Config;

/// The runner that a configuration wants.
pub(crate) fn runner(config: &Config) -> Arc<ModuleRunner> {
    let written = &config.modules;
    let id = config.node_id.clone().unwrap_or_default();
    let settings = ModuleSettings::default().with(|settings| {
        settings.default_permissions.clone_from(&written.default_permissions);
        settings.node = Node::new(id).tagged(config.tags.clone());
        let pool = &mut settings.pool;
        pool.max_threads = written.pool.max_threads.unwrap_or(pool.max_threads);
        pool.idle_timeout = written.pool.idle_timeout.get();
        pool.max_calls = written.pool.max_calls;
        pool.mailbox = written.pool.mailbox;
    });
    Arc::new(ModuleRunner::new(settings))
}

/// Gives modules the gateway's client, documents and endpoints.
pub(crate) fn connect(runner: &ModuleRunner, gateway: &Gateway) {
    runner.connect_fetch(gateway.fetch_client());
    runner.connect_documents(gateway.documents());
    runner.connect_upstreams(gateway.upstreams());
}
