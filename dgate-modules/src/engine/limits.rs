//! What no module may exceed, besides what the server says.

use std::time::Duration;

use boa_engine::{Context, JsError};

use super::host::Host;
use crate::failure::LimitKind;
use crate::limits::LimitSettings;
use crate::metrics::count_limit;
use crate::thrown::Thrown;

/// Largest `ArrayBuffer`, unless two bodies as large as they may be are larger.
pub(super) const LARGEST_BUFFER: u64 = 16 << 20;
/// After so many buffers those that follow have to be small, until the clock was looked at.
pub(super) const BUFFERS_PER_LOOK: u32 = 32;
pub(super) const SMALL_BUFFER: u64 = 64 << 10;
/// Values on the engine's stack, for each call within calls that there may be.
const VALUES_PER_CALL: usize = 160;
/// Time to evaluate a module in, when a runtime is made.
pub(crate) const EVALUATION: Duration = Duration::from_secs(1);
/// How many ticks may pass between two looks at the clock.
pub(super) const TICKS_PER_LOOK: i32 = 128;

/// What a module is told that is refused something for its size; it is counted.
pub(super) fn refused(kind: LimitKind, message: impl Into<String>, context: &Context) -> JsError {
    refusal(Thrown::limit(kind, message), context)
}

/// The same of what is not always refused for its size.
pub(super) fn refusal(thrown: Thrown, context: &Context) -> JsError {
    if let Some(kind) = thrown.limit {
        count_limit(&Host::of(context).program.namespace, kind);
    }
    thrown.into()
}

pub(super) fn apply(settings: &LimitSettings, context: &mut Context) {
    let limits = context.runtime_limits_mut();
    limits.set_recursion_limit(settings.recursion);
    limits.set_stack_size_limit(settings.recursion.max(400) * VALUES_PER_CALL);
    limits.set_backtrace_limit(16);
}
