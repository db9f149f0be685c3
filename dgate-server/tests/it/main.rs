//! The server as its operators see it: a process with a configuration file, signals and exit codes.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod churn;
mod cluster;
mod commands;
mod configuration;
mod durable;
mod keys;
mod load;
mod metrics;
mod modules;
mod ownership;
mod reload;
mod running;
mod secrecy;
mod signals;
mod slow_disk;
mod start;
mod successor;
mod tag_forms;
mod tags;
mod trials;

use std::time::Duration;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until something holds.
async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !holds().await {
        assert!(tokio::time::Instant::now() < deadline, "{what}: not in good time");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
