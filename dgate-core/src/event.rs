//! What happens in a gateway, told to whoever wants to know or to interfere.

mod bus;
mod custom;

use std::sync::Arc;

use crate::BoxFuture;
use crate::resource::AnyResource;
use crate::stored::Revision;
use crate::{Key, Kind};

pub use bus::{EventBus, Subscription};
pub use custom::{CustomEvent, CustomEventError};

/// Something that happened, or is about to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// A resource is created, updated or deleted.
    Resource {
        /// Which one.
        key: Key,
        /// What is done to it.
        change: ResourceChange,
        /// What it becomes; nothing when it is deleted.
        resource: Option<AnyResource>,
    },
    /// A change went live.
    ConfigApplied {
        /// The revision that is live now.
        revision: Revision,
    },
    /// An endpoint became healthy or unhealthy.
    Upstream {
        /// The namespace of its service.
        namespace: Arc<str>,
        /// Its service.
        service: Arc<str>,
        /// Its URL.
        endpoint: Arc<str>,
        /// Whether it is healthy now.
        up: bool,
    },
    /// A module emitted it.
    Custom(CustomEvent),
}

/// What is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceChange {
    /// It is new.
    Create,
    /// It was there and becomes another.
    Update,
    /// It goes.
    Delete,
}

impl Event {
    /// The event's name, as jobs subscribe to it: `resource.route.update`.
    pub fn name(&self) -> String {
        match self {
            Self::Resource { key, change, .. } => {
                let change = match change {
                    ResourceChange::Create => "create",
                    ResourceChange::Update => "update",
                    ResourceChange::Delete => "delete",
                };
                format!("resource.{}.{change}", key.kind)
            }
            Self::ConfigApplied { .. } => "config.applied".to_owned(),
            Self::Upstream { up: true, .. } => "upstream.up".to_owned(),
            Self::Upstream { up: false, .. } => "upstream.down".to_owned(),
            Self::Custom(event) => event.name.clone(),
        }
    }

    /// How many events that modules emitted led to it, itself included; 0 for the gateway's own.
    pub fn depth(&self) -> u8 {
        match self {
            Self::Custom(event) => event.depth,
            _ => 0,
        }
    }

    /// The namespace that it happened in; nothing for what concerns all.
    pub fn namespace(&self) -> Option<&str> {
        match self {
            Self::Resource { key, .. } if key.kind == Kind::Namespace => Some(&key.name),
            Self::Resource { key, .. } => Some(&key.namespace),
            Self::ConfigApplied { .. } => None,
            Self::Upstream { namespace, .. } => Some(namespace),
            Self::Custom(event) => Some(&event.namespace),
        }
    }
}

/// What an interceptor says about an event that is about to happen.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// It may happen as it is.
    Proceed,
    /// It may happen, with this resource instead. It is validated again.
    Replace(AnyResource),
    /// It must not happen, for this reason.
    Refuse(String),
}

/// Whoever wants to know what happens, or to interfere.
pub trait EventSink: Send + Sync + 'static {
    /// Asked before something happens. It may, unless somebody says otherwise.
    fn intercept<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Verdict> {
        let _ = event;
        Box::pin(std::future::ready(Verdict::Proceed))
    }

    /// Told after something happened. Must not block.
    fn emit(&self, event: Event);
}

/// Nobody wants to know.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoEvents;

impl EventSink for NoEvents {
    fn emit(&self, _: Event) {}
}
