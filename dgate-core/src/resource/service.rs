//! `service`: a group of upstream endpoints.

mod balance;
mod health;
mod retry;
mod tls;
mod url;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use balance::{Balance, HashKey, HashOptions};
pub use health::{ActiveHealth, HealthCheck, PassiveHealth};
pub use retry::RetryOn;
pub use tls::UpstreamTls;
pub use url::UpstreamUrl;

use super::{default_namespace, is_default, named_resource};
use crate::units::{HumanDuration, Percent};

/// A group of upstream endpoints with its balancing, health and retry rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The name, unique in its namespace.
    pub name: String,
    /// The namespace it belongs to.
    #[serde(default = "default_namespace")]
    pub namespace: String,
    /// The endpoints. Schemes: `http`, `https`, `h2c` (HTTP/2 without TLS), `tcp`, `tls`.
    pub urls: Vec<UpstreamUrl>,
    /// How an endpoint is chosen.
    #[serde(default, skip_serializing_if = "is_default")]
    pub balance: Balance,
    /// How often a failed request may be tried again.
    #[serde(default = "Service::default_retries")]
    pub retries: u32,
    /// Which failures are tried again. Other than connect failures only for idempotent methods, or before a byte
    /// was sent.
    #[serde(default = "RetryOn::defaults", skip_serializing_if = "RetryOn::is_defaults")]
    pub retry_on: Vec<RetryOn>,
    /// Pause before the first retry; doubled for each further one, with jitter. 25 ms when absent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retry_timeout: Option<HumanDuration>,
    /// Retries may add at most this share to the requests of the last ten seconds.
    #[serde(default = "Service::default_retry_budget")]
    pub retry_budget: Percent,
    /// How long name resolution, connecting and the TLS handshake may take together.
    #[serde(default = "Service::default_connect_timeout")]
    pub connect_timeout: HumanDuration,
    /// How long an endpoint may take from the last byte sent to it until its response head is complete.
    #[serde(default = "Service::default_request_timeout")]
    pub request_timeout: HumanDuration,
    /// The longest silence between two pieces of a response body, or in an upgraded connection.
    #[serde(default = "Service::default_idle_timeout")]
    pub idle_timeout: HumanDuration,
    /// Active and passive health checks.
    #[serde(default, skip_serializing_if = "is_default")]
    pub health_check: HealthCheck,
    /// Most connections to one endpoint (HTTP/2: most concurrent requests); unlimited when absent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub max_connections: Option<u32>,
    /// Most requests that wait for a connection when `max_connections` is reached; further ones get 503.
    #[serde(default, skip_serializing_if = "is_default")]
    pub max_pending: Option<u32>,
    /// How `https` and `tls` endpoints are verified, and how this gateway proves itself to them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tls: UpstreamTls,
    /// Same as `tls.skip_verify`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tls_skip_verify: bool,
    /// Speak only HTTP/2 to `https` endpoints.
    #[serde(default, skip_serializing_if = "is_default")]
    pub http2_only: bool,
    /// Do not send `X-DGate-Namespace`, `X-DGate-Route` and `X-DGate-Service` upstream.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hide_dgate_headers: bool,
    /// Do not pass the client's query string on.
    #[serde(default, skip_serializing_if = "is_default")]
    pub disable_query_params: bool,
    /// Labels and conditions.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tags: Vec<String>,
}

named_resource!(Service);

impl Service {
    /// A service with the given endpoints and everything else at its default, in the namespace `default`.
    ///
    /// ```
    /// let service = dgate_core::resource::Service::new("api", ["http://10.0.0.7:8080"]);
    /// assert_eq!(service.retries, 2);
    /// ```
    pub fn new<U: Into<UpstreamUrl>>(name: impl Into<String>, urls: impl IntoIterator<Item = U>) -> Self {
        Self {
            name: name.into(),
            namespace: default_namespace(),
            urls: urls.into_iter().map(Into::into).collect(),
            balance: Balance::default(),
            retries: Self::default_retries(),
            retry_on: RetryOn::defaults(),
            retry_timeout: None,
            retry_budget: Self::default_retry_budget(),
            connect_timeout: Self::default_connect_timeout(),
            request_timeout: Self::default_request_timeout(),
            idle_timeout: Self::default_idle_timeout(),
            health_check: HealthCheck::default(),
            max_connections: None,
            max_pending: None,
            tls: UpstreamTls::default(),
            tls_skip_verify: false,
            http2_only: false,
            hide_dgate_headers: false,
            disable_query_params: false,
            tags: Vec::new(),
        }
    }

    const fn default_retries() -> u32 {
        2
    }

    const fn default_retry_budget() -> Percent {
        Percent::whole(20)
    }

    const fn default_connect_timeout() -> HumanDuration {
        HumanDuration::from_secs(1)
    }

    const fn default_request_timeout() -> HumanDuration {
        HumanDuration::from_secs(30)
    }

    const fn default_idle_timeout() -> HumanDuration {
        HumanDuration::from_secs(300)
    }
}
