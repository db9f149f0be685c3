//! What a thread hears from its pool: programs to get ready for, programs that are gone; and what it does by itself with
//! runtimes that are idle.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::{current, drop_finished, retire, runtimes};
use crate::engine;
use crate::pool::{Control, Shared};
use crate::program::ProgramId;

/// From now on this thread listens to its pool: programs to get ready for, programs that are gone.
pub(crate) fn watch(shared: &Arc<Shared>) {
    thread_local!(static WATCHED: RefCell<Vec<(u64, tokio::runtime::Id)>> = const { RefCell::new(Vec::new()) });
    let Ok(handle) = tokio::runtime::Handle::try_current() else { return };
    let key = (shared.id, handle.id());
    let is_new = WATCHED.with(|watched| {
        let mut watched = watched.borrow_mut();
        let is_new = !watched.contains(&key);
        if is_new {
            watched.push(key);
        }
        is_new
    });
    if !is_new {
        return;
    }
    let (sender, receiver) = mpsc::unbounded_channel();
    shared.listen(sender);
    handle.spawn(listen(Arc::downgrade(shared), receiver));
}

/// Ends with the pool.
async fn listen(pool: std::sync::Weak<Shared>, mut controls: mpsc::UnboundedReceiver<Control>) {
    let Some((id, idle)) = pool.upgrade().map(|shared| (shared.id, shared.settings.idle_timeout)) else {
        return;
    };
    let period = (idle / 4).max(Duration::from_millis(10));
    loop {
        match tokio::time::timeout(period, controls.recv()).await {
            Ok(Some(Control::Warm(program))) => {
                let Some(shared) = pool.upgrade() else { break };
                // What goes wrong here goes wrong again when it is called, and is told then.
                let _ = current(&shared, &program);
            }
            Ok(Some(Control::Retire(program))) => retire(id, program, None, "changed"),
            Ok(None) => break,
            Err(_) => retire_idle(id, idle),
        }
    }
    retire_idle(id, Duration::ZERO);
}

fn retire_idle(pool: u64, idle: Duration) {
    let runtimes = runtimes();
    let now = Instant::now();
    let idle: Vec<ProgramId> = runtimes
        .current
        .borrow()
        .iter()
        .filter(|((of, _), runtime)| {
            *of == pool
                && runtime.idle_since().is_some_and(|since| now.saturating_duration_since(since) >= idle)
        })
        .map(|((_, program), _)| *program)
        .collect();
    let before = runtimes.all.borrow().len();
    idle.into_iter().for_each(|program| retire(pool, program, None, "idle"));
    drop_finished();
    if runtimes.all.borrow().len() < before {
        // Nobody waits now, and what they leave would stay until others had made as much again.
        engine::clean_up();
    }
}
