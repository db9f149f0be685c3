//! A resource of whichever kind.

use std::sync::Arc;

use serde::Serialize;

use super::{
    Collection, Document, Domain, Job, Listener, Module, Namespace, Protocol, Resource, Route, Secret,
    Service,
};
use crate::{Key, Kind};

macro_rules! any_resource {
    ($($kind:ident),* $(,)?) => {
        /// A resource of whichever kind, cheap to clone.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum AnyResource {
            $(#[doc = concat!("A [`", stringify!($kind), "`].")] $kind(Arc<$kind>),)*
        }

        impl AnyResource {
            /// Which kind it is.
            pub fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind,)* }
            }

            /// Kind, namespace and name.
            pub fn key(&self) -> Key {
                match self { $(Self::$kind(resource) => resource.key(),)* }
            }

            /// Labels and conditions.
            pub fn tags(&self) -> &[String] {
                match self { $(Self::$kind(resource) => resource.tags(),)* }
            }
        }

        $(
            impl From<$kind> for AnyResource {
                fn from(resource: $kind) -> Self {
                    Self::$kind(Arc::new(resource))
                }
            }

            impl From<Arc<$kind>> for AnyResource {
                fn from(resource: Arc<$kind>) -> Self {
                    Self::$kind(resource)
                }
            }
        )*

        /// Runs a generic function for the Rust type of a [`Kind`]: `with_kind!(kind, R => decode::<R>(value))`.
        #[macro_export]
        macro_rules! with_kind {
            ($k:expr, $r:ident => $body:expr) => {
                match $k { $($crate::Kind::$kind => { type $r = $crate::resource::$kind; $body })* }
            };
        }
    };
}

any_resource!(
    Namespace, Domain, Service, Route, Module, Collection, Document, Secret, Job, Listener, Protocol
);
