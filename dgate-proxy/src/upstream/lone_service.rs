//! A service without a gateway around it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use dgate_core::apply::resource_set;
use dgate_core::event::NoEvents;
use dgate_core::resource::{Namespace, Service};
use dgate_core::tags::ServerTags;
use dgate_core::{Problem, Problems, compile};
use tokio::runtime::Handle;

use crate::client::{Client, ClientSettings};
use crate::health::HealthChecker;
use crate::plan::{Registries, ServicePlan};

/// How often idle connections are looked at.
const MAINTENANCE: Duration = Duration::from_secs(5);

/// A service without a gateway around it: its endpoints with their connections, and their checks.
pub(super) struct LoneService {
    pub(super) plan: Arc<ServicePlan>,
    pub(super) registries: Arc<Registries>,
    /// Checks endpoints until it is dropped.
    _checker: HealthChecker,
}

impl LoneService {
    pub(super) fn new(service: Service) -> Result<Self, Problems> {
        let namespace = Namespace::new(&service.namespace);
        let key = dgate_core::resource::Resource::key(&service);
        let resources = resource_set([namespace.into(), service.into()]);
        let (snapshot, _) = compile(&resources, &ServerTags::default(), None)?;
        let found = snapshot
            .namespaces()
            .by_name(&key.namespace)
            .and_then(|namespace| Some((namespace, namespace.services().by_name(&key.name)?)));
        let Some((namespace, service)) = found else {
            return Err(Problem::error("/tags", "its tags keep the service off this server")
                .about(&key)
                .into());
        };
        if service.urls.iter().any(|url| !url.scheme.is_http()) {
            return Err(Problem::error("/urls", "the endpoints do not speak HTTP").about(&key).into());
        }
        let registries = Arc::new(Registries::new(0));
        let client = Client::new(&ClientSettings::default())
            .map_err(|error| Problem::error("/urls", error.to_string()).about(&key))?;
        let client = Arc::new(client);
        let plan = Arc::new(ServicePlan::new(namespace, service, &registries, &client)?);
        let checker = HealthChecker::new(Arc::new(NoEvents), Handle::current());
        checker.check([&plan]);
        tokio::spawn(maintain(Arc::downgrade(&registries)));
        Ok(Self { plan, registries, _checker: checker })
    }
}

impl std::fmt::Debug for LoneService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("LoneService").field(&self.plan.service.name).finish()
    }
}

/// Closes what has been idle for too long, until the service is gone.
async fn maintain(registries: Weak<Registries>) {
    loop {
        tokio::time::sleep(MAINTENANCE).await;
        let Some(registries) = registries.upgrade() else { return };
        registries.transports.maintain(None);
    }
}
