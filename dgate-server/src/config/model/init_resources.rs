//! `proxy.init_resources`.

use dgate_core::resource::{
    AnyResource, Collection, Document, Domain, Job, Listener, Module, Namespace, Protocol, Resource, Route,
    Secret, Service,
};
use dgate_core::{Key, Kind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! init_resources {
    ($($field:ident: $kind:ident),* $(,)?) => {
        /// Resources that this file owns: created and updated as listed, removed when they are listed no more. What
        /// others own is left alone. Documents are created when they are absent, and never overwritten.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct InitResources {
            $(
                #[doc = concat!("The ", stringify!($field), ".")]
                #[serde(skip_serializing_if = "Vec::is_empty")]
                pub $field: Vec<$kind>,
            )*
            /// Leave out resources that are not valid, with a warning for each, instead of refusing the whole file.
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            pub skip_validation: bool,
        }

        impl InitResources {
            /// All of them, each with its place in the file as a JSON pointer.
            pub fn iter(&self) -> impl Iterator<Item = (String, AnyResource)> + '_ {
                std::iter::empty()
                    $(.chain(self.$field.iter().enumerate().map(|(index, resource)| {
                        let pointer = format!("/proxy/init_resources/{}/{index}", stringify!($field));
                        (pointer, AnyResource::from(resource.clone()))
                    })))*
            }

            /// The places of all resources of a key, as JSON pointers.
            pub fn places(&self, key: &Key) -> Vec<String> {
                match key.kind {
                    $(Kind::$kind => {
                        let is_it = |resource: &$kind| resource.key() == *key;
                        let found = self.$field.iter().enumerate().filter(|(_, resource)| is_it(resource));
                        found.map(|(index, _)| format!("/proxy/init_resources/{}/{index}", stringify!($field))).collect()
                    })*
                }
            }

            /// Lets a function change each resource in place, knowing where it stands.
            pub(crate) fn for_each_mut(&mut self, mut change: impl FnMut(&str, ResourceMut<'_>)) {
                $(for (index, resource) in self.$field.iter_mut().enumerate() {
                    let pointer = format!("/proxy/init_resources/{}/{index}", stringify!($field));
                    change(&pointer, ResourceMut::from(resource));
                })*
            }
        }

        $(
            impl<'a> From<&'a mut $kind> for ResourceMut<'a> {
                fn from(resource: &'a mut $kind) -> Self {
                    init_resources!(@mut $kind resource)
                }
            }
        )*
    };
    (@mut Domain $resource:ident) => { ResourceMut::Domain($resource) };
    (@mut Module $resource:ident) => { ResourceMut::Module($resource) };
    (@mut $kind:ident $resource:ident) => {{ let _ = $resource; ResourceMut::Other }};
}

/// A resource that may name files.
pub(crate) enum ResourceMut<'a> {
    Domain(&'a mut Domain),
    Module(&'a mut Module),
    Other,
}

init_resources! {
    namespaces: Namespace,
    domains: Domain,
    services: Service,
    routes: Route,
    modules: Module,
    collections: Collection,
    documents: Document,
    secrets: Secret,
    jobs: Job,
    listeners: Listener,
    protocols: Protocol,
}
