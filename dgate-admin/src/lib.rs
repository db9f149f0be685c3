//! The control plane of DGate: where resources are kept, and the API that changes them.
//!
//! - [`api`]: the Admin API, a tower service over the apply pipeline of `dgate-core`.
//! - [`auth`]: who may use it, and for what.
//! - [`store`]: the store that keeps resources, documents and the changelog in a file.
//!
//! It opens no sockets: whoever joins the parts of a gateway serves it where and how they like.

pub mod api;
pub mod auth;
mod diff;
mod fingerprint;
pub mod store;

pub use fingerprint::Fingerprints;
