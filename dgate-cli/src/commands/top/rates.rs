//! What happened between two moments.

use std::time::Duration;

use serde_json::{Value, json};

use super::sample::{Counted, Route, Sample};

/// How busy a route was.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rates {
    route: Route,
    per_second: f64,
    /// The share of requests answered with 5xx, in percent.
    failed: f64,
    /// In seconds; nothing when no request ended.
    p50: Option<f64>,
    p95: Option<f64>,
}

/// How busy each route was, the busiest first. Those without requests are left out.
pub(super) fn rates(before: &Sample, after: &Sample, took: Duration) -> Vec<Rates> {
    let none = Counted::default();
    let mut rates: Vec<_> = after
        .routes
        .iter()
        .filter_map(|(route, after)| {
            let before = before.routes.get(route).unwrap_or(&none);
            // After a restart counters begin anew.
            let before = if before.requests > after.requests { &none } else { before };
            let requests = after.requests - before.requests;
            let buckets = difference(before, after);
            (requests > 0.0).then(|| Rates {
                route: route.clone(),
                per_second: requests / took.as_secs_f64().max(f64::EPSILON),
                failed: (after.failed - before.failed).max(0.0) / requests * 100.0,
                p50: quantile(&buckets, 0.5),
                p95: quantile(&buckets, 0.95),
            })
        })
        .collect();
    rates.sort_by(|a, b| b.per_second.total_cmp(&a.per_second).then_with(|| a.route.cmp(&b.route)));
    rates
}

/// How many took at most so long, between two moments.
fn difference(before: &Counted, after: &Counted) -> Vec<(f64, f64)> {
    let earlier = |bound: f64| {
        before.buckets.iter().find(|(other, _)| other.total_cmp(&bound).is_eq()).map_or(0.0, |(_, n)| *n)
    };
    let mut buckets: Vec<_> =
        after.buckets.iter().map(|(bound, n)| (*bound, (n - earlier(*bound)).max(0.0))).collect();
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    buckets
}

/// The value that a share of the others do not exceed, as far as buckets can tell: evenly spread within a bucket.
fn quantile(buckets: &[(f64, f64)], share: f64) -> Option<f64> {
    let total = buckets.last().map(|(_, n)| *n).filter(|total| *total > 0.0)?;
    let wanted = total * share;
    let mut lower = (0.0, 0.0);
    for (bound, n) in buckets {
        if *n >= wanted {
            let within = (wanted - lower.1) / (n - lower.1);
            // Of what is beyond the last bound nothing is known but that.
            return Some(if bound.is_finite() { lower.0 + (bound - lower.0) * within } else { lower.0 });
        }
        lower = (*bound, *n);
    }
    None
}

impl Rates {
    pub(super) fn cells(&self) -> [String; 6] {
        let milliseconds =
            |seconds: Option<f64>| seconds.map_or_else(String::new, |s| format!("{:.1}", s * 1_000.0));
        let (namespace, route) = self.route.clone();
        [
            namespace,
            route,
            format!("{:.1}", self.per_second),
            format!("{:.2}", self.failed),
            milliseconds(self.p50),
            milliseconds(self.p95),
        ]
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "namespace": self.route.0, "route": self.route.1, "requests_per_second": self.per_second,
            "failed_percent": self.failed, "p50_seconds": self.p50, "p95_seconds": self.p95,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(requests: f64, failed: f64, buckets: &[(f64, f64)]) -> Sample {
        let counted = Counted { requests, failed, buckets: buckets.to_vec() };
        let mut sample = Sample::default();
        sample.routes.insert(("default".to_owned(), "a".to_owned()), counted);
        sample
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "small whole numbers are exact")]
    fn what_happened_in_between_is_counted() {
        let before = sample(100.0, 10.0, &[(0.1, 100.0), (0.2, 100.0), (f64::INFINITY, 100.0)]);
        let after = sample(120.0, 15.0, &[(0.1, 110.0), (0.2, 120.0), (f64::INFINITY, 120.0)]);
        let found = rates(&before, &after, Duration::from_secs(2));
        assert_eq!(found[0].cells(), ["default", "a", "10.0", "25.00", "100.0", "190.0"]);
        assert!(rates(&after, &after, Duration::from_secs(2)).is_empty(), "nothing has happened");
        assert_eq!(
            rates(&after, &before, Duration::from_secs(1))[0].per_second,
            100.0,
            "the server was restarted"
        );
    }

    #[test]
    fn beyond_the_last_bound_nothing_is_known() {
        assert_eq!(quantile(&[(0.1, 0.0), (f64::INFINITY, 5.0)], 0.95), Some(0.1));
        assert_eq!(quantile(&[(0.1, 0.0), (f64::INFINITY, 0.0)], 0.95), None);
        assert_eq!(quantile(&[], 0.95), None);
    }
}
