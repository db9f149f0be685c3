//! When a request is tried again.

use std::sync::Arc;
use std::time::Duration;

use dgate_core::body::Body;
use dgate_core::error::Retry as Safety;
use dgate_core::resource::{RetryOn, Service};
use dgate_core::units::Percent;
use dgate_core::{ErrorKind, GatewayError};
use http::Response;

use super::RetryBudget;
use crate::metrics::count_retry;
use crate::plan::ServicePlan;

/// When a request is tried again. The default is what a [`Service`] does that says nothing about it.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryRules {
    /// How often, at most.
    pub retries: u32,
    /// After which failures.
    pub on: Vec<RetryOn>,
    /// The pause before the first retry; doubled for each further one, with jitter.
    pub pause: Duration,
    /// Retries may add at most this share to the requests of the last ten seconds.
    pub budget: Percent,
}

impl From<&Service> for RetryRules {
    fn from(service: &Service) -> Self {
        Self {
            retries: service.retries,
            on: service.retry_on.clone(),
            pause: service.retry_timeout.map_or(Duration::from_millis(25), |pause| pause.get()),
            budget: service.retry_budget,
        }
    }
}

impl Default for RetryRules {
    fn default() -> Self {
        Self::from(&Service::new("-", [""; 0]))
    }
}

impl RetryRules {
    /// Why a request may be tried again after this result; nothing when it must not be.
    pub(super) fn reason(
        &self,
        result: &Result<Response<Body>, GatewayError>,
        is_idempotent: bool,
        may_be_stale: bool,
    ) -> Option<&'static str> {
        match result {
            Ok(response) => {
                let status = response.status().as_u16();
                (is_idempotent && self.on.contains(&RetryOn::Status(status))).then_some("status")
            }
            Err(error) => {
                let is_safe = match error.retry() {
                    Safety::No => false,
                    Safety::Idempotent => is_idempotent,
                    Safety::Always => true,
                };
                if !is_safe {
                    return None;
                }
                if error.is_stale() && may_be_stale {
                    return Some("stale");
                }
                let (on, reason) = match error.kind() {
                    ErrorKind::UpstreamConnect | ErrorKind::UpstreamTls => (RetryOn::Connect, "connect"),
                    ErrorKind::UpstreamRefused => (RetryOn::Refused, "refused"),
                    ErrorKind::UpstreamReset => (RetryOn::Reset, "reset"),
                    ErrorKind::UpstreamTimeout => (RetryOn::Timeout, "timeout"),
                    _ => return None,
                };
                self.on.contains(&on).then_some(reason)
            }
        }
    }
}

/// The rules that hold for a request, and what is left of their budget.
#[derive(Debug, Clone)]
pub(super) enum Policy {
    /// Those of the service it goes to.
    Service(Arc<ServicePlan>),
    /// Those of the layer.
    Own(Arc<OwnPolicy>),
}

/// The rules of a layer that asks no service.
#[derive(Debug)]
pub(super) struct OwnPolicy {
    rules: RetryRules,
    budget: RetryBudget,
}

impl OwnPolicy {
    pub(super) fn new(rules: RetryRules) -> Self {
        let budget = RetryBudget::new(rules.budget);
        Self { rules, budget }
    }
}

impl Policy {
    pub(super) fn rules(&self) -> &RetryRules {
        match self {
            Self::Service(service) => &service.retry,
            Self::Own(own) => &own.rules,
        }
    }

    pub(super) fn budget(&self) -> &RetryBudget {
        match self {
            Self::Service(service) => &service.budget,
            Self::Own(own) => &own.budget,
        }
    }

    /// Counts a retry, or one that the budget forbade.
    pub(super) fn count(&self, reason: &'static str) {
        match self {
            Self::Service(service) => count_retry(&service.namespace, &service.service.name, reason),
            Self::Own(_) => count_retry("-", "-", reason),
        }
    }
}
