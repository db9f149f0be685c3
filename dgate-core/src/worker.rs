//! Which worker a thread belongs to.

use std::cell::Cell;

thread_local! {
    static CURRENT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Makes the calling thread the worker of a number, for good.
///
/// A server with one runtime per core numbers its threads. What belongs to one thread alone (idle upstream
/// connections, script runtimes) is kept apart by this number and never crosses threads.
pub fn enter(number: usize) {
    CURRENT.set(Some(number));
}

/// The number of the calling thread; nothing outside of workers.
pub fn current() -> Option<usize> {
    CURRENT.get()
}
