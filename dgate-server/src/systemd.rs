//! What systemd is told, when it is there (sd_notify(3), unit type `notify-reload`).

use std::time::Duration;

#[cfg(unix)]
use sd_notify::NotifyState;

/// This process serves.
pub(crate) fn ready(status: &str) {
    #[cfg(unix)]
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
    #[cfg(not(unix))]
    let _ = status;
}

/// This process reads its configuration again; [`ready`] says that it has.
pub(crate) fn reloading() {
    #[cfg(unix)]
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "systemd is not told of the reload"),
    }
}

/// This process comes to an end.
pub(crate) fn stopping() {
    #[cfg(unix)]
    notify(&[NotifyState::Stopping]);
}

/// Another process is in charge now.
pub(crate) fn main_process(id: u32) {
    #[cfg(unix)]
    notify(&[NotifyState::MainPid(id)]);
    #[cfg(not(unix))]
    let _ = id;
}

/// Says again and again that this process is alive, if systemd wants to know.
pub(crate) async fn watchdog() {
    #[cfg(unix)]
    if let Some(period) = sd_notify::watchdog_enabled() {
        loop {
            notify(&[NotifyState::Watchdog]);
            tokio::time::sleep((period / 2).max(Duration::from_millis(100))).await;
        }
    }
    std::future::pending::<()>().await;
}

#[cfg(unix)]
fn notify(states: &[NotifyState<'_>]) {
    // Without systemd there is nobody to tell, and that is no error.
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd cannot be told");
    }
}
