//! Metrics as text for those who collect them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dgate_core::metric_names::{self, MetricKind};
use metrics::Unit;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// How often samples are folded into histograms and forgotten series are dropped.
const UPKEEP: Duration = Duration::from_secs(5);

/// Bounds in seconds for everything that takes time.
const SECONDS: [f64; 16] =
    [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Bounds in seconds for the gateway's own share, which is small.
const OVERHEAD: [f64; 12] =
    [0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.01, 0.1, 1.0];

/// Metrics cannot be collected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExporterError {
    #[error("the buckets of histograms are not valid")]
    Buckets(#[from] metrics_exporter_prometheus::BuildError),
    #[error("this process collects metrics already")]
    Recorder(#[from] metrics::SetRecorderError<metrics_exporter_prometheus::PrometheusRecorder>),
}

/// Begins to collect the metrics of this process.
pub(crate) fn install() -> Result<PrometheusHandle, ExporterError> {
    let recorder = PrometheusBuilder::new()
        .set_buckets(&SECONDS)?
        .set_buckets_for_metric(Matcher::Full(metric_names::PROXY_OVERHEAD.to_owned()), &OVERHEAD)?
        .idle_timeout(metrics_util::MetricKindMask::ALL, Some(dgate_core::metric_handle::IDLE_TIMEOUT))
        .build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder)?;
    for metric in metric_names::ALL {
        match metric.kind {
            MetricKind::Counter => metrics::describe_counter!(metric.name, metric.help),
            MetricKind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
            MetricKind::Histogram => metrics::describe_histogram!(metric.name, Unit::Seconds, metric.help),
        }
    }
    Ok(handle)
}

/// Whether the configuration file was good when it was last read.
pub(crate) static LAST_RELOAD: LastReload = LastReload(AtomicBool::new(false));

/// A fact that does not change for a long time, and is shown all the same.
#[derive(Debug)]
pub(crate) struct LastReload(AtomicBool);

impl LastReload {
    pub(crate) fn set(&self, was_good: bool) {
        self.0.store(was_good, Ordering::Relaxed);
        self.show();
    }

    fn show(&self) {
        let value = if self.0.load(Ordering::Relaxed) { 1.0 } else { 0.0 };
        metrics::gauge!(metric_names::CONFIG_LAST_RELOAD_SUCCESS).set(value);
    }
}

/// Keeps house until it is dropped.
pub(crate) async fn upkeep(handle: PrometheusHandle, node: String) {
    let labels = [("version", env!("CARGO_PKG_VERSION").to_owned()), ("node", node)];
    loop {
        // Said again and again, so that it is not taken for forgotten.
        metrics::gauge!(metric_names::BUILD_INFO, &labels).set(1.0);
        LAST_RELOAD.show();
        handle.run_upkeep();
        tokio::time::sleep(UPKEEP).await;
    }
}
