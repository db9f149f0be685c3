//! The resources as a person writes them: documented serde types, one file a kind.
//!
//! These types say what may be written, never what runs: defaults are filled in, names are plain text and
//! nothing is resolved. [`crate::compile()`] turns a whole set of them into a [`crate::snapshot::Snapshot`].

mod any;
mod collection;
mod document;
mod domain;
mod job;
mod listener;
mod module;
mod namespace;
mod protocol;
mod route;
mod secret;
mod service;

use std::fmt::Debug;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use any::AnyResource;
pub use collection::{Collection, Visibility};
pub use document::Document;
pub use domain::Domain;
pub use job::{Job, JobScope, MissedRun, OverlapPolicy};
pub use listener::{
    Listener, ListenerLimits, ListenerMatch, ListenerTls, ProxyProtocol, ProxyProtocolAccept,
    ProxyProtocolSend, TlsMode,
};
pub use module::{EnvValue, FailurePolicy, Module, ModuleLimits, ModuleType};
pub use namespace::Namespace;
pub use protocol::{Endian, Field, Framing, FramingKind, Length, Protocol};
pub use route::{Condition, Mirror, Route, RouteMatch};
pub use secret::Secret;
pub use service::{
    ActiveHealth, Balance, HashKey, HashOptions, HealthCheck, PassiveHealth, RetryOn, Service, UpstreamTls,
    UpstreamUrl,
};

use crate::key::DEFAULT_NAMESPACE;
use crate::{Key, Kind};

/// One kind of resource, as it is written.
pub trait Resource:
    Clone
    + Debug
    + PartialEq
    + Serialize
    + DeserializeOwned
    + JsonSchema
    + Into<AnyResource>
    + Send
    + Sync
    + 'static
{
    /// Which kind this is.
    const KIND: Kind;

    /// The name within the namespace; for documents `collection/id`.
    fn name(&self) -> String;

    /// The namespace; empty for namespaces themselves.
    fn namespace(&self) -> &str;

    /// Labels and conditions; empty for documents.
    fn tags(&self) -> &[String];

    /// Kind, namespace and name in one.
    fn key(&self) -> Key {
        Key::new(Self::KIND, self.namespace(), self.name())
    }
}

/// The usual shape: `name`, `namespace` and `tags` are fields of that name.
macro_rules! named_resource {
    ($resource:ident) => {
        impl crate::resource::Resource for $resource {
            const KIND: crate::Kind = crate::Kind::$resource;

            fn name(&self) -> String {
                self.name.clone()
            }

            fn namespace(&self) -> &str {
                &self.namespace
            }

            fn tags(&self) -> &[String] {
                &self.tags
            }
        }
    };
}
use named_resource;

pub(crate) fn default_namespace() -> String {
    DEFAULT_NAMESPACE.to_owned()
}

/// For `#[serde(skip_serializing_if)]`: leaves defaults out of what is written back.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The same for flags that are on by default.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub(crate) fn is_true(flag: &bool) -> bool {
    *flag
}
