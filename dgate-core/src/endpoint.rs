//! Endpoints: who can be asked, how they are, and who is asked next.
//!
//! What is known about an endpoint outlives snapshots: it is kept under the endpoint's identity, and an edit that does
//! not change the identity does not touch it. Choosing is pure: no sockets, no timers, the time is given.

mod balancer;
mod health;
mod maglev;
mod registry;

pub use balancer::{Balancer, Choice};
pub use health::{Health, HealthChange};
pub use registry::{Endpoint, EndpointId, EndpointRegistry, InFlight};
