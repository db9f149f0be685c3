//! What the Admin API takes and gives, as documented types. Resources themselves are those of
//! [`dgate_core::resource`], without secrets and with what the store knows about them (`revision`, `created_at`,
//! `updated_at`, `owner`).
//!
//! Every answer that is not a failure is `{"success": true, "data": …, "revision": n}`; lists add `count` and, when there
//! is more, `next_cursor`; writes add `warnings`. A failure is a [`Failed`].

mod changes;
mod explain;
mod failed;
mod run;
mod status;
mod wishes;

pub use changes::{BeforeAfter, Change, ChangelogEntry, ChangelogSummary, Deleted, Done, Plan};
pub use dgate_core::explain::{Candidate, CarriedTag, ConditionVerdict};
pub use explain::{
    Explain, Explained, ExplainedDomain, ExplainedEndpoint, ExplainedRoute, RouteCandidate, SentAnswer,
};
pub use failed::{Failed, Fault};
pub use run::{ConsoleLine, HookFailed, HookRan, ModuleRan, RunModule};
pub use status::{Connections, Load, Node, Session, Stats, UpstreamEndpoint, UpstreamService};
pub use wishes::{Apply, ApplyMode, Named, NamedDocument, NamedNamespace, Rollback};

pub use crate::diff::Difference;
