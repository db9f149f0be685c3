//! How often something is done, for tests: what is done once for each resource must not be done once for each message.

use std::cell::Cell;

thread_local! {
    static NAMES: Cell<usize> = const { Cell::new(0) };
    static READINGS: Cell<usize> = const { Cell::new(0) };
}

/// How often the name of a resource was put together.
pub(super) fn names() -> usize {
    NAMES.get()
}

/// How often places were looked for in a whole text.
pub(super) fn readings() -> usize {
    READINGS.get()
}

pub(super) fn one_more_name() {
    NAMES.set(NAMES.get() + 1);
}

pub(super) fn one_more_reading() {
    READINGS.set(READINGS.get() + 1);
}
