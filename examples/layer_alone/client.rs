//! A client that balances over endpoints: with retries, health and pooled connections, but without a gateway.

use dgate_core::Problems;
use dgate_core::resource::Service;
use dgate_proxy::upstream::{
    Retry, RetryLayer, RetryRules, SelectEndpoint, SelectEndpointLayer, Send, TrackHealth, TrackHealthLayer,
};
use tower::ServiceBuilder;

/// A tower service that sends requests to one of a service's endpoints. Cheap to clone; all clones share connections.
pub(crate) type Client = Retry<SelectEndpoint<TrackHealth<Send>>>;

/// A client for a service, by the rules that are written in it: `balance`, `retries`, `health_check`, `tls` …
pub(crate) fn client(service: Service) -> Result<Client, Problems> {
    Ok(ServiceBuilder::new()
        // Another attempt asks another endpoint …
        .layer(RetryLayer::new(RetryRules::from(&service)))
        .layer(SelectEndpointLayer::new(service)?)
        // … and one that keeps failing is left alone for a while.
        .layer(TrackHealthLayer::default())
        .service(Send::default()))
}
