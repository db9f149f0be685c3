use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dgate_core::BoxFuture;
use dgate_core::Kind::*;
use dgate_core::apply::{
    Applied, Applier, ApplyError, Change, ChangeSet, Environment, Mode, Next, Outcome, Prepare, Prepared,
};
use dgate_core::event::{Event, EventSink, NoEvents, Verdict};
use dgate_core::resource::{AnyResource, Route, Service};
use dgate_core::store::{MemoryStore, Store};
use dgate_core::{Key, Problem, Problems};
use serde_json::json;

use crate::resource;

struct Pipeline {
    applier: Applier,
    store: Arc<MemoryStore>,
}

impl Pipeline {
    async fn start() -> Self {
        Self::with(Vec::new(), Arc::new(NoEvents)).await
    }

    async fn with(planes: Vec<Arc<dyn Prepare>>, events: Arc<dyn EventSink>) -> Self {
        let store = Arc::new(MemoryStore::new());
        let (applier, mut worker) = Applier::new(store.clone(), planes, events, Environment::default());
        worker.load().await.unwrap();
        tokio::spawn(worker.run());
        Self { applier, store }
    }

    async fn apply(&self, change_set: ChangeSet) -> Result<Applied, ApplyError> {
        self.applier.apply(change_set).await
    }

    fn route(&self, name: &str) -> Option<String> {
        let live = self.applier.live().load();
        let namespace = live.snapshot.namespaces().by_name("default")?.clone();
        namespace.routes().by_name(name).map(|route| route.paths[0].to_string())
    }
}

fn key(kind: dgate_core::Kind, name: &str) -> Key {
    Key::new(kind, "default", name)
}

fn outcomes(applied: &Applied) -> Vec<(String, Outcome)> {
    applied.outcomes.iter().map(|(key, outcome)| (key.to_string(), *outcome)).collect()
}

