//! Gets the data plane ready for a snapshot, beside the running one.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use dgate_core::apply::{Next, Prepare, Prepared};
use dgate_core::endpoint::EndpointRegistry;
use dgate_core::hook::HookRunner;
use dgate_core::snapshot::{CompiledUrl, NamespaceSnapshot};
use dgate_core::units::Percent;
use dgate_core::{BoxFuture, Problem, Problems};

use super::{CertificateTable, EndpointPlan, NamespacePlan, ProxyPlan, RouteHooks, RoutePlan, ServicePlan};
use crate::client::{Client, TransportKey, TransportRegistry};
use crate::health::HealthChecker;
use crate::metrics::RouteMetrics;
use crate::settings::ProxySettings;
use crate::upstream::RetryBudget;

/// Gets the data plane ready for snapshots.
pub(crate) struct ProxyPlane {
    /// What it starts with; later ones come with the snapshots.
    settings: Arc<ProxySettings>,
    runner: Option<Arc<dyn HookRunner>>,
    registries: Arc<Registries>,
    checker: Arc<HealthChecker>,
}

/// What survives changes, by identity.
#[derive(Debug)]
pub(crate) struct Registries {
    pub(crate) endpoints: EndpointRegistry,
    pub(crate) transports: TransportRegistry,
    budgets: Mutex<HashMap<(Arc<str>, Arc<str>), Weak<RetryBudget>>>,
    /// Endpoints of URLs that modules chose, with their connections.
    outside: Mutex<HashMap<TransportKey, Arc<EndpointPlan>>>,
}

/// Most endpoints outside of services that are remembered.
const MOST_OUTSIDE: usize = 1_024;

impl Registries {
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            endpoints: EndpointRegistry::default(),
            transports: TransportRegistry::new(workers),
            budgets: Mutex::default(),
            outside: Mutex::default(),
        }
    }

    /// The endpoint of a URL that is none of the service's own, under the service's rules.
    pub(crate) fn outside(
        &self,
        service: &ServicePlan,
        url: &CompiledUrl,
    ) -> Result<Arc<EndpointPlan>, (&'static str, String)> {
        let key = TransportKey::new(&service.namespace, &service.service, url, &service.client.settings);
        let mut outside = self.outside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = outside.get(&key).filter(|known| known.url.path == url.path) {
            return Ok(known.clone());
        }
        if outside.len() >= MOST_OUTSIDE {
            outside.clear();
        }
        let transport = self.transports.transport(&service.client, url, key.clone())?;
        let endpoint = self.endpoints.endpoint(&service.namespace, &service.service.name, url);
        let plan = Arc::new(EndpointPlan::new(endpoint, url.clone(), transport));
        outside.insert(key, plan.clone());
        Ok(plan)
    }

    pub(super) fn budget(
        &self,
        namespace: &Arc<str>,
        service: &Arc<str>,
        share: Percent,
    ) -> Arc<RetryBudget> {
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        budgets.retain(|_, budget| budget.strong_count() > 0);
        let key = (namespace.clone(), service.clone());
        let known = budgets.get(&key).and_then(Weak::upgrade).filter(|budget| budget.share() == share);
        known.unwrap_or_else(|| {
            let budget = Arc::new(RetryBudget::new(share));
            budgets.insert(key, Arc::downgrade(&budget));
            budget
        })
    }
}

impl ProxyPlane {
    pub(crate) fn new(
        settings: Arc<ProxySettings>,
        runner: Option<Arc<dyn HookRunner>>,
        registries: Arc<Registries>,
        checker: Arc<HealthChecker>,
    ) -> Self {
        Self { settings, runner, registries, checker }
    }

    async fn plan(&self, next: Next<'_>) -> Result<ProxyPlan, Problems> {
        let running = next.running.plan::<ProxyPlan>();
        let settings = next
            .settings
            .and_then(|settings| settings.get::<ProxySettings>())
            .or_else(|| running.map(|running| running.settings.clone()))
            .unwrap_or_else(|| self.settings.clone());
        let same_client = running.filter(|running| *running.client.settings == settings.client);
        let client = match same_client {
            Some(running) => running.client.clone(),
            None => Arc::new(
                Client::new(&settings.client)
                    .map_err(|error| Problem::error("/proxy/client_transport", error.to_string()))?,
            ),
        };
        let mut problems = Problems::new();
        let mut namespaces = Vec::with_capacity(next.snapshot.namespaces().entries().len());
        for namespace in next.snapshot.namespaces().entries() {
            let Some(namespace) = namespace else {
                namespaces.push(None);
                continue;
            };
            let known = running.and_then(|running| running.namespace(namespace.id));
            let known = known.filter(|known| known.snapshot.name == namespace.name);
            match known {
                Some(known) if Arc::ptr_eq(&known.snapshot, namespace) && same_client.is_some() => {
                    namespaces.push(Some(known.clone()));
                }
                known => {
                    let plan =
                        self.plan_namespace(namespace, known.map(|known| &**known), &client, &mut problems);
                    namespaces.push(Some(Arc::new(plan.await)));
                }
            }
        }
        let nothing = CertificateTable::default();
        let certificates = running.map_or(&nothing, |running| &running.certificates);
        let fallback = settings.fallback_certificate.as_ref();
        let certificates = CertificateTable::new(next.snapshot, fallback, certificates, &mut problems);
        let certificates = Arc::new(certificates);
        problems.or(ProxyPlan { settings, client, namespaces, certificates }).map(|(plan, _)| plan)
    }

