//! The data plane of a local gateway: hooks and nothing else.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use dgate_core::apply::{Next, Prepare, Prepared};
use dgate_core::hook::{HookChain, HookRunner as _};
use dgate_core::snapshot::{CompiledRoute, NamespaceSnapshot};
use dgate_core::{BoxFuture, Problems};

use crate::runner::ModuleRunner;

/// Chains of the routes that have modules, by the numbers of namespace and route.
pub(super) struct Chains(pub(super) HashMap<(u32, u32), Arc<dyn HookChain>>);

/// The data plane of a local gateway: hooks and nothing else.
pub(super) struct Plane(pub(super) ModuleRunner);

impl Plane {
    async fn chains(&self, next: Next<'_>) -> Result<Chains, Problems> {
        let running = next.running.plan::<Chains>();
        let mut chains = HashMap::new();
        let mut problems = Problems::new();
        for namespace in next.snapshot.namespaces().iter() {
            for route in namespace.routes().iter().filter(|route| has_modules(namespace, route)) {
                let previous = running.and_then(|running| running.0.get(&(namespace.id, route.id)));
                match self.0.prepare(namespace, route, &route.spec.spec.modules, previous).await {
                    Ok(chain) => drop(chains.insert((namespace.id, route.id), chain)),
                    Err(found) => problems.extend(found),
                }
            }
        }
        problems.or(Chains(chains)).map(|(chains, _)| chains)
    }
}

fn has_modules(namespace: &NamespaceSnapshot, route: &CompiledRoute) -> bool {
    route.spec.spec.modules.iter().any(|name| namespace.has_module(name))
}

impl Prepare for Plane {
    fn prepare<'a>(&'a self, next: Next<'a>) -> BoxFuture<'a, Result<Box<dyn Prepared>, Problems>> {
        Box::pin(async move {
            let ready: Box<dyn Prepared> = Box::new(Ready(Arc::new(self.chains(next).await?)));
            Ok(ready)
        })
    }
}

struct Ready(Arc<Chains>);

impl Prepared for Ready {
    fn plan(&self) -> Arc<dyn Any + Send + Sync> {
        self.0.clone()
    }
}
