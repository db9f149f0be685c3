//! The control plane as its users see it: requests in, answers out.

#![allow(clippy::unwrap_used, missing_docs)]

mod api;
mod bombs;
mod history;
mod kit;
mod model;
mod openapi;
mod roles;
mod slow;
mod store;
mod tags;
mod watch;
