//! A router whose routes change while it runs: DGate's matching with handlers of one's own.

use std::future::{Ready, ready};
use std::sync::Arc;

use dgate_core::apply::{Applied, Applier, ApplyError, ChangeSet, Environment};
use dgate_core::context::RequestContext;
use dgate_core::event::NoEvents;
use dgate_core::resource::Route;
use dgate_core::store::MemoryStore;
use dgate_core::{Body, ErrorKind, GatewayError};
use dgate_proxy::edge::{PinSnapshot, PinSnapshotLayer, Rescue, RescueLayer};
use dgate_proxy::route::{MatchDomain, MatchDomainLayer, MatchRoute, MatchRouteLayer};
use http::{Request, Response};
use tower::ServiceBuilder;
use tower::util::ServiceFn;

/// Which paths there are. Only the vocabulary is needed to change that: a store, and the pipeline in front of it.
#[derive(Debug, Clone)]
pub(crate) struct Routes(Applier);

/// Matches requests and hands them to [`answer`].
pub(crate) type Router =
    PinSnapshot<Rescue<MatchDomain<MatchRoute<ServiceFn<fn(Request<Body>) -> Answering>>>>>;

type Answering = Ready<Result<Response<Body>, GatewayError>>;

impl Routes {
    /// The routes to begin with.
    pub(crate) async fn start() -> Result<Self, ApplyError> {
        let (applier, mut worker) = Applier::new(
            Arc::new(MemoryStore::new()),
            Vec::new(),
            Arc::new(NoEvents),
            Environment::default(),
        );
        worker.load().await?;
        tokio::spawn(worker.run());
        let routes = Self(applier);
        routes.change(ChangeSet::new().put(Route::new("hello", "/hello/{name}"))).await?;
        Ok(routes)
    }

    /// Changes them. Requests that have begun keep what they found.
    pub(crate) async fn change(&self, changes: ChangeSet) -> Result<Applied, ApplyError> {
        self.0.apply(changes).await
    }

    /// A service that answers by what is live when a request comes.
    pub(crate) fn router(&self) -> Router {
        ServiceBuilder::new()
            .layer(PinSnapshotLayer::new(self.0.live().clone()))
            .layer(RescueLayer)
            .layer(MatchDomainLayer)
            .layer(MatchRouteLayer)
            .service_fn(|request| ready(answer(&request)))
    }
}

/// Answers for all routes: a handler for each, by its name.
fn answer(request: &Request<Body>) -> Result<Response<Body>, GatewayError> {
    let context = request.extensions().get::<RequestContext>();
    let matched = context.and_then(|context| context.matched.as_ref()).ok_or(ErrorKind::NoRoute)?;
    let text = match &*matched.route.name {
        "hello" => format!("hello, {}\n", matched.path_parameter("name").unwrap_or("you")),
        other => format!("this is {other}\n"),
    };
    Ok(Response::new(text.into()))
}
