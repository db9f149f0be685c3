//! The one swappable cell, and what lies in it. The only file that names `arc_swap`.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[allow(clippy::disallowed_types, reason = "this is the one place")]
use arc_swap::ArcSwap;

use crate::metric_names;
use crate::snapshot::Snapshot;
use crate::stored::{ResourceSet, Revision};

/// What is live: a snapshot and what each data plane made of it. Replaced as a whole, never in part.
pub struct Published {
    /// Counts publications of this process.
    pub generation: u64,
    /// The revision of the store it shows.
    pub revision: Revision,
    /// What was written, documents apart.
    pub resources: ResourceSet,
    /// What runs.
    pub snapshot: Arc<Snapshot>,
    plans: Vec<Arc<dyn Any + Send + Sync>>,
    alive: Alive,
}

impl Published {
    /// What the data plane with plans of type `P` made of the snapshot.
    pub fn plan<P: Any + Send + Sync>(&self) -> Option<&P> {
        self.plans.iter().find_map(|plan| plan.downcast_ref())
    }
}

impl fmt::Debug for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Published")
            .field("generation", &self.generation)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

/// The writing end of the cell; there is one, in the apply pipeline.
pub(crate) struct Publisher {
    cell: Live,
    generations: Arc<AtomicUsize>,
}

/// The reading end of the cell, for everybody.
///
/// Load once per request and drop it with the request: whoever keeps one keeps a whole generation alive.
#[derive(Clone)]
#[allow(clippy::disallowed_types, reason = "this is the one place")]
pub struct Live(Arc<ArcSwap<Published>>);

impl Live {
    /// What is live now. It stays whole and unchanged for as long as it is held.
    #[inline]
    pub fn load(&self) -> Arc<Published> {
        self.0.load_full()
    }

    /// How many generations are still held by somebody, the live one included.
    pub fn generations_alive(&self) -> usize {
        self.0.load().alive.0.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Live").field(&self.load()).finish()
    }
}

impl Publisher {
    /// A cell with nothing in it but an empty snapshot.
    pub(crate) fn new() -> Self {
        let generations = Arc::new(AtomicUsize::new(0));
        let nothing = Published {
            generation: 0,
            revision: 0,
            resources: ResourceSet::new(),
            snapshot: Arc::default(),
            plans: Vec::new(),
            alive: Alive::new(&generations),
        };
        #[allow(clippy::disallowed_types, reason = "this is the one place")]
        let cell = Live(Arc::new(ArcSwap::from_pointee(nothing)));
        Self { cell, generations }
    }

    pub(crate) fn live(&self) -> Live {
        self.cell.clone()
    }

    pub(crate) fn publish(
        &self,
        revision: Revision,
        resources: ResourceSet,
        snapshot: Arc<Snapshot>,
        plans: Vec<Arc<dyn Any + Send + Sync>>,
    ) -> u64 {
        let generation = self.cell.0.load().generation + 1;
        let alive = Alive::new(&self.generations);
        self.cell.0.store(Arc::new(Published { generation, revision, resources, snapshot, plans, alive }));
        generation
    }
}

/// Counts generations that somebody still holds.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        let alive = count.fetch_add(1, Ordering::Relaxed) + 1;
        metrics::gauge!(metric_names::CONFIG_GENERATIONS_ALIVE).set(alive as f64);
        Self(count.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        let alive = self.0.fetch_sub(1, Ordering::Relaxed) - 1;
        metrics::gauge!(metric_names::CONFIG_GENERATIONS_ALIVE).set(alive as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_generations_die_when_nobody_holds_them() {
        let publisher = Publisher::new();
        let live = publisher.live();
        let held = live.load();
        publisher.publish(1, ResourceSet::new(), Arc::default(), Vec::new());
        publisher.publish(2, ResourceSet::new(), Arc::default(), Vec::new());
        assert_eq!(live.generations_alive(), 2, "the first is held, the second is gone, the third is live");
        drop(held);
        assert_eq!(live.generations_alive(), 1);
        assert_eq!(live.load().generation, 2);
    }

    #[test]
    fn readers_see_generations_in_order() {
        let publisher = Publisher::new();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                let live = publisher.live();
                scope.spawn(move || {
                    let mut last = 0;
                    while last < 2_000 {
                        let seen = live.load();
                        assert!(seen.generation >= last);
                        assert_eq!(seen.generation, seen.revision, "a generation is never seen in part");
                        last = seen.generation;
                    }
                });
            }
            for revision in 1..=2_000 {
                publisher.publish(revision, ResourceSet::new(), Arc::default(), Vec::new());
            }
        });
        assert_eq!(publisher.live().generations_alive(), 1);
    }
}
