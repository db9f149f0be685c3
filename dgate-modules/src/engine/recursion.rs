//! How deep calls are in calls, noticed before the engine does.
//!
//! The engine refuses a call that is too deep with an error of its own, which ends the hook. But what goes on after an
//! `await` is called by the engine itself, which drops that error: nothing would be told of it, and the hook would wait until
//! its time is over. So the gateway looks first, at the ticks that functions begin with: often enough that the depth cannot
//! grow from what was seen last to what the engine refuses. Each call costs the engine's count one, and one more where it
//! comes from a built-in (`map`, a getter, `toString`).

use boa_engine::{Context, JsResult, JsValue};

use super::host::Host;
use crate::failure::LimitKind;

/// How much deeper a function that ticks may be than the one before, for the engine.
const PER_TICK: usize = 2;
/// How many modules may call each other in turn, each with ticks of its own, and still be looked at in time.
const MODULES: usize = 2;

/// How many functions may begin until the next look.
///
/// # Errors
/// When calls are nested too deeply: an error that the module cannot catch.
pub(super) fn look(host: &Host, context: &mut Context) -> JsResult<i32> {
    let most = host.capabilities.limits.recursion;
    let frames = context.stack_trace().count();
    // Each call may come from a built-in. What is far from the limit even then need not be known exactly.
    let depth = match frames * PER_TICK {
        highest if highest < most / 2 => highest,
        highest => depth(frames, highest.min(most), context),
    };
    let share = PER_TICK * host.program.modules.len().clamp(1, MODULES);
    match (most.saturating_sub(depth + 1) / share).checked_sub(1) {
        Some(before) => Ok(i32::try_from(before).unwrap_or(i32::MAX)),
        None => Err(host.end(LimitKind::Recursion)),
    }
}

/// The depth as the engine counts it, which it does not say: the lowest limit under which it would call something.
fn depth(mut lowest: usize, mut highest: usize, context: &mut Context) -> usize {
    let limit = context.runtime_limits().recursion_limit();
    let nothing = context.intrinsics().constructors().function().prototype();
    while lowest < highest {
        let middle = lowest.midpoint(highest);
        context.runtime_limits_mut().set_recursion_limit(middle + 1);
        match nothing.call(&JsValue::undefined(), &[], context) {
            Ok(_) => highest = middle,
            Err(_) => lowest = middle + 1,
        }
    }
    context.runtime_limits_mut().set_recursion_limit(limit);
    lowest
}

#[cfg(test)]
mod tests {
    use boa_engine::native_function::NativeFunction;
    use boa_engine::{Source, js_string};

    use super::*;

    #[test]
    fn the_depth_is_the_engines() {
        let mut context = Context::default();
        context.runtime_limits_mut().set_recursion_limit(400);
        let seen = NativeFunction::from_fn_ptr(|_, _, context| {
            let frames = context.stack_trace().count();
            let found = depth(frames, frames * PER_TICK, context);
            Ok(JsValue::from(found as f64))
        });
        context.register_global_callable(js_string!("seen"), 0, seen).unwrap();
        let mut depth_of = |script: &str| {
            let value = context.eval(Source::from_bytes(script)).unwrap();
            value.as_number().unwrap()
        };
        // The script itself is one.
        assert!((depth_of("seen()") - 1.0).abs() < 0.1);
        let plain = "const f = (n) => n ? f(n - 1) : seen();";
        assert!((depth_of(&format!("{plain} f(0)")) - 2.0).abs() < 0.1);
        assert!((depth_of("f(99)") - 101.0).abs() < 0.1);
        let through_map = "const g = (n) => n ? [n].map(() => g(n - 1))[0] : seen();";
        assert!((depth_of(&format!("{through_map} g(0)")) - 2.0).abs() < 0.1);
        // `g`, and what `map` calls, which costs two.
        assert!((depth_of("g(50)") - 152.0).abs() < 0.1);
        assert_eq!(context.runtime_limits().recursion_limit(), 400);
    }
}
