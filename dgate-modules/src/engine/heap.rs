//! How often the engine collects its garbage.
//!
//! The collector goes over the whole heap of a thread, four times, whenever so many bytes were allocated as its threshold
//! says: one megabyte at first, little more than what a context needs for itself. So a context was gone over for every
//! few hundred calls, which cost more than the calls did. The threshold cannot be set; but it grows with what is alive
//! when it is reached, and never shrinks. So something large is alive once, for a moment.
//!
//! What makes room also takes it away: a module that had much alive when it ran into a limit leaves a threshold behind that
//! is as high, for the thread's lifetime, and garbage of all programs piles up to that. Such a thread is *swollen*. One of
//! the pool's own is replaced (see `crate::pool`); a worker, which lives as long as the server, is collected every so many
//! turns from then on.
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

/// More garbage than this is too much: `ROOM` makes a threshold of not quite half as much again.
const TOO_MUCH: usize = 2 * ROOM;
/// A swollen thread is collected after so many turns. As many make some MiB of garbage.
const TURNS: u32 = 4_096;

thread_local! {
    static COLLECTED: Cell<bool> = const { Cell::new(true) };
    static SWOLLEN: Cell<bool> = const { Cell::new(false) };
    static TURNS_LEFT: Cell<u32> = const { Cell::new(TURNS) };
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

/// Something that may have been large is gone: collects this thread's garbage, and finds out how much of it the collector
/// would let pile up by now. Nothing but garbage tells, so it takes some milliseconds.
pub(crate) fn clean_up() {
    force_collect();
    was_collected();
    was_collected();
    let is_soon = (0..TOO_MUCH / BLOCK).any(|_| {
        drop(Gc::new(Block([0; BLOCK])));
        COLLECTED.get()
    });
    if !is_soon {
        force_collect();
    }
    SWOLLEN.set(!is_soon);
}

/// Whether the collector lets much more garbage pile up on this thread than at first.
pub(crate) fn is_swollen() -> bool {
    SWOLLEN.get()
}

/// A turn ended. What a swollen thread's collector does not do in time is done here.
pub(crate) fn after_turn() {
    if !SWOLLEN.get() {
        return;
    }
    let left = TURNS_LEFT.get().checked_sub(1).unwrap_or(TURNS);
    TURNS_LEFT.set(left);
    if left == 0 {
        force_collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has so many bytes alive at once on a new thread, and tells what became of it.
    fn after(bytes: usize, look: impl FnOnce() + Send + 'static) {
        let thread = std::thread::spawn(move || {
            make_room();
            drop((0..bytes / BLOCK).map(|_| Gc::new(Block([0; BLOCK]))).collect::<Vec<_>>());
            clean_up();
            look();
        });
        thread.join().unwrap();
    }

    /// How many blocks of garbage there may be until they are collected.
    fn until_collected(mut after_each: impl FnMut()) -> usize {
        was_collected();
        was_collected();
        let until = (1..(256 << 20) / BLOCK).find(|_| {
            drop(Gc::new(Block([0; BLOCK])));
            after_each();
            COLLECTED.get()
        });
        until.expect("garbage is collected at some time")
    }

    #[test]
    fn little_is_no_reason() {
        after(1 << 20, || {
            assert!(!is_swollen());
            assert!(until_collected(|| ()) < TOO_MUCH / BLOCK);
        });
    }

    #[test]
    fn a_storm_makes_a_thread_swell_and_turns_collect_then() {
        after(64 << 20, || {
            assert!(is_swollen());
            assert!(until_collected(|| ()) > TOO_MUCH / BLOCK, "the collector alone lets it be");
            TURNS_LEFT.set(100);
            assert_eq!(until_collected(after_turn), 100);
        });
    }
}
