//! The whole HTTP path, from the outside in. Each layer says why it stands at its height.

use std::sync::Arc;

use dgate_core::event::EventSink;
use dgate_core::hook::HookRunner;
use tower_layer::Layer;

use crate::edge::{
    AccessLog, Decorate, DecorateLayer, InFlightLimit, InFlightLimitLayer, Observe, ObserveLayer, Rescue,
    RescueLayer,
};
use crate::hooks::RunHooksLayer;
use crate::metrics::PlaneMetrics;
use crate::plan::Registries;
use crate::route::{
    Admit, AdmitLayer, Dispatch, LimitBody, LimitBodyLayer, MatchDomain, MatchDomainLayer, MatchRoute,
    MatchRouteLayer, ResolveTags, ResolveTagsLayer,
};
use crate::shared_service::{SharedService, Slot};
use crate::slot::Slotted;
use crate::upstream::{
    ForwardLayer, MirrorTrafficLayer, RetryLayer, SelectEndpointLayer, Send, TimeoutLayer, TrackHealthLayer,
};

/// What the stack is made of besides its layers.
pub(crate) struct Parts {
    pub(crate) log: Option<AccessLog>,
    pub(crate) metrics: Arc<PlaneMetrics>,
    pub(crate) registries: Arc<Registries>,
    pub(crate) events: Arc<dyn EventSink>,
    pub(crate) runner: Option<Arc<dyn HookRunner>>,
    pub(crate) edge_slot: Slot,
    pub(crate) route_slot: Slot,
    pub(crate) upstream_slot: Slot,
}

/// The edge and the way to the route. Its type is static; it ends where [`Dispatch`] erases what is below.
pub(crate) type Edge = Observe<Decorate<Rescue<InFlightLimit<Slotted<Admission>>>>>;
type Admission = Admit<ResolveTags<MatchDomain<MatchRoute<LimitBody<Slotted<Dispatch>>>>>>;

/// Puts everything together. A request that goes in has its context already: `PinSnapshot` stands before it, or the
/// gateway's own server, which does the same.
pub(crate) fn stack(parts: Parts) -> (Edge, ObserveLayer) {
    let Parts { log, metrics, registries, events, runner, edge_slot, route_slot, upstream_slot } = parts;

    // ── upstream: one attempt ────────────────────────────────────────────────────────────────────────────────
    // Innermost: connections, and what is spoken on them.
    let attempt = Send::default();
    // Sees every attempt as it is, before anybody above makes something else of it.
    let attempt = TrackHealthLayer::new(events).layer(attempt);
    // An embedder's layers see one attempt, with its endpoint chosen.
    let has_layers = !upstream_slot.is_empty();
    let attempt = Slotted::wrap(attempt, upstream_slot);
    // Below retrying: another attempt asks another endpoint.
    let attempt = SelectEndpointLayer::of_route(registries).layer(attempt);
    let attempt = SharedService::ours(attempt);

    // ── upstream: all attempts ───────────────────────────────────────────────────────────────────────────────
    // Around attempts, and inside of everything that is to happen once.
    let plain = RetryLayer::copying(has_layers).layer(attempt.clone());
    // Copies what the upstream gets, once, whatever is retried.
    let plain = MirrorTrafficLayer::of_route(attempt).layer(plain);
    // Once for all attempts: forwarding headers are not to be added twice.
    let plain = ForwardLayer::late(!has_layers).layer(plain);
    // Around all attempts together.
    let plain = TimeoutLayer::default().layer(plain);
    let plain = SharedService::ours(plain);

    // ── hooks ────────────────────────────────────────────────────────────────────────────────────────────────
    // Above the upstream, so that modules see the client's own request. Routes without modules do not come here.
    let hooked = match runner {
        Some(_) => SharedService::ours(RunHooksLayer::default().layer(plain.clone())),
        None => plain.clone(),
    };

    // ── route ────────────────────────────────────────────────────────────────────────────────────────────────
    let route = Dispatch { plain, hooked };
    // An embedder's layers know the route.
    let route = Slotted::wrap(route, route_slot);
    // Below matching, as routes have limits of their own; above everything that reads.
    let route = LimitBodyLayer::default().layer(route);
    // Needs the namespace.
    let route = MatchRouteLayer.layer(route);
    let route = MatchDomainLayer.layer(route);
    // Domains may depend on canary tags already.
    let route = ResolveTagsLayer::default().layer(route);
    // Above matching: who may not come in learns nothing about routes.
    let route = AdmitLayer::default().layer(route);

    // ── edge ─────────────────────────────────────────────────────────────────────────────────────────────────
    // An embedder's layers see every request that is not shed, and errors as errors.
    let edge = Slotted::wrap(route, edge_slot);
    // Before any work is done, and below what turns the refusal into a response.
    let edge = InFlightLimitLayer::default().layer(edge);
    // Everything below may fail or panic; nothing above can.
    let edge = RescueLayer.layer(edge);
    // Above rescue: errors carry the request's identifier, too.
    let edge = DecorateLayer.layer(edge);
    // Outermost: sees every request from beginning to end, also those that are cancelled.
    let observe = ObserveLayer::with_metrics(log, metrics);
    (observe.clone().layer(edge), observe)
}
