//! A resource of whichever kind.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::{
    Collection, Document, Domain, Job, Listener, Module, Namespace, Protocol, Resource, Route, Secret,
    Service,
};
use crate::{Key, Kind, decode};

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

            /// The namespace; empty for namespaces themselves.
            pub fn namespace(&self) -> &str {
                match self { $(Self::$kind(resource) => resource.namespace(),)* }
            }

            /// Labels and conditions.
            pub fn tags(&self) -> &[String] {
                match self { $(Self::$kind(resource) => resource.tags(),)* }
            }
        }

        impl AnyResource {
            /// What may be shown of it: see [`decode::public`].
            ///
            /// ```
            /// use dgate_core::resource::{AnyResource, Secret};
            /// let secret = serde_json::json!({ "name": "token", "data": "hunter2" });
            /// let secret: AnyResource = dgate_core::decode::<Secret>(secret).unwrap().into();
            /// let shown = secret.public(&|secret| format!("{} characters", secret.len()));
            /// assert_eq!(shown["data_fingerprint"], "7 characters");
            /// assert_eq!(shown.get("data"), None);
            /// ```
            pub fn public(&self, fingerprint: &dyn Fn(&str) -> String) -> Value {
                match self {
                    $(Self::$kind(resource) => {
                        let mut value = serde_json::to_value(resource).unwrap_or_default();
                        decode::public::<$kind>(&mut value, fingerprint);
                        value
                    })*
                }
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
