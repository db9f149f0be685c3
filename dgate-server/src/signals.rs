//! Signals, as servers take them.

use std::io;

/// What somebody wants of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Come to an end, soon.
    Stop,
    /// Come to an end, however long requests take.
    StopPatiently,
    /// Read the configuration again.
    Reload,
    /// Open log files again.
    ReopenLogs,
    /// Let a new process take over.
    HandOver,
}

/// Signals that come in.
#[derive(Debug)]
pub(crate) struct Signals(#[cfg(unix)] unix::Streams);

#[cfg(unix)]
mod unix {
    use std::io;
    use std::task::Poll;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::Wish;

    #[derive(Debug)]
    pub(super) struct Streams([(Signal, Wish); 6]);

    impl Streams {
        pub(super) fn open() -> io::Result<Self> {
            Ok(Self([
                (signal(SignalKind::terminate())?, Wish::Stop),
                (signal(SignalKind::interrupt())?, Wish::Stop),
                (signal(SignalKind::quit())?, Wish::StopPatiently),
                (signal(SignalKind::hangup())?, Wish::Reload),
                (signal(SignalKind::user_defined1())?, Wish::ReopenLogs),
                (signal(SignalKind::user_defined2())?, Wish::HandOver),
            ]))
        }

        pub(super) async fn next(&mut self) -> Wish {
            std::future::poll_fn(|cx| {
                // All are asked, as only who was asked wakes this task.
                let mut wish = None;
                for (signal, means) in &mut self.0 {
                    if wish.is_none() && signal.poll_recv(cx).is_ready() {
                        wish = Some(*means);
                    }
                }
                wish.map_or(Poll::Pending, Poll::Ready)
            })
            .await
        }
    }
}

impl Signals {
    /// Begins to listen for signals; until then they end the process.
    ///
    /// # Errors
    /// When the system does not let it.
    #[cfg(unix)]
    pub(crate) fn open() -> io::Result<Self> {
        unix::Streams::open().map(Self)
    }

    #[cfg(not(unix))]
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self())
    }

    /// The next one.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) -> Wish {
        self.0.next().await
    }

    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) -> Wish {
        let _ = tokio::signal::ctrl_c().await;
        Wish::Stop
    }
}
