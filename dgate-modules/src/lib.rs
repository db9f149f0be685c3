//! TypeScript and JavaScript in the request path of the DGate gateway.
//!
//! [`ModuleRunner`] is the [`HookRunner`](dgate_core::hook::HookRunner) that a gateway is built with. See
//! `ARCHITECTURE.md` for the life of a hook call.

mod capability;
mod cookies;
mod engine;
mod exchange;
mod failure;
mod hash;
mod hook;
mod limits;
pub mod local;
mod metrics;
mod native;
mod permission;
mod pool;
mod program;
mod random;
mod runner;
mod session;
mod trailers;
mod typescript;
mod worker;

pub use capability::{ConsoleLine, Node};
pub use pool::PoolSettings;
pub use runner::{ModuleRunner, ModuleSettings};
