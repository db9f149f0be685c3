//! Metric handles, found once and kept.
//!
//! Looking a metric up costs more than counting. An exporter drops series that have not moved for a while, and what is
//! counted through a handle from before that is lost; so a handle that was not used for long is looked up again.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Series that have not moved for this long may be dropped by an exporter.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// Time in steps of a third of [`IDLE_TIMEOUT`].
fn epoch(now: Instant) -> u32 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let start = *START.get_or_init(|| now);
    (now.saturating_duration_since(start).as_secs() / (IDLE_TIMEOUT.as_secs() / 3)) as u32 + 1
}

/// A handle (`Counter`, `Gauge` or `Histogram`) that is looked up when it is first used, and again when it was idle for
/// so long that the series behind it may have been dropped.
///
/// ```
/// use dgate_core::metric_handle::MetricHandle;
/// # use std::time::Instant;
/// let hits = MetricHandle::default();
/// hits.with(Instant::now(), || metrics::counter!("hits_total"), |counter| counter.increment(1));
/// ```
pub struct MetricHandle<H> {
    handle: RwLock<Option<H>>,
    used: AtomicU32,
}

impl<H: Clone> MetricHandle<H> {
    /// Uses the handle; `find` looks it up where that is necessary.
    pub fn with(&self, now: Instant, find: impl FnOnce() -> H, use_it: impl FnOnce(&H)) {
        let epoch = epoch(now);
        let used = self.used.load(Ordering::Relaxed);
        if used != epoch {
            self.used.store(epoch, Ordering::Relaxed);
        }
        if used != 0
            && epoch.saturating_sub(used) < 2
            && let Some(handle) = &*self.handle.read().unwrap_or_else(PoisonError::into_inner)
        {
            use_it(handle);
            return;
        }
        let handle = find();
        use_it(&handle);
        *self.handle.write().unwrap_or_else(PoisonError::into_inner) = Some(handle);
    }
}

impl<H> Default for MetricHandle<H> {
    fn default() -> Self {
        Self { handle: RwLock::new(None), used: AtomicU32::new(0) }
    }
}

impl<H> fmt::Debug for MetricHandle<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetricHandle")
    }
}
