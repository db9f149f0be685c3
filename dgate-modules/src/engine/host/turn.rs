//! The clock of turns: whose time passes, how much of it the thread computed, and whether that is too much.

use std::time::{Duration, Instant};

use boa_engine::JsResult;

use super::{Host, uncatchable};
use crate::engine::call::Call;
use crate::engine::depth::look_at_next;
use crate::engine::heap;
use crate::engine::limits::{EVALUATION, TICKS_PER_LOOK};
use crate::failure::LimitKind;
use crate::stack;
use crate::thread_time::thread_time;

/// How many calls without ticks may pass until the clock is looked at, and how much in one call is as much as a call.
const UNWATCHED: f64 = 64.0;
const SMALL: f64 = 64.0;

/// From here on it is worth asking what of a turn the thread computed, and what of it others did.
const LONG: Duration = Duration::from_millis(1);
/// Nobody waits for the processor for so long.
const VERY_LONG: Duration = Duration::from_millis(50);

impl Host {
    /// So much time passed in a call.
    pub(super) fn charge(&self, call: &Call, time: Duration) {
        let computed = self.meter.charge(time);
        self.most.set(self.most.get().max(call.add_cpu(computed, self.turn.get())));
    }

    /// The clock of a turn begins.
    pub(in crate::engine) fn start_clock(&self) {
        self.start_clock_at(Instant::now());
    }

    /// It began already.
    pub(in crate::engine) fn start_clock_at(&self, since: Instant) {
        // What nobody was told of in the turn before is nobody's in this one.
        self.hit.take();
        self.hit_call.take();
        self.hit_trace.take();
        self.meter.begin();
        self.running_since.set(Some(since));
        self.turn_began.set(Some(since));
        self.turn.set(self.turn.get() + 1);
        self.most.set(Duration::ZERO);
        self.exact.set(if self.program.weight.is_suspect() { thread_time() } else { None });
    }

    /// So much of the turn is not the current call's.
    pub(in crate::engine) fn forgive(&self, time: Duration) {
        for clock in [&self.running_since, &self.turn_began] {
            clock.set(clock.get().map(|since| since + time));
        }
    }

    /// The clock of a turn ends; the time since it last changed hands is the current call's. Returns how long the call
    /// computed that did most of it, as far as that matters, and whether that is by the thread's own clock.
    pub(in crate::engine) fn stop_clock(&self) -> (Duration, bool) {
        let now = Instant::now();
        if let (Some(since), Some(call)) = (self.running_since.take(), &*self.current.borrow()) {
            self.charge(call, now - since);
        }
        let took = self.turn_began.take().map_or(Duration::ZERO, |began| now - began);
        let computed = |then| thread_time().map(|now: Duration| now.saturating_sub(then));
        let (turn, is_exact) = match (self.exact.take().and_then(computed), self.long.take()) {
            (Some(exact), _) => (exact, true),
            (None, Some((before, then))) if took > LONG => {
                (computed(then).map_or(took, |after| before + after).min(took), false)
            }
            // Nobody looked at the clock: the thread did not run, or something without ticks took very long.
            _ => (believed(took), false),
        };
        (turn.min(self.most.get()), is_exact)
    }

    /// A turn is over; by what it computed the program is judged.
    pub(in crate::engine) fn end_turn(&self) {
        let (computed, is_exact) = self.stop_clock();
        let collected = heap::was_collected();
        // All programs' garbage is collected in somebody's turn now and then, which may take long. In turn after turn it is
        // when those turns made it.
        let is_first = !self.collected.replace(collected);
        if !(collected && is_first) {
            self.program.weight.judge(computed, is_exact);
        }
    }

    /// How much of the time since the clock last changed hands the thread computed: on a busy machine less than passed.
    /// The thread's own clock is asked for only when that matters, so it counts from when it was first asked.
    /// `left` is what the call may still use.
    fn computed(&self, since: Instant, elapsed: Duration, left: Duration) -> Duration {
        let Some(now) = thread_time() else { return elapsed };
        match self.asked.get() {
            Some((of, then, before)) if of == since => (before + now.saturating_sub(then)).min(elapsed),
            _ => {
                // What passed before is half believed, and never reason enough: others may have had the processor.
                let before = elapsed.min(left) / 2;
                self.asked.set(Some((since, now, before)));
                before
            }
        }
    }

    /// How many ticks may pass until the next look.
    ///
    /// # Errors
    /// When the current call has used up its time or the stack, or a call has too many handlers of promises: an error that
    /// the module cannot catch.
    pub(in crate::engine) fn look_at_clock(&self) -> JsResult<i32> {
        crate::worker::looks_at_clock();
        self.buffers.set(0);
        // Nothing more is done for what has ended, such as closing iterators: that could go on for as long.
        if self.hit.get().is_some() {
            look_at_next();
            return Err(uncatchable());
        }
        if stack::is_short() {
            return Err(self.end(LimitKind::Recursion));
        }
        self.look_at_handlers()?;
        let Some(since) = self.running_since.get() else { return Ok(TICKS_PER_LOOK) };
        let current = self.current.borrow();
        let (used, limit) = match &*current {
            Some(call) => (call.cpu_used(), call.cpu_limit()),
            None => (Duration::ZERO, EVALUATION),
        };
        if self.long.get().is_none() {
            let turn = self.turn_began.get().map_or(Duration::ZERO, |began| began.elapsed());
            if turn > LONG {
                self.long.set(thread_time().map(|now| (believed(turn), now)));
            }
        }
        let cancelled = current.as_ref().is_some_and(|call| call.is_cancelled());
        let elapsed = since.elapsed();
        let over = cancelled
            || (used + elapsed > limit
                && used + self.computed(since, elapsed, limit.saturating_sub(used)) > limit);
        drop(current);
        if over { Err(self.end(LimitKind::Cpu)) } else { Ok(TICKS_PER_LOOK) }
    }

    /// Looks at the clock for what has no ticks: now and then, and always when it is large.
    pub(in crate::engine) fn look_at_clock_after(&self, size: f64) -> JsResult<()> {
        let unwatched = self.unwatched.get() + 1.0 + size / SMALL;
        self.unwatched.set(if unwatched > UNWATCHED { 0.0 } else { unwatched });
        if unwatched > UNWATCHED {
            self.look_at_clock()?;
        }
        Ok(())
    }
}

/// How much of a turn the thread computed that was long before anybody looked. Looks are close together, so the rest of
/// it is most likely somebody else's time: with many threads on few processors one of them often waits for milliseconds.
fn believed(turn: Duration) -> Duration {
    if turn < VERY_LONG { turn.min(LONG) } else { turn }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_waited_for_the_processor_has_not_computed() {
        assert_eq!(believed(Duration::from_millis(9)), LONG);
        assert_eq!(believed(VERY_LONG * 2), VERY_LONG * 2);
    }
}
