//! Passes events on to all who want to know.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::{Event, EventSink};
use crate::metric_names;

/// Passes events on to all who want to know. Cheap to clone; all clones are one.
///
/// Each subscriber has a queue of its own. Whoever emits never waits: what does not fit into a queue is dropped there,
/// and counted.
///
/// ```
/// use dgate_core::event::{Event, EventBus, EventSink};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let bus = EventBus::default();
/// let mut events = bus.subscribe(16);
/// bus.emit(Event::ConfigApplied { revision: 7 });
/// assert_eq!(events.next().await.unwrap().name(), "config.applied");
/// # });
/// ```
#[derive(Clone, Default)]
pub struct EventBus {
    subscribers: Arc<Mutex<Vec<Subscriber>>>,
}

struct Subscriber {
    queue: Sender<Arc<Event>>,
    dropped: Arc<AtomicU64>,
}

/// The events that a subscriber is told. It ends when it is dropped.
#[derive(Debug)]
pub struct Subscription {
    queue: Receiver<Arc<Event>>,
    dropped: Arc<AtomicU64>,
}

impl EventBus {
    /// Tells of everything from now on. A queue holds at most so many events, and at least one.
    pub fn subscribe(&self, capacity: usize) -> Subscription {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        let dropped: Arc<AtomicU64> = Arc::default();
        let subscriber = Subscriber { queue: sender, dropped: dropped.clone() };
        self.subscribers.lock().unwrap_or_else(PoisonError::into_inner).push(subscriber);
        Subscription { queue: receiver, dropped }
    }
}

impl Subscription {
    /// The next event; nothing when the bus is gone.
    pub async fn next(&mut self) -> Option<Arc<Event>> {
        self.queue.recv().await
    }

    /// How many events were dropped since this was last asked, because the queue was full.
    pub fn take_dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }
}

impl EventSink for EventBus {
    fn emit(&self, event: Event) {
        let mut subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        if subscribers.is_empty() {
            return;
        }
        let event = Arc::new(event);
        subscribers.retain(|subscriber| match subscriber.queue.try_send(event.clone()) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                subscriber.dropped.fetch_add(1, Ordering::Relaxed);
                metrics::counter!(metric_names::EVENT_DROPPED).increment(1);
                true
            }
            Err(TrySendError::Closed(_)) => false,
        });
    }
}

impl fmt::Debug for EventBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventBus")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(revision: u64) -> Event {
        Event::ConfigApplied { revision }
    }

    fn revision(event: &Event) -> u64 {
        let Event::ConfigApplied { revision } = event else { panic!("{event:?}") };
        *revision
    }

    #[tokio::test]
    async fn all_are_told_and_the_slow_lose_what_does_not_fit() {
        let bus = EventBus::default();
        bus.emit(applied(0));
        let (mut fast, mut slow) = (bus.subscribe(8), bus.subscribe(2));
        (1..=5).for_each(|revision| bus.emit(applied(revision)));
        for expected in 1..=5 {
            assert_eq!(revision(&fast.next().await.unwrap()), expected);
        }
        assert_eq!((fast.take_dropped(), slow.take_dropped(), slow.take_dropped()), (0, 3, 0));
        assert_eq!(revision(&slow.next().await.unwrap()), 1);
        bus.emit(applied(6));
        assert_eq!(revision(&slow.next().await.unwrap()), 2);
        assert_eq!(revision(&slow.next().await.unwrap()), 6);
        drop(fast);
        bus.emit(applied(7));
        assert_eq!(bus.subscribers.lock().unwrap().len(), 1, "who has gone is forgotten");
        drop(bus);
        assert_eq!(revision(&slow.next().await.unwrap()), 7);
        assert!(slow.next().await.is_none());
    }
}
