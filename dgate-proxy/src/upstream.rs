//! From a route to its upstream and back.

mod attempt_error;
mod budget;
mod forward;
mod hop_by_hop;
mod lone_service;
mod mirror;
mod passage;
mod replay;
mod retry;
mod retry_rules;
mod select;
mod send;
mod slot;
mod target;
mod timeout;
mod track_health;

pub(crate) use budget::RetryBudget;
pub use forward::{Forward, ForwardLayer};
pub(crate) use hop_by_hop::{strip_hop_by_hop, strip_listed};
pub use mirror::{MirrorTraffic, MirrorTrafficLayer};
pub(crate) use passage::Passage;
pub use retry::{Retry, RetryLayer};
pub use retry_rules::RetryRules;
pub(crate) use select::ChosenUpstream;
pub use select::{SelectEndpoint, SelectEndpointLayer};
pub use send::Send;
pub(crate) use slot::ReturnSlot;
pub use target::Target;
pub use timeout::{Timeout, TimeoutLayer};
pub use track_health::{TrackHealth, TrackHealthLayer};
