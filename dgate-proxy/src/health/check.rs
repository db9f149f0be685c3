//! The active check of one endpoint.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use dgate_core::body::Body;
use dgate_core::endpoint::HealthChange;
use dgate_core::event::EventSink;
use dgate_core::resource::ActiveHealth;
use http::header::{CONTENT_TYPE, HOST, TE, USER_AGENT};
use http::{HeaderValue, Method, Request, Response, Uri};

use super::report;
use crate::client::Sending;
use crate::plan::{EndpointPlan, ServicePlan};

/// The largest answer to a check that is read.
const MOST: usize = 64 * 1_024;

/// The active check of one endpoint.
pub(super) struct Check {
    endpoint: Arc<EndpointPlan>,
    rules: ActiveHealth,
    statuses: Vec<(u16, u16)>,
    connect_timeout: Duration,
    events: Arc<dyn EventSink>,
}

impl Check {
    pub(super) fn new(
        service: &ServicePlan,
        endpoint: Arc<EndpointPlan>,
        rules: ActiveHealth,
        events: Arc<dyn EventSink>,
    ) -> Self {
        let statuses = rules.expected_statuses().unwrap_or_default();
        Self { endpoint, rules, statuses, connect_timeout: service.connect_timeout, events }
    }

    /// Checks again and again.
    pub(super) async fn run(self) {
        // Not all endpoints at the same instant.
        let interval = self.rules.interval.get();
        tokio::time::sleep(interval.mul_f64(fastrand::f64() * 0.2)).await;
        loop {
            let good = tokio::time::timeout(self.rules.timeout.get(), self.once()).await.unwrap_or(false);
            let health = &self.endpoint.endpoint.health;
            let change =
                health.checked(good, self.rules.healthy_after, self.rules.unhealthy_after, Instant::now());
            match change {
                HealthChange::None => {}
                HealthChange::Up => self.tell(true),
                HealthChange::Down => self.tell(false),
            }
            tokio::time::sleep(interval).await;
        }
    }

    fn tell(&self, up: bool) {
        let id = &self.endpoint.endpoint.id;
        let (namespace, service, endpoint) = (&*id.namespace, &*id.service, &*id.url);
        if up {
            tracing::info!(namespace, service, endpoint, "an endpoint passes its checks again");
        } else {
            tracing::warn!(namespace, service, endpoint, "an endpoint fails its checks");
        }
        report::changed(&self.endpoint.endpoint, up, &*self.events);
    }

    async fn once(&self) -> bool {
        if self.rules.tcp {
            return self.endpoint.transport.probe(self.connect_timeout).await.is_ok();
        }
        if let Some(service) = &self.rules.grpc {
            return self.grpc(service).await.is_some_and(|serving| serving);
        }
        let path = self.rules.path.as_deref().unwrap_or("/");
        match self.send(Method::GET, path, Body::empty(), None).await {
            Some(response) => {
                let status = response.status().as_u16();
                // Read to its end, so that the connection can be used again.
                let _ = response.into_body().collect_limited(MOST).await;
                self.statuses.iter().any(|(from, to)| (*from..=*to).contains(&status))
            }
            None => false,
        }
    }

    /// Asks `grpc.health.v1.Health/Check`.
    async fn grpc(&self, service: &str) -> Option<bool> {
        let message = health_check_request(service);
        let grpc = HeaderValue::from_static("application/grpc");
        let response =
            self.send(Method::POST, "/grpc.health.v1.Health/Check", Body::full(message), Some(grpc)).await?;
        let ok = |headers: &http::HeaderMap| headers.get("grpc-status").is_none_or(|status| status == "0");
        if !response.status().is_success() || !ok(response.headers()) {
            return Some(false);
        }
        let collected = response.into_body().collect_limited(MOST).await.ok()?;
        if !collected.trailers.as_ref().is_none_or(ok) {
            return Some(false);
        }
        // One message: a flag, its length, and field 1 with the value SERVING (1).
        Some(collected.bytes.get(5..) == Some(&[0x08, 0x01]))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Body,
        content_type: Option<HeaderValue>,
    ) -> Option<Response<Body>> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = format!("{}{path}", self.endpoint.url.path).parse::<Uri>().ok()?;
        let headers = request.headers_mut();
        headers.insert(HOST, self.endpoint.authority.clone());
        headers.insert(USER_AGENT, HeaderValue::from_static("dgate-health-check"));
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, content_type);
            headers.insert(TE, HeaderValue::from_static("trailers"));
        }
        let timeout = self.rules.timeout.get();
        let sending = Sending {
            request,
            wants_upgrade: false,
            is_check: true,
            connect_timeout: self.connect_timeout,
            request_timeout: timeout,
            idle_timeout: timeout,
            interim: None,
            in_flight: None,
            slot: None,
        };
        self.endpoint.transport.send(sending).await.ok()
    }
}

/// A length-prefixed `HealthCheckRequest { service }`.
fn health_check_request(service: &str) -> Bytes {
    let mut message = BytesMut::new();
    if !service.is_empty() {
        message.put_u8(0x0a);
        let mut length = service.len();
        while length >= 0x80 {
            message.put_u8(length as u8 | 0x80);
            length >>= 7;
        }
        message.put_u8(length as u8);
        message.put_slice(service.as_bytes());
    }
    let mut framed = BytesMut::with_capacity(5 + message.len());
    framed.put_u8(0);
    framed.put_u32(message.len() as u32);
    framed.put_slice(&message);
    framed.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_protobuf() {
        assert_eq!(&health_check_request("")[..], [0, 0, 0, 0, 0]);
        assert_eq!(&health_check_request("a.B")[..], [0, 0, 0, 0, 5, 0x0a, 3, b'a', b'.', b'B']);
    }
}
