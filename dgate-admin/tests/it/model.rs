//! Random sequences of changes, against a model that is too simple to be wrong: what is refused changes nothing, what is
//! accepted changes what it says, in routing, store and changelog alike.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dgate_admin::store::{FileStore, FileStoreOptions};
use dgate_core::apply::{Applier, ApplyError, ChangeSet, Environment, Expect};
use dgate_core::event::NoEvents;
use dgate_core::resource::{Document, Route, Service};
use dgate_core::store::{DocumentQuery, Entry, Lease, MemoryStore, Store, StoreError, Transaction};
use dgate_core::stored::{ResourceSet, Revision, Stored};
use dgate_core::{BoxFuture, Key, Kind};
use proptest::prelude::*;

/// One wish of a change set; names are few, so that wishes meet.
#[derive(Debug, Clone)]
enum Wish {
    Service { name: u8, retries: u8 },
    Route { name: u8, path: u8, service: u8 },
    DeleteService(u8),
    DeleteRoute(u8),
}

#[derive(Debug, Clone)]
struct Step {
    wishes: Vec<Wish>,
    cascade: bool,
    /// The disk is full.
    disk_fails: bool,
    dry_run: bool,
    /// Expects a service to be absent.
    expects_no_service: Option<u8>,
}

fn wish() -> impl Strategy<Value = Wish> {
    prop_oneof![
        3 => (0..4_u8, 0..3_u8).prop_map(|(name, retries)| Wish::Service { name, retries }),
        3 => (0..4_u8, 0..4_u8, 0..5_u8).prop_map(|(name, path, service)| Wish::Route { name, path, service }),
        1 => (0..4_u8).prop_map(Wish::DeleteService),
        1 => (0..4_u8).prop_map(Wish::DeleteRoute),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let flag = |weight| prop::bool::weighted(weight);
    (
        prop::collection::vec(wish(), 1..4),
        flag(0.3),
        flag(0.1),
        flag(0.1),
        prop::option::weighted(0.1, 0..4_u8),
    )
        .prop_map(|(wishes, cascade, disk_fails, dry_run, expects_no_service)| Step {
            wishes,
            cascade,
            disk_fails,
            dry_run,
            expects_no_service,
        })
}

/// What there is: services with their retries, routes with path and service.
#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    services: BTreeMap<u8, u8>,
    routes: BTreeMap<u8, (u8, u8)>,
}

impl Model {
    /// What a step leads to; nothing when it must be refused.
    fn after(&self, step: &Step) -> Option<Self> {
        if step.expects_no_service.is_some_and(|name| self.services.contains_key(&name)) {
            return None;
        }
        let mut mentioned = Vec::new();
        for wish in &step.wishes {
            let key = match wish {
                Wish::Service { name, .. } | Wish::DeleteService(name) => (0, *name),
                Wish::Route { name, .. } | Wish::DeleteRoute(name) => (1, *name),
            };
            if mentioned.contains(&key) {
                return None;
            }
            mentioned.push(key);
        }
        let mut next = self.clone();
        for wish in &step.wishes {
            match *wish {
                Wish::Service { name, retries } => drop(next.services.insert(name, retries)),
                Wish::Route { name, path, service } => drop(next.routes.insert(name, (path, service))),
                _ => {}
            }
        }
        for wish in &step.wishes {
            match *wish {
                Wish::DeleteRoute(name) => drop(next.routes.remove(&name)),
                Wish::DeleteService(name) if next.services.contains_key(&name) && step.cascade => {
                    let leads_there =
                        |wish: &Wish| matches!(wish, Wish::Route { service, .. } if *service == name);
                    if step.wishes.iter().any(leads_there) {
                        return None;
                    }
                    next.routes.retain(|_, (_, service)| *service != name);
                    next.services.remove(&name);
                }
                Wish::DeleteService(name) => drop(next.services.remove(&name)),
                _ => {}
            }
        }
        let mut paths: Vec<_> = next.routes.values().map(|(path, _)| path).collect();
        paths.sort_unstable();
        let is_unique = paths.windows(2).all(|pair| pair[0] != pair[1]);
        let leads_somewhere = next.routes.values().all(|(_, service)| next.services.contains_key(service));
        (is_unique && leads_somewhere).then_some(next)
    }
}

/// A store whose disk may be full.
struct Flaky {
    inner: Arc<dyn Store>,
    fails: AtomicBool,
}

