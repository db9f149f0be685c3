//! Modules: the runner that a configuration wants, and what it is joined to.

use std::sync::Arc;

use dgate_core::event::EventSink;
use dgate_modules::{ModuleRunner, ModuleSettings, Node};
use dgate_proxy::Gateway;

use crate::config::{Config, RuntimeFlavor};
use crate::workers::Workers;

/// How far heavy modules stand back behind workers when nothing else is said.
const HEAVY_NICENESS: u8 = 10;

/// The runner that a configuration wants.
pub(crate) fn runner(config: &Config) -> Arc<ModuleRunner> {
    Arc::new(ModuleRunner::new(settings(config)))
}

/// How modules are run by a configuration.
pub(crate) fn settings(config: &Config) -> ModuleSettings {
    let written = &config.modules;
    let id = config.node_id.clone().unwrap_or_default();
    ModuleSettings::default().with(|settings| {
        settings.default_permissions.clone_from(&written.default_permissions);
        settings.direct_hooks = written.direct_hooks;
        settings.node = Node::new(id).tagged(config.tags.clone());
        let limits = &mut settings.limits;
        limits.cpu = written.limits.cpu.get();
        limits.timeout = written.limits.timeout.get();
        limits.body = written.limits.body.bytes();
        limits.max_cpu = written.limits.max_cpu.map(|most| most.get());
        limits.max_timeout = written.limits.max_timeout.map(|most| most.get());
        limits.max_body = written.limits.max_body.map(|most| most.bytes());
        limits.recursion = written.limits.recursion;
        limits.string = written.limits.string;
        limits.list = written.limits.list;
        limits.operations = written.limits.operations;
        limits.promises = written.limits.promises;
        let pool = &mut settings.pool;
        pool.max_threads = written.pool.max_threads.unwrap_or(pool.max_threads);
        pool.idle_timeout = written.pool.idle_timeout.get();
        pool.max_calls = written.pool.max_calls;
        pool.mailbox = written.pool.mailbox;
        pool.watchdog = written.pool.watchdog.get();
        // Without workers of their own, all modules run on the pool's threads.
        let usual = if config.runtime.flavor == RuntimeFlavor::PerCore { HEAVY_NICENESS } else { 0 };
        pool.niceness = written.pool.niceness.unwrap_or(usual);
    })
}

/// Makes workers get ready for modules before they are called.
pub(crate) async fn attach(runner: &Arc<ModuleRunner>, workers: &Workers) {
    for worker in workers.handles().iter().take(workers.numbered()) {
        let runner = runner.clone();
        // A worker ends with the server only.
        let _ = worker.spawn(async move { runner.attach() }).await;
    }
}

/// Gives modules the gateway's client, documents, endpoints and events.
pub(crate) fn connect(runner: &ModuleRunner, gateway: &Gateway, events: Arc<dyn EventSink>) {
    runner.connect_events(events);
    runner.connect_fetch(gateway.fetch_client());
    runner.connect_documents(gateway.documents());
    runner.connect_upstreams(gateway.upstreams());
}
