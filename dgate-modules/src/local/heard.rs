//! What modules of a local gateway say and are refused.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ConsoleLine;
use crate::runner::ModuleRunner;

/// How many lines are kept; a module that writes more of them is not listened to any more.
const MOST_LINES: usize = 1_000;

/// What modules of a local gateway say and are refused.
#[derive(Clone, Default)]
pub(super) struct Heard(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    console: Vec<ConsoleLine>,
    denied: Vec<String>,
}

impl Heard {
    /// Listens to a runner.
    pub(super) fn of(runner: &ModuleRunner) -> Self {
        let heard = Self::default();
        let console = heard.clone();
        runner.connect_console(move |line| {
            let lines = &mut console.state().console;
            if lines.len() < MOST_LINES {
                lines.push(line);
            }
        });
        let denials = heard.clone();
        runner.connect_denials(move |denial| {
            let denied = &mut denials.state().denied;
            if denied.len() < MOST_LINES && !denied.iter().any(|known| known == denial) {
                denied.push(denial.to_owned());
            }
        });
        heard
    }

    /// What was written to the console since this was last asked.
    pub(super) fn take_console(&self) -> Vec<ConsoleLine> {
        std::mem::take(&mut self.state().console)
    }

    /// What was refused since this was last asked.
    pub(super) fn take_denied(&self) -> Vec<String> {
        std::mem::take(&mut self.state().denied)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
