//! Asks endpoints how they are.

mod check;
pub(crate) mod report;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use dgate_core::endpoint::EndpointId;
use dgate_core::event::EventSink;
use dgate_core::resource::ActiveHealth;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::plan::{EndpointPlan, ServicePlan};
use check::Check;

/// Runs the active health checks of the plan that is live. A check whose endpoint and rules did not change goes on
/// undisturbed.
pub(crate) struct HealthChecker {
    events: Arc<dyn EventSink>,
    runtime: Handle,
    running: Mutex<HashMap<EndpointId, Running>>,
}

struct Running {
    rules: ActiveHealth,
    /// Connections are made as the transport makes them: another one means another check.
    transport: usize,
    task: AbortHandle,
}

impl HealthChecker {
    /// A checker whose tasks run on this runtime.
    pub(crate) fn new(events: Arc<dyn EventSink>, runtime: Handle) -> Self {
        Self { events, runtime, running: Mutex::default() }
    }

    /// Checks what these services want to be checked, and nothing else any more.
    pub(crate) fn check<'p>(&self, services: impl IntoIterator<Item = &'p Arc<ServicePlan>>) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wanted = HashMap::new();
        for service in services {
            let Some(rules) = &service.service.spec.spec.health_check.active else { continue };
            for endpoint in &service.endpoints {
                let id = endpoint.endpoint.id.clone();
                // A URL that is there twice is one endpoint.
                if wanted.contains_key(&id) {
                    continue;
                }
                let transport = Arc::as_ptr(&endpoint.transport) as usize;
                let same = |known: &Running| known.rules == *rules && known.transport == transport;
                let check = match running.remove(&id) {
                    Some(known) if same(&known) => known,
                    other => {
                        if let Some(other) = other {
                            other.task.abort();
                        }
                        self.start(service, endpoint, rules)
                    }
                };
                wanted.insert(id, check);
            }
        }
        for (_, gone) in std::mem::replace(&mut *running, wanted) {
            gone.task.abort();
        }
    }

    fn start(&self, service: &ServicePlan, endpoint: &Arc<EndpointPlan>, rules: &ActiveHealth) -> Running {
        let check = Check::new(service, endpoint.clone(), rules.clone(), self.events.clone());
        let task = self.runtime.spawn(check.run()).abort_handle();
        Running { rules: rules.clone(), transport: Arc::as_ptr(&endpoint.transport) as usize, task }
    }
}

impl Drop for HealthChecker {
    fn drop(&mut self) {
        let running = self.running.get_mut().unwrap_or_else(PoisonError::into_inner);
        running.values().for_each(|running| running.task.abort());
    }
}
