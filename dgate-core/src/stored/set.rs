//! A whole set of resources.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Meta, Stored, StoredAny, Table};
use crate::key::DEFAULT_NAMESPACE;
use crate::resource::{
    AnyResource, Collection, Domain, Job, Listener, Module, Namespace, Protocol, Route, Secret, Service,
};
use crate::{Key, Kind};

macro_rules! tables {
    ($($field:ident: $kind:ident),* $(,)?) => {
        /// Everything in one namespace, one table a kind. Documents are data, not configuration: the store has them.
        #[derive(Debug, Clone, Default)]
        pub struct Tables {
            $(#[doc = concat!("The [`", stringify!($kind), "`] resources.")] pub $field: Table<$kind>,)*
        }

        impl Tables {
            /// Whether both hold the same, unchanged.
            pub fn same(&self, other: &Self) -> bool {
                true $(&& self.$field.same(&other.$field))*
            }

            fn insert(&mut self, name: Arc<str>, resource: StoredAny) -> Option<StoredAny> {
                let StoredAny { spec, meta } = resource;
                match spec {
                    $(AnyResource::$kind(spec) => self.$field.insert(name, Stored { spec, meta }).map(|old| old.erase()),)*
                    AnyResource::Namespace(_) | AnyResource::Document(_) => None,
                }
            }

            fn remove(&mut self, kind: Kind, name: &str) -> Option<StoredAny> {
                match kind {
                    $(Kind::$kind => self.$field.remove(name).map(|old| old.erase()),)*
                    Kind::Namespace | Kind::Document => None,
                }
            }

            fn get(&self, kind: Kind, name: &str) -> Option<StoredAny> {
                match kind {
                    $(Kind::$kind => self.$field.get(name).map(|stored| stored.erase()),)*
                    Kind::Namespace | Kind::Document => None,
                }
            }

            /// All resources, kind by kind.
            pub fn iter(&self) -> impl Iterator<Item = StoredAny> + '_ {
                std::iter::empty() $(.chain(self.$field.iter().map(|(_, stored)| stored.erase())))*
            }
        }
    };
}

tables! {
    secrets: Secret,
    modules: Module,
    collections: Collection,
    services: Service,
    protocols: Protocol,
    routes: Route,
    listeners: Listener,
    jobs: Job,
    domains: Domain,
}

/// A namespace and what is in it.
#[derive(Debug, Clone)]
struct Entry {
    stored: Arc<Stored<Namespace>>,
    tables: Tables,
}

/// A whole set of resources. Cloning shares; writing copies only the tables it touches.
#[derive(Debug, Clone, Default)]
pub struct ResourceSet {
    namespaces: BTreeMap<Arc<str>, Entry>,
}

impl ResourceSet {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// A set with the namespace `default` in it.
    pub fn with_default_namespace() -> Self {
        let mut set = Self::new();
        let now = Timestamp::UNIX_EPOCH;
        set.put(StoredAny {
            spec: Namespace { name: DEFAULT_NAMESPACE.to_owned(), tags: Vec::new() }.into(),
            meta: Meta { revision: 0, created_at: now, updated_at: now, owner: None },
        });
        set
    }

    /// Each namespace with its contents, by name.
    pub fn namespaces(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<Stored<Namespace>>, &Tables)> {
        self.namespaces.iter().map(|(name, entry)| (name, &entry.stored, &entry.tables))
    }

    /// The contents of a namespace.
    pub fn tables(&self, namespace: &str) -> Option<&Tables> {
        self.namespaces.get(namespace).map(|entry| &entry.tables)
    }

    /// The namespace of a name.
    pub fn namespace(&self, name: &str) -> Option<&Arc<Stored<Namespace>>> {
        self.namespaces.get(name).map(|entry| &entry.stored)
    }

    /// The resource of a key.
    pub fn get(&self, key: &Key) -> Option<StoredAny> {
        match key.kind {
            Kind::Namespace => self.namespace(&key.name).map(|stored| stored.erase()),
            kind => self.tables(&key.namespace)?.get(kind, &key.name),
        }
    }

    /// All resources: each namespace, then what is in it.
    pub fn iter(&self) -> impl Iterator<Item = StoredAny> + '_ {
        self.namespaces
            .values()
            .flat_map(|entry| std::iter::once(entry.stored.erase()).chain(entry.tables.iter()))
    }

    /// How many resources there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.namespaces.is_empty()
    }

    /// Adds or replaces a resource and returns what it replaced.
    ///
    /// A resource of a namespace that is not there is dropped: validation has refused it before.
    pub fn put(&mut self, resource: StoredAny) -> Option<StoredAny> {
        let key = resource.key();
        if let AnyResource::Namespace(spec) = resource.spec {
            let stored = Arc::new(Stored { spec, meta: resource.meta });
            return match self.namespaces.get_mut(&key.name) {
                Some(entry) => Some(std::mem::replace(&mut entry.stored, stored).erase()),
                None => {
                    self.namespaces.insert(key.name, Entry { stored, tables: Tables::default() });
                    None
                }
            };
        }
        self.namespaces.get_mut(&key.namespace)?.tables.insert(key.name, resource)
    }

    /// Removes a resource and returns it. A namespace goes with all its contents.
    pub fn remove(&mut self, key: &Key) -> Option<StoredAny> {
        match key.kind {
            Kind::Namespace => self.namespaces.remove(&key.name).map(|entry| entry.stored.erase()),
            kind => self.namespaces.get_mut(&key.namespace)?.tables.remove(kind, &key.name),
        }
    }
}
