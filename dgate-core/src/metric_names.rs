//! The names of all metrics, in one place.

macro_rules! metrics {
    ($($constant:ident = $name:literal, $kind:ident, [$($label:literal),*], $help:literal;)*) => {
        $(#[doc = $help] pub const $constant: &str = $name;)*

        /// Every metric there is, for documentation and for describing them to an exporter.
        pub const ALL: &[Metric] = &[$(Metric {
            name: $name,
            kind: MetricKind::$kind,
            labels: &[$($label),*],
            help: $help,
        }),*];
    };
}

/// What a metric is.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// How it behaves.
    pub kind: MetricKind,
    /// Its labels, all of them bounded by the configuration.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
}

/// How a metric behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It counts values by size.
    Histogram,
}

metrics! {
    PROXY_REQUESTS = "dgate_proxy_requests_total", Counter,
        ["namespace", "route", "service", "method", "code", "variant"],
        "Requests answered by the proxy.";
    PROXY_REQUEST_DURATION = "dgate_proxy_request_duration_seconds", Histogram, ["namespace", "route", "variant"],
        "Time from a request's head until its answer was sent.";
    PROXY_UPSTREAM_DURATION = "dgate_proxy_upstream_duration_seconds", Histogram, ["namespace", "service"],
        "Time an upstream took until its response head, per attempt.";
    PROXY_MODULE_DURATION = "dgate_proxy_module_duration_seconds", Histogram, ["namespace", "route", "hook"],
        "Time the modules of a route took, per hook.";
    PROXY_OVERHEAD = "dgate_proxy_overhead_seconds", Histogram, [],
        "Time until the response head was ready, without upstream and modules.";
    PROXY_ERRORS = "dgate_proxy_errors_total", Counter, ["namespace", "route", "error_type", "variant"],
        "Requests the proxy answered itself because something failed.";
    PROXY_REQUESTS_IN_FLIGHT = "dgate_proxy_requests_in_flight", Gauge, [],
        "Requests being answered.";
    PROXY_CONNECTIONS = "dgate_proxy_connections", Gauge, ["listener"],
        "Open client connections.";
    PROXY_CONNECTIONS_TOTAL = "dgate_proxy_connections_total", Counter, ["listener"],
        "Client connections accepted.";
    PROXY_CONNECTION_ERRORS = "dgate_proxy_connection_errors_total", Counter, ["listener", "error_type"],
        "Client connections that ended before they carried a request, by reason.";
    PROXY_MIRRORED = "dgate_proxy_mirrored_total", Counter, ["namespace", "service", "outcome"],
        "Requests copied to a mirror, and copies that were dropped.";
    ADMIN_REQUESTS = "dgate_admin_requests_total", Counter, ["method", "code"],
        "Requests answered by the Admin API.";
    ADMIN_REQUEST_DURATION = "dgate_admin_request_duration_seconds", Histogram, [],
        "Time the Admin API took until its answer was ready.";
    ADMIN_ERRORS = "dgate_admin_errors_total", Counter, ["error_type"],
        "Requests that the Admin API refused or failed to answer.";
    ADMIN_ERROR_DURATION = "dgate_admin_error_duration_seconds", Histogram, [],
        "Time the Admin API took for answers that are errors.";
    MODULE_CALLS = "dgate_module_calls_total", Counter, ["namespace", "module", "hook"],
        "Calls of modules' hooks; `module` is the first of the route's.";
    MODULE_CALL_DURATION = "dgate_module_call_duration_seconds", Histogram, ["namespace", "module", "hook"],
        "Time calls of hooks took, waiting included.";
    MODULE_ERRORS = "dgate_module_errors_total", Counter, ["namespace", "module", "hook", "kind"],
        "Calls of hooks that failed.";
    MODULE_ERROR_DURATION = "dgate_module_error_duration_seconds", Histogram, ["namespace", "module", "hook", "kind"],
        "Time calls of hooks took that failed.";
    MODULE_LIMIT_HITS = "dgate_module_limit_hits_total", Counter, ["namespace", "kind"],
        "Calls of hooks that were ended, or refused something, because it would be too much; `watchdog`: threads that did not come back from one.";
    MODULE_DENIED = "dgate_module_denied_total", Counter, ["namespace", "module"],
        "Things modules tried without the permission for them.";
    MODULE_RUNTIMES = "dgate_module_runtimes", Gauge, ["state"],
        "Runtimes by what they do: `executing`, `waiting` for something, `idle`; as seen every 250 ms.";
    MODULE_RUNTIMES_CREATED = "dgate_module_runtimes_created_total", Counter, [],
        "Runtimes made.";
    MODULE_RUNTIMES_RETIRED = "dgate_module_runtimes_retired_total", Counter, ["reason"],
        "Runtimes given up, and why.";
    EVENT_DROPPED = "dgate_event_dropped_total", Counter, [],
        "Events that somebody who wanted to know of them did not get, because a queue was full.";
    UPSTREAM_HEALTHY = "dgate_upstream_healthy", Gauge, ["namespace", "service", "endpoint"],
        "Whether an endpoint gets requests (1) or not (0).";
    UPSTREAM_EJECTIONS = "dgate_upstream_ejections_total", Counter, ["namespace", "service", "endpoint"],
        "Times an endpoint was taken out of rotation for failing.";
    UPSTREAM_RETRIES = "dgate_upstream_retries_total", Counter, ["namespace", "service", "reason"],
        "Attempts after the first one, and retries that were not made because the budget was spent.";
    UPSTREAM_CONNECTIONS = "dgate_upstream_connections", Gauge, ["endpoint", "state"],
        "Connections to an endpoint.";
    CONFIG_REVISION = "dgate_config_revision", Gauge, [],
        "The revision of the configuration that is live.";
    CONFIG_APPLY_SECONDS = "dgate_config_apply_seconds", Histogram, ["phase"],
        "Time the phases of applying a change took.";
    CONFIG_LAST_RELOAD_SUCCESS = "dgate_config_last_reload_success", Gauge, [],
        "Whether the configuration file was good when it was last read (1) or not (0).";
    CONFIG_GENERATIONS_ALIVE = "dgate_config_generations_alive", Gauge, [],
        "Configurations still in use by somebody; 1 when nothing is changing.";
    STORE_REACHABLE = "dgate_store_reachable", Gauge, [],
        "Whether the store could be written when it was last tried (1) or not (0).";
    TLS_NOT_AFTER = "dgate_tls_certificate_not_after_seconds", Gauge, ["namespace", "domain"],
        "When a certificate expires, in seconds since 1970.";
    LOG_DROPPED = "dgate_access_log_dropped_total", Counter, [],
        "Lines of the access log dropped because the writer could not keep up.";
    BUILD_INFO = "dgate_build_info", Gauge, ["version"],
        "Always 1; the label says which version this is.";
}
