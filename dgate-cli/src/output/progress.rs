//! A line that says that something is going on, for those who wait at a terminal.

use std::future::Future;
use std::io::{self, IsTerminal, Write};
use std::pin::pin;
use std::time::{Duration, Instant};

/// What is over sooner needs no line.
const PATIENCE: Duration = Duration::from_millis(400);
const BETWEEN: Duration = Duration::from_millis(100);
const SIGNS: [char; 4] = ['|', '/', '-', '\\'];

/// Waits for something; a line on standard error tells how long it has taken so far, and goes when it is there.
pub(crate) async fn with_progress<T>(what: &str, work: impl Future<Output = T>) -> T {
    if !io::stderr().is_terminal() {
        return work.await;
    }
    let begun = Instant::now();
    let mut work = pin!(work);
    let mut is_drawn = false;
    for sign in SIGNS.into_iter().cycle() {
        if let Ok(done) = tokio::time::timeout(BETWEEN, &mut work).await {
            if is_drawn {
                draw("\r\x1b[K");
            }
            return done;
        }
        if begun.elapsed() >= PATIENCE {
            is_drawn = true;
            draw(&format!("\r\x1b[K{sign} {what} … {} s", begun.elapsed().as_secs()));
        }
    }
    work.await
}

fn draw(text: &str) {
    let mut stderr = io::stderr().lock();
    // A terminal that is gone needs no line.
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}
