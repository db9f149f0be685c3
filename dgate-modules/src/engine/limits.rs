//! What no module may exceed, whatever it was granted.

use std::time::Duration;

use boa_engine::Context;

/// Largest `ArrayBuffer`.
pub(super) const LARGEST_BUFFER: u64 = 64 << 20;
/// Longest string that built-ins make, in characters.
pub(super) const LONGEST_STRING: f64 = (16 << 20) as f64;
/// Longest list that built-ins walk through.
pub(super) const LONGEST_LIST: f64 = 1e6;
/// Calls within calls. A frame of the engine's own stack takes about 1 KiB of the thread's.
const DEEPEST_CALLS: usize = 400;
/// Values on the engine's stack.
const LARGEST_STACK: usize = 64 << 10;
/// Operations of one call that wait at the same time: fetches, timers, reads.
pub(super) const MOST_OPERATIONS: usize = 256;
/// Time to evaluate a module in, when a runtime is made.
pub(crate) const EVALUATION: Duration = Duration::from_secs(1);
/// How many ticks may pass between two looks at the clock.
pub(super) const TICKS_PER_LOOK: i32 = 512;

pub(super) fn apply(context: &mut Context) {
    let limits = context.runtime_limits_mut();
    limits.set_recursion_limit(DEEPEST_CALLS);
    limits.set_stack_size_limit(LARGEST_STACK);
    limits.set_backtrace_limit(16);
}
