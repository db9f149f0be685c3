//! How often the engine collects its garbage.
//!
//! The collector goes over the whole heap of a thread, four times, whenever so many bytes were allocated as its threshold
//! says: one megabyte at first, little more than what a context needs for itself. So a context was gone over for every
//! few hundred calls, which cost more than the calls did. The threshold cannot be set; but it grows with what is alive
//! when it is reached, and never shrinks. So something large is alive once, for a moment.
//!
//! A collection takes milliseconds of whichever turn it happens in. A sentinel that only a collection finalizes tells
//! which turn that was.

use std::cell::Cell;

use boa_gc::{Finalize, Gc, Trace, force_collect};

/// As much garbage a thread may have before it is collected, about.
const ROOM: usize = 8 << 20;
const BLOCK: usize = 16 << 10;

#[derive(Trace, Finalize)]
#[allow(dead_code, reason = "nothing but large")]
struct Block(#[unsafe_ignore_trace] [u8; BLOCK]);

thread_local! {
    static COLLECTED: Cell<bool> = const { Cell::new(true) };
}

/// Is garbage from the beginning.
#[derive(Trace)]
struct Sentinel;

impl Finalize for Sentinel {
    fn finalize(&self) {
        COLLECTED.set(true);
    }
}

/// Whether this thread's garbage was collected since the last time that this was asked.
pub(super) fn was_collected() -> bool {
    let collected = COLLECTED.replace(false);
    if collected {
        drop(Gc::new(Sentinel));
    }
    collected
}

/// Collects this thread's garbage now.
pub(crate) fn collect() {
    force_collect();
}

/// Gives this thread's garbage room, before its first context is made.
pub(crate) fn make_room() {
    thread_local!(static MADE: Cell<bool> = const { Cell::new(false) });
    if MADE.replace(true) {
        return;
    }
    let blocks: Vec<Gc<Block>> = (0..ROOM / BLOCK).map(|_| Gc::new(Block([0; BLOCK]))).collect();
    drop(blocks);
    force_collect();
}
