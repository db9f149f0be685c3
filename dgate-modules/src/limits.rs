//! How much one call may use.

use std::time::Duration;

use dgate_core::resource::ModuleLimits;

/// How much one call may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct CallLimits {
    /// Computing time, without waiting.
    pub(crate) cpu: Duration,
    /// Time by the clock.
    pub(crate) timeout: Duration,
    /// Largest body, in bytes.
    pub(crate) body: usize,
}

impl From<&ModuleLimits> for CallLimits {
    fn from(limits: &ModuleLimits) -> Self {
        Self {
            cpu: limits.cpu.get(),
            timeout: limits.timeout.get(),
            body: usize::try_from(limits.body.bytes()).unwrap_or(usize::MAX),
        }
    }
}

impl CallLimits {
    /// What several modules may use together in one call: each what the most generous may.
    pub(crate) fn of(all: impl IntoIterator<Item = Self>) -> Self {
        let none = Self { cpu: Duration::ZERO, timeout: Duration::ZERO, body: 0 };
        all.into_iter().fold(none, |a, b| Self {
            cpu: a.cpu.max(b.cpu),
            timeout: a.timeout.max(b.timeout),
            body: a.body.max(b.body),
        })
    }
}
