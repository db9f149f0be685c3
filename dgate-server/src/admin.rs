//! The admin listener: probes and metrics.

use std::net::SocketAddr;

use http::header::ALLOW;
use http::{HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use ipnet::IpNet;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;

use crate::readiness::Readiness;
use crate::small_http::{Answer, SmallResponse, json as json_response, respond, text};

/// What there is, for people who look.
const INDEX: &str = "DGate\n\n/livez    the process is alive\n/readyz   it wants requests\n/healthz  the same, for people\n/metrics  metrics as text (Prometheus)\n";

/// The format of `/metrics`.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers probes, and those who collect metrics.
#[derive(Debug)]
pub(crate) struct Admin {
    pub(crate) readiness: Readiness,
    /// Absent when metrics are disabled.
    pub(crate) metrics: Option<Metrics>,
    pub(crate) allow_list: Vec<IpNet>,
}

/// The collected metrics.
#[derive(Clone)]
pub(crate) struct Metrics(pub(crate) PrometheusHandle);

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Answer for Admin {
    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> SmallResponse {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are possible here\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        let is_ready = self.readiness.is_ready();
        let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        match request.uri().path() {
            "/livez" => text(StatusCode::OK, "ok\n"),
            "/readyz" => json_response(status, &json!({ "ready": is_ready })),
            "/healthz" => {
                let said = if is_ready { "ok" } else { "not ready" };
                json_response(status, &json!({ "status": said, "version": env!("CARGO_PKG_VERSION") }))
            }
            "/health" => {
                let said = if is_ready { "healthy" } else { "not ready" };
                json_response(status, &json!({ "status": said }))
            }
            _ if !self.allows(peer) => text(StatusCode::FORBIDDEN, "this address may not ask\n"),
            "/" => text(StatusCode::OK, INDEX),
            "/metrics" => match &self.metrics {
                Some(metrics) => respond(StatusCode::OK, METRICS, metrics.0.render()),
                None => text(StatusCode::NOT_FOUND, "metrics are disabled (disable_metrics)\n"),
            },
            _ => text(StatusCode::NOT_FOUND, format!("there is no such page\n\n{INDEX}")),
        }
    }
}

impl Admin {
    fn allows(&self, peer: SocketAddr) -> bool {
        let ip = peer.ip().to_canonical();
        self.allow_list.is_empty() || self.allow_list.iter().any(|network| network.contains(&ip))
    }
}