#[tokio::test]
async fn a_change_goes_live_and_nothing_changes_when_nothing_changed() {
    let pipeline = Pipeline::start().await;
    let changes =
        || ChangeSet::new().put(Route::new("r", "/a").to_service("s")).put(Service::new("s", ["http://a"]));
    let applied = pipeline.apply(changes()).await.unwrap();
    assert_eq!(applied.revision, 1);
    assert_eq!(pipeline.route("r").as_deref(), Some("/a"));
    let again = pipeline.apply(changes()).await.unwrap();
    assert_eq!(again.revision, 1, "no revision when nothing changed");
    assert!(again.outcomes.iter().all(|(_, outcome)| *outcome == Outcome::Unchanged));
    assert_eq!(pipeline.store.history(0, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_not_valid_changes_nothing() {
    let pipeline = Pipeline::start().await;
    let error = pipeline
        .apply(
            ChangeSet::new().put(Service::new("s", ["http://a"])).put(Route::new("r", "/a").to_service("x")),
        )
        .await
        .unwrap_err();
    assert!(error.to_string().contains("service `x` does not exist"), "{error}");
    assert_eq!(pipeline.store.load().await.unwrap().0, 0);
    let error = pipeline
        .apply(
            ChangeSet::new()
                .put(resource(Route, json!({ "name": "r", "namespace": "defualt", "paths": ["/a"] }))),
        )
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("namespace `defualt` does not exist (did you mean `default`?)"),
        "{error}"
    );
}

#[tokio::test]
async fn deleting_what_is_used_names_the_users_or_cascades() {
    let pipeline = Pipeline::start().await;
    let changes =
        ChangeSet::new().put(Service::new("s", ["http://a"])).put(Route::new("r", "/a").to_service("s"));
    pipeline.apply(changes).await.unwrap();
    let error = pipeline.apply(ChangeSet::new().delete(key(Service, "s"))).await.unwrap_err();
    assert!(error.to_string().contains("service/default/s is used by route/default/r"), "{error}");
    assert!(pipeline.route("r").is_some());
    let applied = pipeline.apply(ChangeSet::new().delete(key(Service, "s")).cascade()).await.unwrap();
    assert_eq!(
        outcomes(&applied),
        [("route/default/r".into(), Outcome::Deleted), ("service/default/s".into(), Outcome::Deleted)]
    );
    assert!(pipeline.route("r").is_none());
}

#[tokio::test]
async fn a_namespace_goes_with_its_contents_only_by_cascade() {
    let pipeline = Pipeline::start().await;
    let changes: ChangeSet = [
        resource(Namespace, json!({ "name": "n" })),
        resource(Collection, json!({ "name": "c", "namespace": "n" })),
        resource(Document, json!({ "id": "d", "namespace": "n", "collection": "c", "data": 1 })),
        resource(Service, json!({ "name": "s", "namespace": "n", "urls": ["http://a"] })),
    ]
    .into_iter()
    .rev()
    .collect();
    pipeline.apply(changes).await.unwrap();
    let namespace = Key::new(Namespace, "", "n");
    let error = pipeline.apply(ChangeSet::new().delete(namespace.clone())).await.unwrap_err();
    assert!(
        error.to_string().contains("namespace/n is not empty: it holds collection/n/c, service/n/s"),
        "{error}"
    );
    pipeline.apply(ChangeSet::new().delete(namespace).cascade()).await.unwrap();
    assert!(pipeline.store.document(&Key::new(Document, "n", "c/d")).await.unwrap().is_none());
}

#[tokio::test]
async fn documents_are_checked_and_created_once() {
    let pipeline = Pipeline::start().await;
    let collection = resource(Collection, json!({ "name": "c", "schema": { "type": "object" } }));
    let document = |data| resource(Document, json!({ "id": "d", "collection": "c", "data": data }));
    let wrong = ChangeSet::new().put(document(json!(7))).put(collection.clone());
    let error = pipeline.apply(wrong).await.unwrap_err();
    assert!(error.to_string().contains("document/default/c/d /data: 7 is not of type"), "{error}");
    let missing = pipeline.apply(ChangeSet::new().put(document(json!({})))).await.unwrap_err();
    assert!(missing.to_string().contains("collection `c` does not exist"), "{missing}");
    pipeline.apply(ChangeSet::new().put(document(json!({ "a": 1 }))).put(collection)).await.unwrap();
    let mut create = ChangeSet::new();
    create.changes.push(Change::Create(document(json!({ "a": 2 }))));
    assert_eq!(pipeline.apply(create).await.unwrap().outcomes[0].1, Outcome::Unchanged);
    let stored = pipeline.store.document(&key(Document, "c/d")).await.unwrap().unwrap();
    assert_eq!(stored.spec.data, json!({ "a": 1 }));
}

#[tokio::test]
async fn an_owner_keeps_its_set_in_step_and_leaves_others_alone() {
    let pipeline = Pipeline::start().await;
    let sync = |resources: Vec<AnyResource>| {
        let mut changes: ChangeSet = resources.into_iter().collect();
        changes.mode = Mode::Sync;
        changes.owner = Some("config-file".into());
        changes
    };
    let service = || -> AnyResource { Service::new("s", ["http://a"]).into() };
    let route = |name: &str, path: &str| -> AnyResource { Route::new(name, path).to_service("s").into() };
    pipeline.apply(sync(vec![service(), route("a", "/a"), route("b", "/b")])).await.unwrap();
    pipeline.apply(ChangeSet::new().put(route("c", "/c"))).await.unwrap();

    let applied =
        pipeline.apply(sync(vec![service(), route("a", "/a2"), route("c", "/changed")])).await.unwrap();
    assert_eq!(pipeline.route("a").as_deref(), Some("/a2"));
    assert_eq!(pipeline.route("b"), None, "no longer listed");
    assert_eq!(pipeline.route("c").as_deref(), Some("/c"), "another's");
    assert!(applied.warnings.to_string().contains("route/default/c: left as it is"), "{}", applied.warnings);

    let error = pipeline.apply(sync(vec![])).await.unwrap_err();
    assert!(error.to_string().contains("service/default/s is used by route/default/c"), "{error}");
    let revision = pipeline.store.load().await.unwrap().0;
    assert_eq!(pipeline.apply(sync(vec![service(), route("a", "/a2")])).await.unwrap().revision, revision);
}

#[tokio::test]
async fn dry_runs_and_expected_revisions() {
    let pipeline = Pipeline::start().await;
    let put = || ChangeSet::new().put(Route::new("r", "/a"));
    assert_eq!(pipeline.apply(put().dry_run()).await.unwrap().outcomes[0].1, Outcome::Created);
    assert_eq!(pipeline.route("r"), None);
    let error = pipeline.apply(put().expect_revision(5)).await.unwrap_err();
    assert_eq!(error.to_string(), "the configuration is at revision 0, not at 5");
    pipeline.apply(put().expect_revision(0)).await.unwrap();
}

#[tokio::test]
async fn what_is_only_created_is_left_as_it_is() {
    let pipeline = Pipeline::start().await;
    for (path, outcome) in [("/a", "created"), ("/b", "unchanged")] {
        let applied = pipeline.apply(ChangeSet::new().create(Route::new("r", path))).await.unwrap();
        assert_eq!(applied.outcomes[0].1.to_string(), outcome);
        assert_eq!(pipeline.route("r").unwrap(), "/a");
    }
}

#[tokio::test]
async fn waiting_changes_go_together_and_a_bad_one_spoils_only_itself() {
    let pipeline = Pipeline::start().await;
    let put = |name: &str, path: &str| {
        let (applier, change) = (pipeline.applier.clone(), ChangeSet::new().put(Route::new(name, path)));
        tokio::spawn(async move { applier.apply(change).await })
    };
    let tasks: Vec<_> = (0..20).map(|index| put(&format!("r{index}"), &format!("/{index}"))).collect();
    let clash = put("clash", "/7");
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert!(clash.await.unwrap().unwrap_err().to_string().contains("can match the same requests"));
    assert_eq!(pipeline.store.load().await.unwrap().0, 20, "one revision for each change");
    assert!(pipeline.applier.live().load().generation < 25);
}

/// A data plane that counts what it is asked to do, and refuses routes named `refused`.
#[derive(Default)]
struct CountingPlane {
    refuses: bool,
    prepared: AtomicUsize,
    published: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

struct CountingPrepared {
    published: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

impl Prepare for CountingPlane {
    fn prepare<'a>(&'a self, next: Next<'a>) -> BoxFuture<'a, Result<Box<dyn Prepared>, Problems>> {
        self.prepared.fetch_add(1, Ordering::Relaxed);
        let refused = next
            .snapshot
            .namespaces()
            .iter()
            .any(|namespace| namespace.routes().by_name("refused").is_some());
        let prepared: Box<dyn Prepared> =
            Box::new(CountingPrepared { published: self.published.clone(), dropped: self.dropped.clone() });
        let result = if refused && self.refuses {
            Err(Problem::error("", "the plane refuses").into())
        } else {
            Ok(prepared)
        };
        Box::pin(async move { result })
    }
}

impl Prepared for CountingPrepared {
    fn plan(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::new(7_u32)
    }

    fn published(self: Box<Self>) {
        self.published.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for CountingPrepared {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_plane_that_is_not_ready_stops_the_change() {
    let refusing = Arc::new(CountingPlane { refuses: true, ..CountingPlane::default() });
    let other = Arc::new(CountingPlane::default());
    let pipeline = Pipeline::with(vec![other.clone(), refusing.clone()], Arc::new(NoEvents)).await;
    assert_eq!(pipeline.applier.live().load().plan::<u32>(), Some(&7));
    let error = pipeline.apply(ChangeSet::new().put(Route::new("refused", "/a"))).await.unwrap_err();
    assert_eq!(error.to_string(), "the plane refuses");
    assert_eq!(pipeline.store.load().await.unwrap().0, 0);
    assert_eq!(other.published.load(Ordering::Relaxed), 1, "only the first load");
    assert_eq!(other.dropped.load(Ordering::Relaxed), 2, "what was prepared is dropped");
}

/// Refuses routes below `/admin` and moves those below `/old`.
struct Interceptor;

impl EventSink for Interceptor {
    fn intercept<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Verdict> {
        let verdict = match event {
            Event::Resource { resource: Some(AnyResource::Route(route)), .. }
                if route.paths[0].starts_with("/admin") =>
            {
                Verdict::Refuse("not below /admin".into())
            }
            Event::Resource { resource: Some(AnyResource::Route(route)), .. }
                if route.paths[0].starts_with("/old") =>
            {
                let mut moved = (**route).clone();
                moved.paths[0] = moved.paths[0].replace("/old", "/new");
                Verdict::Replace(moved.into())
            }
            _ => Verdict::Proceed,
        };
        Box::pin(async move { verdict })
    }

    fn emit(&self, _: Event) {}
}

#[tokio::test]
async fn interceptors_change_and_refuse() {
    let pipeline = Pipeline::with(Vec::new(), Arc::new(Interceptor)).await;
    let error = pipeline.apply(ChangeSet::new().put(Route::new("r", "/admin/x"))).await.unwrap_err();
    assert_eq!(error.to_string(), "route/default/r: refused: not below /admin");
    pipeline.apply(ChangeSet::new().put(Route::new("r", "/old/x"))).await.unwrap();
    assert_eq!(pipeline.route("r").as_deref(), Some("/new/x"));
}

#[tokio::test]
async fn old_generations_die() {
    let pipeline = Pipeline::start().await;
    for index in 0..50 {
        pipeline.apply(ChangeSet::new().put(Route::new("r", format!("/{index}")))).await.unwrap();
    }
    assert_eq!(pipeline.applier.live().generations_alive(), 1);
}

#[tokio::test]
async fn another_worker_loads_from_the_store_what_this_one_made_live() {
    let pipeline = Pipeline::start().await;
    let changes =
        ChangeSet::new().put(Service::new("s", ["http://a"])).put(Route::new("r", "/a").to_service("s"));
    pipeline.apply(changes).await.unwrap();
    let (revision, stored) = pipeline.store.load().await.unwrap();
    assert_eq!(revision, 1);
    let keys: Vec<_> = stored.iter().map(|resource| resource.key().to_string()).collect();
    assert_eq!(keys, ["namespace/default", "service/default/s", "route/default/r"]);
    let store: Arc<dyn Store> = pipeline.store.clone();
    let environment = Environment { default_namespace: false, ..Environment::default() };
    let (again, mut worker) = Applier::new(store, Vec::new(), Arc::new(NoEvents), environment);
    worker.load().await.unwrap();
    let live = again.live().load();
    let default = live.snapshot.namespaces().by_name("default").expect("it was stored with what is in it");
    assert!(default.routes().by_name("r").is_some());
}

#[tokio::test]
async fn an_owner_may_describe_the_namespace_that_is_there_by_itself() {
    let pipeline = Pipeline::start().await;
    let wish = |tags: serde_json::Value| ChangeSet {
        owner: Some("file".into()),
        mode: Mode::Sync,
        ..ChangeSet::from(resource(Namespace, json!({ "name": "default", "server_tags": tags })))
    };
    let tags = |pipeline: &Pipeline| {
        let live = pipeline.applier.live().load();
        live.snapshot.resources().namespace("default").unwrap().spec.server_tags.clone()
    };
    pipeline.apply(wish(json!(["a"]))).await.unwrap();
    assert_eq!(tags(&pipeline), ["a"]);
    pipeline.apply(wish(json!(["b"]))).await.unwrap();
    assert_eq!(tags(&pipeline), ["b"]);
    let other = ChangeSet { owner: Some("other".into()), ..wish(json!(["c"])) };
    assert_eq!(pipeline.apply(other).await.unwrap().warnings.len(), 1, "it is somebody's now");
    assert_eq!(tags(&pipeline), ["b"]);
}
