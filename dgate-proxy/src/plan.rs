//! What the data plane makes of a snapshot: routes and services with everything they need at hand.

mod balancers;
mod certificates;
mod hooks;
mod plane;
mod route;
mod service;

use std::sync::Arc;

use dgate_core::snapshot::{NamespaceSnapshot, RouteId, ServiceId};

pub(crate) use balancers::Balancers;
pub(crate) use certificates::{CertificateTable, certified_key};
pub(crate) use hooks::RouteHooks;
pub(crate) use plane::{ProxyPlane, Registries};
pub(crate) use route::RoutePlan;
pub(crate) use service::{EndpointPlan, HashOn, ServicePlan};

use crate::client::Client;
use crate::settings::ProxySettings;

/// What the data plane makes of a snapshot.
#[derive(Debug)]
pub(crate) struct ProxyPlan {
    pub(crate) settings: Arc<ProxySettings>,
    pub(crate) client: Arc<Client>,
    /// By the namespaces' numbers.
    namespaces: Vec<Option<Arc<NamespacePlan>>>,
    pub(crate) certificates: Arc<CertificateTable>,
}

/// One namespace.
#[derive(Debug)]
pub(crate) struct NamespacePlan {
    pub(crate) snapshot: Arc<NamespaceSnapshot>,
    /// By the routes' numbers.
    routes: Vec<Option<Arc<RoutePlan>>>,
    /// By the services' numbers.
    services: Vec<Option<Arc<ServicePlan>>>,
}

impl ProxyPlan {
    pub(crate) fn namespace(&self, id: u32) -> Option<&Arc<NamespacePlan>> {
        self.namespaces.get(id as usize)?.as_ref()
    }

    pub(crate) fn services(&self) -> impl Iterator<Item = &Arc<ServicePlan>> {
        self.namespaces.iter().flatten().flat_map(|namespace| namespace.services())
    }
}

impl NamespacePlan {
    pub(crate) fn route(&self, id: RouteId) -> Option<&Arc<RoutePlan>> {
        self.routes.get(id as usize)?.as_ref()
    }

    pub(crate) fn service(&self, id: ServiceId) -> Option<&Arc<ServicePlan>> {
        self.services.get(id as usize)?.as_ref()
    }

    pub(crate) fn services(&self) -> impl Iterator<Item = &Arc<ServicePlan>> {
        self.services.iter().flatten()
    }
}
