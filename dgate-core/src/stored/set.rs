//! A whole set of resources.

use std::collections::BTreeMap;
use std::sync::Arc;

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

            /// How many resources there are.
            pub fn len(&self) -> usize {
                0 $(+ self.$field.len())*
            }

            /// Whether there are none.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
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

            /// How many resources there are of each kind.
            pub fn counts(&self) -> impl Iterator<Item = (Kind, usize)> {
                [$((Kind::$kind, self.$field.len()),)*].into_iter()
            }

            /// The resources of one kind, by name. Namespaces and documents are elsewhere.
            pub fn of_kind(&self, kind: Kind) -> Vec<StoredAny> {
                match kind {
                    $(Kind::$kind => self.$field.iter().map(|(_, stored)| stored.erase()).collect(),)*
                    Kind::Namespace | Kind::Document => Vec::new(),
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
#[derive(Debug, Clone, Default)]
struct Entry {
    /// The namespace itself; nothing when only resources say that they are in it.
    stored: Option<Arc<Stored<Namespace>>>,
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
        set.set_default_namespace(true);
        set
    }

    /// Makes the namespace `default` be there without being stored, or not. One that is stored is left alone.
    pub(crate) fn set_default_namespace(&mut self, exists: bool) {
        let is_stored = self.namespace(DEFAULT_NAMESPACE).map(|stored| stored.meta.revision > 0);
        match (is_stored, exists) {
            (None, true) => {
                let default = Namespace::new(DEFAULT_NAMESPACE);
                self.put(StoredAny { spec: default.into(), meta: Meta::unstored() });
            }
            (Some(false), false) => {
                let entry = self.namespaces.remove(DEFAULT_NAMESPACE).unwrap_or_default();
                if !entry.tables.is_empty() {
                    self.namespaces.insert(DEFAULT_NAMESPACE.into(), Entry { stored: None, ..entry });
                }
            }
            _ => {}
        }
    }

    /// Each namespace with its contents, by name.
    pub fn namespaces(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<Stored<Namespace>>, &Tables)> {
        self.namespaces.iter().filter_map(|(name, entry)| Some((name, entry.stored.as_ref()?, &entry.tables)))
    }

    /// Resources of namespaces that are not there.
    pub fn astray(&self) -> impl Iterator<Item = StoredAny> + '_ {
        self.namespaces.values().filter(|entry| entry.stored.is_none()).flat_map(|entry| entry.tables.iter())
    }

    /// The contents of a namespace.
    pub fn tables(&self, namespace: &str) -> Option<&Tables> {
        self.namespaces.get(namespace).map(|entry| &entry.tables)
    }

    /// The namespace of a name.
    pub fn namespace(&self, name: &str) -> Option<&Arc<Stored<Namespace>>> {
        self.namespaces.get(name)?.stored.as_ref()
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
            .flat_map(|entry| entry.stored.iter().map(|stored| stored.erase()).chain(entry.tables.iter()))
    }

    /// How many resources there are.
    pub fn len(&self) -> usize {
        let entries = self.namespaces.values();
        entries.map(|entry| usize::from(entry.stored.is_some()) + entry.tables.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.namespaces.is_empty()
    }

    /// Adds or replaces a resource and returns what it replaced.
    ///
    /// A resource of a namespace that is not there is kept: it is up to [`compile`](crate::compile()) to refuse it.
    pub fn put(&mut self, resource: StoredAny) -> Option<StoredAny> {
        let key = resource.key();
        if let AnyResource::Namespace(spec) = resource.spec {
            let stored = Arc::new(Stored { spec, meta: resource.meta });
            return self
                .namespaces
                .entry(key.name)
                .or_default()
                .stored
                .replace(stored)
                .map(|old| old.erase());
        }
        if key.kind == Kind::Document {
            return None;
        }
        self.namespaces.entry(key.namespace).or_default().tables.insert(key.name, resource)
    }

    /// Removes a resource and returns it. A namespace goes with all its contents.
    pub fn remove(&mut self, key: &Key) -> Option<StoredAny> {
        if key.kind == Kind::Namespace {
            return self.namespaces.remove(&key.name)?.stored.map(|stored| stored.erase());
        }
        let entry = self.namespaces.get_mut(&key.namespace)?;
        let removed = entry.tables.remove(key.kind, &key.name);
        if entry.stored.is_none() && entry.tables.is_empty() {
            self.namespaces.remove(&key.namespace);
        }
        removed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Route;

    #[test]
    fn what_is_in_no_namespace_is_kept_and_known_as_such() {
        let mut set = ResourceSet::new();
        let route = StoredAny { spec: Route::new("r", "/a").into(), meta: Meta::unstored() };
        set.put(route.clone());
        assert_eq!(set.get(&route.key()), Some(route.clone()));
        assert_eq!((set.len(), set.namespaces().count()), (1, 0));
        assert_eq!(set.astray().collect::<Vec<_>>(), std::slice::from_ref(&route));
        set.set_default_namespace(true);
        assert_eq!((set.len(), set.astray().count()), (2, 0));
        set.set_default_namespace(false);
        assert_eq!((set.len(), set.astray().count()), (1, 1));
        set.remove(&Key::new(Kind::Namespace, "", DEFAULT_NAMESPACE));
        assert!(set.is_empty());
        set.put(route.clone());
        assert_eq!(set.remove(&route.key()), Some(route));
        assert!(set.is_empty());
    }
}
