//! What counters said at one moment.

use std::collections::{BTreeMap, HashMap};

use dgate_core::metric_names::{PROXY_REQUEST_DURATION, PROXY_REQUESTS, PROXY_REQUESTS_IN_FLIGHT};

/// The namespace and the name of a route.
pub(super) type Route = (String, String);

/// What counters said at one moment.
#[derive(Debug, Default)]
pub(super) struct Sample {
    pub(super) routes: BTreeMap<Route, Counted>,
    pub(super) in_flight: f64,
}

/// What was counted of a route since the server started.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Counted {
    pub(super) requests: f64,
    /// Answered with 5xx.
    pub(super) failed: f64,
    /// Upper bounds in seconds, and how many took at most so long.
    pub(super) buckets: Vec<(f64, f64)>,
}

impl Sample {
    /// Reads metrics as text (Prometheus).
    pub(super) fn parse(text: &str) -> Self {
        let mut sample = Self::default();
        for (name, labels, value) in text.lines().filter_map(line) {
            let label = |name: &str| labels.get(name).cloned().unwrap_or_default();
            if name == PROXY_REQUESTS_IN_FLIGHT {
                sample.in_flight = value;
            } else if name == PROXY_REQUESTS {
                let counted = sample.routes.entry((label("namespace"), label("route"))).or_default();
                counted.requests += value;
                if label("code").starts_with('5') {
                    counted.failed += value;
                }
            } else if name.strip_suffix("_bucket") == Some(PROXY_REQUEST_DURATION)
                && let Ok(bound) = label("le").parse()
            {
                let counted = sample.routes.entry((label("namespace"), label("route"))).or_default();
                counted.buckets.push((bound, value));
            }
        }
        sample
    }
}

/// A name, its labels and its value; nothing for comments and what cannot be read.
fn line(line: &str) -> Option<(&str, HashMap<&str, String>, f64)> {
    if line.starts_with('#') {
        return None;
    }
    let (series, value) = line.rsplit_once(' ')?;
    let value = value.parse().ok()?;
    let Some((name, labels)) = series.split_once('{') else { return Some((series, HashMap::new(), value)) };
    let mut rest = labels.strip_suffix('}')?;
    let mut labels = HashMap::new();
    while let Some((label, after)) = rest.split_once("=\"") {
        let (content, after) = quoted(after)?;
        labels.insert(label.trim_start_matches(','), content);
        rest = after;
    }
    Some((name, labels, value))
}

/// The text up to a quotation mark, and what comes after it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut content = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((content, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => content.push('\n'),
                other => content.push(other),
            },
            c => content.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::float_cmp, reason = "small whole numbers are exact")]
    fn counters_are_summed_over_what_is_not_shown() {
        let text = "# HELP x\ndgate_proxy_requests_in_flight 3\n\
            dgate_proxy_requests_total{namespace=\"default\",route=\"a\",code=\"200\"} 5\n\
            dgate_proxy_requests_total{code=\"503\",namespace=\"default\",route=\"a\"} 2\n\
            dgate_proxy_requests_total{code=\"200\",namespace=\"d\\\"q,\",route=\"b\"} 1\n\
            dgate_proxy_request_duration_seconds_bucket{namespace=\"default\",route=\"a\",le=\"0.1\"} 4\n\
            dgate_proxy_request_duration_seconds_bucket{namespace=\"default\",route=\"a\",le=\"+Inf\"} 7\n\
            nonsense{\n";
        let sample = Sample::parse(text);
        assert_eq!(sample.in_flight, 3.0);
        let counted = &sample.routes[&("default".to_owned(), "a".to_owned())];
        assert_eq!((counted.requests, counted.failed), (7.0, 2.0));
        assert_eq!(counted.buckets, [(0.1, 4.0), (f64::INFINITY, 7.0)]);
        assert!(sample.routes.contains_key(&("d\"q,".to_owned(), "b".to_owned())));
    }
}
