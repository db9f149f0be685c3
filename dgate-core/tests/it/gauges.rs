use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dgate_core::apply::{Applier, Environment};
use dgate_core::event::NoEvents;
use dgate_core::store::MemoryStore;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

/// Counts how often the revision is shown.
#[derive(Default)]
struct Shown(Arc<AtomicUsize>);

impl Recorder for Shown {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        if key.name() == "dgate_config_revision" {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[tokio::test(start_paused = true)]
async fn gauges_are_shown_again_when_nothing_happens() {
    let shown = Arc::default();
    let recorder = Shown(Arc::clone(&shown));
    let _guard = metrics::set_default_local_recorder(&recorder);
    let (applier, mut worker) =
        Applier::new(Arc::new(MemoryStore::new()), Vec::new(), Arc::new(NoEvents), Environment::default());
    worker.load().await.unwrap();
    let running = tokio::spawn(worker.run());
    let at_first = shown.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(10 * 60)).await;
    assert!(shown.load(Ordering::Relaxed) >= at_first + 9);
    drop(applier);
    running.await.unwrap();
}