    async fn plan_namespace(
        &self,
        namespace: &Arc<NamespaceSnapshot>,
        known: Option<&NamespacePlan>,
        client: &Arc<Client>,
        problems: &mut Problems,
    ) -> NamespacePlan {
        let mut services = Vec::with_capacity(namespace.services().entries().len());
        for service in namespace.services().entries() {
            let plan = service.as_ref().and_then(|service| {
                let known = known.and_then(|known| known.service(service.id));
                // Connections made as another client are not taken over.
                let is_same = |known: &&Arc<ServicePlan>| {
                    Arc::ptr_eq(&known.service, service) && Arc::ptr_eq(&known.client, client)
                };
                if let Some(known) = known.filter(is_same) {
                    return Some(known.clone());
                }
                // Those with TCP endpoints belong to another data plane.
                if service.urls.iter().any(|url| !url.scheme.is_http()) {
                    return None;
                }
                match ServicePlan::new(namespace, service, &self.registries, client) {
                    Ok(plan) => Some(Arc::new(plan)),
                    Err(found) => {
                        problems.extend(found);
                        None
                    }
                }
            });
            services.push(plan);
        }

        let modules_changed = known.is_none_or(|known| !known.snapshot.has_same_modules(namespace));
        let mut routes = Vec::with_capacity(namespace.routes().entries().len());
        for route in namespace.routes().entries() {
            let Some(route) = route else {
                routes.push(None);
                continue;
            };
            let known =
                known.and_then(|known| known.route(route.id)).filter(|known| known.route.name == route.name);
            let hooks_may_change = modules_changed && !route.spec.spec.modules.is_empty();
            match known {
                Some(known) if Arc::ptr_eq(&known.route, route) && !hooks_may_change => {
                    routes.push(Some(known.clone()));
                }
                known => {
                    let hooks_before = known.map(|known| &known.hooks);
                    let hooks =
                        RouteHooks::prepare(namespace, route, self.runner.as_ref(), hooks_before).await;
                    let hooks = hooks.unwrap_or_else(|found| {
                        problems.extend(found);
                        RouteHooks::default()
                    });
                    // The service is a label: another service means other series.
                    let same_labels =
                        |known: &&Arc<RoutePlan>| known.route.spec.spec.service == route.spec.spec.service;
                    let metrics: Arc<RouteMetrics> = known
                        .filter(same_labels)
                        .and_then(|known| known.names.handle.clone().downcast().ok())
                        .unwrap_or_default();
                    routes.push(Some(Arc::new(RoutePlan::new(namespace, route, hooks, metrics))));
                }
            }
        }
        if let Some(runner) = self.runner.as_ref().filter(|_| modules_changed && !problems.has_errors()) {
            let before = known.map(|known| &*known.snapshot);
            problems.extend(runner.check(namespace, before).await.err().unwrap_or_default());
        }
        NamespacePlan { snapshot: namespace.clone(), routes, services }
    }
}

impl Prepare for ProxyPlane {
    fn prepare<'a>(&'a self, next: Next<'a>) -> BoxFuture<'a, Result<Box<dyn Prepared>, Problems>> {
        Box::pin(async move {
            let plan = Arc::new(self.plan(next).await?);
            let prepared: Box<dyn Prepared> =
                Box::new(Ready { plan, registries: self.registries.clone(), checker: self.checker.clone() });
            Ok(prepared)
        })
    }
}

impl fmt::Debug for ProxyPlane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyPlane")
    }
}

/// A plan that waits for its publication.
struct Ready {
    plan: Arc<ProxyPlan>,
    registries: Arc<Registries>,
    checker: Arc<HealthChecker>,
}

impl Prepared for Ready {
    fn plan(&self) -> Arc<dyn Any + Send + Sync> {
        self.plan.clone()
    }

    fn published(self: Box<Self>) {
        self.plan.services().for_each(|service| {
            service.forget_checks();
            // Weights may have been given while the plan was made.
            service.balancers.adjust();
        });
        self.checker.check(self.plan.services());
        self.registries.endpoints.retire_unused();
    }
}
