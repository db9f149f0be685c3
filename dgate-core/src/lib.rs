//! The vocabulary of DGate, a programmable gateway: what may be configured, what it means, and how it changes.
//!
//! This crate opens no sockets, runs no scripts and serves no HTTP. It holds what all the others agree on:
//!
//! - [`resource`]: what a person writes, as documented serde types; [`decode()`] reads them and reports every mistake.
//! - [`mod@compile`]: turns a whole set of resources into an immutable, indexed [`snapshot::Snapshot`].
//! - [`publish`]: the one swappable cell that data planes read.
//! - [`mod@apply`]: the one way in which it changes, over the traits [`store::Store`], [`apply::Prepare`] and
//!   [`event::EventSink`].
//! - [`hook`]: how modules take part in a request, whatever language they are written in.
//! - [`explain`]: why a request goes where it goes, and [`timeline`]: what will change with time.
//! - [`error`]: what went wrong with a request, and whose fault it was.
//!
//! ```
//! use dgate_core::resource::{Route, Service};
//! use dgate_core::snapshot::RouteLookup;
//! use dgate_core::{apply::resource_set, compile, tags::ServerTags};
//!
//! let resources = resource_set([
//!     Service::new("users", ["http://10.0.0.7:8080"]).into(),
//!     Route::new("user", "/users/{id}").to_service("users").into(),
//! ]);
//! let (snapshot, _warnings) = compile(&resources, &ServerTags::default(), None).unwrap();
//! let namespace = snapshot.namespaces().by_name("default").unwrap();
//! let found = namespace.find_route(&http::Method::GET, "/users/7", &http::HeaderMap::new(), None);
//! assert!(matches!(found, RouteLookup::Found(found) if &*found.route.name == "user"));
//! ```
//!
//! # Features
//! - `text`: reading what people write into files, with references, and where in them something stands.
//! - `test-util`: builders and fakes for tests.

pub mod address;
pub mod apply;
pub mod body;
pub mod capability;
pub mod clock;
pub mod compile;
pub mod context;
pub mod decode;
pub mod endpoint;
pub mod error;
pub mod event;
pub mod explain;
pub mod hook;
pub mod key;
mod kind;
pub mod metric_handle;
pub mod metric_names;
pub mod pattern;
pub mod permission;
mod problems;
pub mod publish;
pub mod resource;
pub mod snapshot;
pub mod store;
pub mod stored;
pub mod tags;
#[cfg(feature = "text")]
pub mod text;
pub mod timeline;
pub mod units;
pub mod worker;

/// A boxed future, as trait objects need it.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn std::future::Future<Output = T> + Send + 'a>>;

pub use body::Body;
pub use compile::compile;
pub use decode::decode;
pub use error::{ErrorKind, GatewayError};
pub use key::Key;
pub use kind::{Kind, UnknownKind};
pub use problems::{Problem, Problems, Severity, closest};
