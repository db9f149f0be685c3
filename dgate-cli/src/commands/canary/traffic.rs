//! What metrics say of a route: requests, errors, latency.

use std::collections::BTreeMap;
use std::time::Duration;

use dgate_core::metric_names::{PROXY_REQUEST_DURATION, PROXY_REQUESTS};

/// What one route has answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Traffic {
    pub(super) requests: f64,
    /// Those of them that were answered with 5xx.
    pub(super) errors: f64,
    /// How many of them were timed, and how long they took together.
    timed: f64,
    seconds: f64,
    /// How many took at most so many microseconds.
    buckets: BTreeMap<u64, f64>,
}

impl Traffic {
    /// Reads what Prometheus metrics say of a route.
    pub(super) fn of(metrics: &str, namespace: &str, route: &str) -> Self {
        let mut traffic = Self::default();
        let (namespace, route) = (format!("namespace=\"{namespace}\""), format!("route=\"{route}\""));
        for (name, labels, value) in metrics.lines().filter_map(series) {
            let has = |label: &str| labels.split(',').any(|known| known == label);
            if !has(&namespace) || !has(&route) {
                continue;
            }
            match name.strip_prefix(PROXY_REQUEST_DURATION) {
                Some("_sum") => traffic.seconds += value,
                Some("_count") => traffic.timed += value,
                Some("_bucket") => {
                    let bound = label(labels, "le").and_then(|bound| bound.parse::<f64>().ok());
                    if let Some(bound) = bound.filter(|bound| bound.is_finite()) {
                        *traffic.buckets.entry((bound * 1e6) as u64).or_default() += value;
                    }
                }
                _ if name == PROXY_REQUESTS => {
                    traffic.requests += value;
                    if label(labels, "code").is_some_and(|code| code.starts_with('5')) {
                        traffic.errors += value;
                    }
                }
                _ => {}
            }
        }
        traffic
    }

    /// What has come since an earlier reading. A server that was restarted begins anew.
    pub(super) fn since(&self, before: &Self) -> Self {
        if self.requests < before.requests {
            return self.clone();
        }
        let less = |bound: &u64, count: &f64| count - before.buckets.get(bound).unwrap_or(&0.0);
        Self {
            requests: self.requests - before.requests,
            errors: self.errors - before.errors,
            timed: self.timed - before.timed,
            seconds: self.seconds - before.seconds,
            buckets: self.buckets.iter().map(|(bound, count)| (*bound, less(bound, count))).collect(),
        }
    }

    /// The share of errors, from 0 to 1; nothing without requests.
    pub(super) fn error_share(&self) -> Option<f64> {
        (self.requests > 0.0).then(|| self.errors / self.requests)
    }

    /// How long an answer took on average.
    pub(super) fn mean(&self) -> Option<Duration> {
        (self.timed > 0.0).then(|| Duration::from_secs_f64((self.seconds / self.timed).max(0.0)))
    }

    /// How long all but so large a share of the answers took at most, as far as the buckets tell.
    pub(super) fn quantile(&self, share: f64) -> Option<Duration> {
        let wanted = self.timed * share;
        let found = self.buckets.iter().find(|(_, count)| **count >= wanted && self.timed > 0.0);
        found.map(|(micros, _)| Duration::from_micros(*micros))
    }
}

/// A line of the text format: name, labels, value.
fn series(line: &str) -> Option<(&str, &str, f64)> {
    let (name, rest) = line.split_once('{')?;
    let (labels, value) = rest.rsplit_once("} ")?;
    Some((name, labels, value.trim().parse().ok()?))
}

fn label<'l>(labels: &'l str, name: &str) -> Option<&'l str> {
    let value = |label: &'l str| label.strip_prefix(name)?.strip_prefix("=\"")?.strip_suffix('"');
    labels.split(',').find_map(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = r#"# TYPE dgate_proxy_requests_total counter
dgate_proxy_requests_total{namespace="shop",route="api",service="s",method="GET",code="200",variant="-"} 90
dgate_proxy_requests_total{namespace="shop",route="api",service="s",method="GET",code="502",variant="-"} 10
dgate_proxy_requests_total{namespace="shop",route="api-canary",service="t",method="GET",code="200",variant="canary:api"} 7
dgate_proxy_requests_total{namespace="other",route="api",service="s",method="GET",code="200",variant="-"} 5
dgate_proxy_request_duration_seconds_bucket{namespace="shop",route="api",variant="-",le="0.005"} 50
dgate_proxy_request_duration_seconds_bucket{namespace="shop",route="api",variant="-",le="0.05"} 99
dgate_proxy_request_duration_seconds_bucket{namespace="shop",route="api",variant="-",le="+Inf"} 100
dgate_proxy_request_duration_seconds_sum{namespace="shop",route="api",variant="-"} 0.5
dgate_proxy_request_duration_seconds_count{namespace="shop",route="api",variant="-"} 100
"#;

    #[test]
    fn a_routes_own_series_are_read() {
        let api = Traffic::of(METRICS, "shop", "api");
        assert_eq!((api.requests, api.errors, api.error_share()), (100.0, 10.0, Some(0.1)));
        assert_eq!(api.mean(), Some(Duration::from_millis(5)));
        assert_eq!(api.quantile(0.5), Some(Duration::from_millis(5)));
        assert_eq!(api.quantile(0.99), Some(Duration::from_millis(50)));
        assert_eq!(api.quantile(1.0), None, "slower than the last bound");
        let canary = Traffic::of(METRICS, "shop", "api-canary");
        assert_eq!((canary.requests, canary.error_share(), canary.mean()), (7.0, Some(0.0), None));
        assert_eq!(Traffic::of(METRICS, "shop", "nobody").error_share(), None);
    }

    #[test]
    fn what_came_since_is_a_difference_unless_the_server_began_anew() {
        let before = Traffic::of(METRICS, "shop", "api");
        let after = Traffic::of(&METRICS.replace("} 90", "} 190"), "shop", "api");
        let since = after.since(&before);
        assert_eq!((since.requests, since.errors), (100.0, 0.0));
        assert_eq!(before.since(&after), before);
    }
}