impl Store for Flaky {
    fn load(&self) -> BoxFuture<'_, Result<(Revision, ResourceSet), StoreError>> {
        self.inner.load()
    }

    fn commit(
        &self,
        expected: Revision,
        writes: Vec<Transaction>,
    ) -> BoxFuture<'_, Result<Revision, StoreError>> {
        if self.fails.load(Ordering::Relaxed) {
            return Box::pin(std::future::ready(Err(StoreError::Unavailable("the disk is full".into()))));
        }
        self.inner.commit(expected, writes)
    }

    fn history(&self, after: Revision, limit: usize) -> BoxFuture<'_, Result<Vec<Arc<Entry>>, StoreError>> {
        self.inner.history(after, limit)
    }

    fn past(&self, revision: Revision) -> BoxFuture<'static, Result<Revision, StoreError>> {
        self.inner.past(revision)
    }

    fn lease(&self, wanted: Lease) -> BoxFuture<'_, Result<Lease, StoreError>> {
        self.inner.lease(wanted)
    }

    fn release(&self, name: &str, holder: &str) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.release(name, holder)
    }

    fn leases(&self, prefix: &str) -> BoxFuture<'_, Result<Vec<Lease>, StoreError>> {
        self.inner.leases(prefix)
    }

    fn document(&self, key: &Key) -> BoxFuture<'_, Result<Option<Arc<Stored<Document>>>, StoreError>> {
        self.inner.document(key)
    }

    fn documents(
        &self,
        query: DocumentQuery,
    ) -> BoxFuture<'_, Result<Vec<Arc<Stored<Document>>>, StoreError>> {
        self.inner.documents(query)
    }
}

fn change_set(step: &Step) -> ChangeSet {
    let key = |kind, name: u8| Key::new(kind, "default", format!("n{name}"));
    let mut changes = ChangeSet { cascade: step.cascade, dry_run: step.dry_run, ..ChangeSet::new() };
    for wish in &step.wishes {
        changes = match *wish {
            Wish::Service { name, retries } => {
                let mut service = Service::new(format!("n{name}"), ["http://127.0.0.1:9"]);
                service.retries = u32::from(retries);
                changes.put(service)
            }
            Wish::Route { name, path, service } => changes
                .put(Route::new(format!("n{name}"), format!("/p{path}")).to_service(format!("n{service}"))),
            Wish::DeleteService(name) => changes.delete(key(Kind::Service, name)),
            Wish::DeleteRoute(name) => changes.delete(key(Kind::Route, name)),
        };
    }
    match step.expects_no_service {
        Some(name) => changes.expect(key(Kind::Service, name), Expect::Absent),
        None => changes,
    }
}

/// What routing, store and changelog say, each by itself.
async fn seen(applier: &Applier, store: &dyn Store) -> (Model, Model, Revision, usize) {
    let number = |name: &str| name[1..].parse().unwrap();
    let live = applier.live().load();
    let mut routed = Model::default();
    if let Some(namespace) = live.snapshot.namespaces().by_name("default") {
        for service in namespace.services().iter() {
            routed.services.insert(number(&service.name), u8::try_from(service.spec.spec.retries).unwrap());
        }
        for route in namespace.routes().iter() {
            let path = number(&route.paths[0].as_str()[1..]);
            let service = number(route.spec.spec.service.as_deref().unwrap());
            routed.routes.insert(number(&route.name), (path, service));
        }
    }
    let (revision, resources) = store.load().await.unwrap();
    let mut stored = Model::default();
    if let Some(tables) = resources.tables("default") {
        for (name, service) in tables.services.iter() {
            stored.services.insert(number(name), u8::try_from(service.spec.retries).unwrap());
        }
        for (name, route) in tables.routes.iter() {
            let service = number(route.spec.service.as_deref().unwrap());
            stored.routes.insert(number(name), (number(&route.spec.paths[0][1..]), service));
        }
    }
    assert_eq!(live.revision, revision);
    (routed, stored, revision, store.history(0, usize::MAX).await.unwrap().len())
}

async fn check(inner: Arc<dyn Store>, steps: &[Step]) {
    let store = Arc::new(Flaky { inner, fails: AtomicBool::new(false) });
    let (applier, mut worker) =
        Applier::new(store.clone(), Vec::new(), Arc::new(NoEvents), Environment::default());
    worker.load().await.unwrap();
    tokio::spawn(worker.run());
    let mut model = Model::default();
    let mut revision = 0;
    for step in steps {
        store.fails.store(step.disk_fails, Ordering::Relaxed);
        let result = applier.apply(change_set(step)).await;
        let wanted = model.after(step);
        let changes_something = wanted.as_ref().is_some_and(|next| *next != model) && !step.dry_run;
        match (&result, &wanted) {
            (Ok(_), Some(_)) if !(changes_something && step.disk_fails) => {}
            (Err(ApplyError::Store(StoreError::Unavailable(_))), Some(_)) if step.disk_fails => {}
            (Err(ApplyError::Invalid(_) | ApplyError::Unexpected { .. }), None) => {}
            _ => panic!("{step:?} on {model:?} led to {result:?}, and should lead to {wanted:?}"),
        }
        if result.is_ok() && changes_something {
            model = wanted.unwrap();
            revision += 1;
        }
        let (routed, stored, at, entries) = seen(&applier, &*store).await;
        assert_eq!(
            (&routed, &stored, at, entries as u64),
            (&model, &model, revision, revision),
            "after {step:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn what_is_refused_changes_nothing(steps in prop::collection::vec(step(), 1..25)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(Arc::new(MemoryStore::new()), &steps));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(8) })]

    #[test]
    fn nor_in_a_file(steps in prop::collection::vec(step(), 1..15)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let store = FileStore::open(FileStoreOptions::new(directory.path())).unwrap();
        runtime.block_on(check(Arc::new(store), &steps));
    }
}
