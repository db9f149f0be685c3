//! Room on the stack, for what is nested deeply.
//!
//! The engine calls itself for whatever lies within something else: expressions when it compiles, calls through built-ins,
//! lists of lists when it writes them. Where a thread's stack ends, the process ends. So whatever runs modules makes sure
//! that there is room first ([`with_room`]), and what may go deep looks whether there still is ([`is_short`]).

/// How large the stack of a thread is that runs modules, in bytes. A thread takes memory only for what it uses of it.
///
/// Threads of an embedder's own that are smaller work, too: each turn of a module then gets a stack of its own, for some
/// microseconds.
pub const STACK: usize = if cfg!(debug_assertions) { 512 << 20 } else { 256 << 20 };

/// What a turn of a module finds at least.
const ROOM: usize = STACK / 8 * 7;
/// What is kept for the steps that nobody looks at.
const RESERVE: usize = STACK / 8 * 5;

/// Runs something that may go deep: here if there is room, else on a stack of its own.
pub(crate) fn with_room<R>(run: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(ROOM, STACK, run)
}

/// Whether whatever is going on has gone too deep to go on.
pub(crate) fn is_short() -> bool {
    stacker::remaining_stack().is_some_and(|left| left < RESERVE)
}
