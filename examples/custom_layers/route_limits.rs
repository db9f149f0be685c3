//! Route: one busy route does not take the room of the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use dgate_core::context::RequestContext;
use dgate_core::{Body, GatewayError};
use dgate_proxy::SharedService;
use http::{Request, Response, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Lets so many requests of each route wait for their upstream at a time, and answers 429 to the rest.
#[derive(Debug, Clone)]
pub(crate) struct RouteLimits {
    most: usize,
    /// What is counted outlives changes of the configuration, so it is kept by name.
    rooms: Arc<Mutex<HashMap<RouteName, Arc<Semaphore>>>>,
}

/// Namespace and name.
type RouteName = (Arc<str>, Arc<str>);

impl RouteLimits {
    /// The same limit for every route.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, rooms: Arc::default() }
    }

    /// Passes a request on while its route has room. A request that is refused has not waited.
    pub(crate) async fn pass(
        self,
        request: Request<Body>,
        next: SharedService,
    ) -> Result<Response<Body>, GatewayError> {
        match self.permit(&request) {
            Some(_until_answered) => next.call(request).await,
            None => Ok(too_many()),
        }
    }

    fn permit(&self, request: &Request<Body>) -> Option<OwnedSemaphorePermit> {
        let matched = request.extensions().get::<RequestContext>()?.matched.as_ref()?;
        let name = (matched.namespace.name.clone(), matched.route.name.clone());
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let room = rooms.entry(name).or_insert_with(|| Arc::new(Semaphore::new(self.most)));
        room.clone().try_acquire_owned().ok()
    }
}

fn too_many() -> Response<Body> {
    let mut response = Response::new(Body::from("this route is busy\n"));
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    response
}
