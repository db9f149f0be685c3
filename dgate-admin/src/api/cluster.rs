//! The nodes that make up the gateway.

use super::answer::Answer;
use super::call::Call;
use super::endpoint::Reply;
use super::model::{Load, Node};

/// `GET /cluster`
///
/// With a store that other nodes do not share there is one: this one.
pub(crate) async fn cluster(call: Call) -> Reply {
    let state = &call.state;
    let (live, server) = (state.live(), &state.context.server);
    let info = server.info();
    let address = |name: &str| {
        let found = info.listeners.iter().find(|listener| listener.name == name);
        found.map(|listener| listener.address.clone())
    };
    let (http, upgraded) = server.client_connections();
    let in_flight = server.endpoints().iter().map(|endpoint| endpoint.in_flight()).sum();
    let node = Node {
        address: address("admin").unwrap_or_default(),
        proxy_address: address("proxy-http"),
        id: info.node,
        version: info.version,
        is_this: true,
        ready: server.is_ready(),
        tags: live.snapshot.server_tags().iter().map(|tag| tag.text().to_owned()).collect(),
        revision: live.revision,
        started_at: info.started_at,
        load: Load { connections: http + upgraded, in_flight },
    };
    Ok(Answer::list(vec![node], None, live.revision).into_response())
}
