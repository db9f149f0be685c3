//! Pins what is live: one load per request, so that a request sees one configuration from beginning to end.

use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use dgate_core::body::Body;
use dgate_core::context::{
    ClientInfo, ConnectionInfo, InterimSink, RequestContext, RequestId, RequestRecord,
};
use dgate_core::pattern::normalize;
use dgate_core::publish::Live;
use http::header::{FORWARDED, HOST};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request, Uri};
use tower_layer::Layer;
use tower_service::Service;

use crate::forwarding::{X_FORWARDED_FOR, X_FORWARDED_PROTO, X_REQUEST_ID};
use crate::plan::ProxyPlan;
use crate::settings::{ProxySettings, holds};
use crate::upstream::strip_listed;

/// Begins a request: gives it its [`RequestContext`] with what is live now, its identifier and its client.
///
/// A [`ConnectionInfo`] in the request's extensions says where it comes from.
#[derive(Debug, Clone)]
pub struct PinSnapshotLayer {
    live: Live,
}

impl PinSnapshotLayer {
    /// A layer that pins what this cell holds.
    pub fn new(live: Live) -> Self {
        Self { live }
    }
}

impl<S> Layer<S> for PinSnapshotLayer {
    type Service = PinSnapshot<S>;

    fn layer(&self, inner: S) -> PinSnapshot<S> {
        PinSnapshot { inner, live: self.live.clone() }
    }
}

/// See [`PinSnapshotLayer`].
#[derive(Debug, Clone)]
pub struct PinSnapshot<S> {
    inner: S,
    live: Live,
}

impl<S: Service<Request<Body>>> Service<Request<Body>> for PinSnapshot<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> S::Future {
        let connection = match request.extensions_mut().remove::<Arc<ConnectionInfo>>() {
            Some(shared) => shared,
            None => Arc::new(request.extensions_mut().remove::<ConnectionInfo>().unwrap_or_default()),
        };
        begin(&mut request, &self.live, &connection, None);
        self.inner.call(request)
    }
}

/// Gives a request its context, and its target the one form that everybody below expects.
pub(crate) fn begin(
    request: &mut Request<Body>,
    live: &Live,
    connection: &Arc<ConnectionInfo>,
    interim: Option<Arc<dyn InterimSink>>,
) {
    let live = live.load();
    let settings = live.plan::<ProxyPlan>().map(|plan| plan.settings.clone());
    normalize_target(request);
    // Here, and not on the way to the upstream: a client must not have removed what modules and layers will add.
    strip_listed(request.headers_mut());
    let client = settings.as_deref().map_or_else(
        || ClientInfo { ip: connection.peer.ip(), trusted: false, tls: connection.tls },
        |settings| client_of(settings, connection, request.headers()),
    );
    let sent = request.headers().get(X_REQUEST_ID).filter(|_| client.trusted);
    let id = sent.and_then(RequestId::accept).unwrap_or_else(RequestId::generate);
    let record = Arc::new(RequestRecord::new(id, client));
    let connection = connection.clone();
    let context = RequestContext { record, live, connection, interim, matched: None, canaries: None };
    request.extensions_mut().insert(context);
}

/// Makes the target a normalised path with its query, and `Host` what the client asked for: an absolute target wins
/// over `Host` (RFC 9112, section 3.2.2), and so does `:authority` (RFC 9113, section 8.3.1).
fn normalize_target(request: &mut Request<Body>) {
    let uri = request.uri();
    if let Some(authority) = uri.authority() {
        let host = HeaderValue::from_str(authority.as_str()).ok();
        let target = match uri.path_and_query() {
            Some(target) if target.as_str().starts_with('?') => {
                PathAndQuery::try_from(format!("/{}", target.as_str()))
                    .unwrap_or_else(|_| PathAndQuery::from_static("/"))
            }
            Some(target) => target.clone(),
            None => PathAndQuery::from_static("/"),
        };
        if let Some(host) = host {
            request.headers_mut().insert(HOST, host);
        }
        *request.uri_mut() = Uri::from(target);
    }
    let uri = request.uri();
    let raw = uri.path();
    // Almost all paths are normal as they are.
    if !raw.contains('%') && !raw.contains("/.") {
        return;
    }
    let normal = normalize::path(raw);
    if *normal == *raw {
        return;
    }
    let target = match uri.query() {
        Some(query) => PathAndQuery::try_from(format!("{normal}?{query}")),
        None => PathAndQuery::try_from(normal.into_owned()),
    };
    if let Ok(target) = target {
        *request.uri_mut() = Uri::from(target);
    }
}

/// Who sent a request, hearing trusted proxies.
fn client_of(settings: &ProxySettings, connection: &ConnectionInfo, headers: &HeaderMap) -> ClientInfo {
    let peer = connection.peer.ip().to_canonical();
    let trusted = holds(&settings.trusted_proxies, peer);
    if !trusted {
        return ClientInfo { ip: peer, trusted, tls: connection.tls };
    }
    let proto = headers.get(X_FORWARDED_PROTO).and_then(|value| value.to_str().ok());
    let tls = proto.map_or(connection.tls, |proto| proto.trim().eq_ignore_ascii_case("https"));
    let ip = forwarded_for(settings, headers).unwrap_or(peer);
    ClientInfo { ip, trusted, tls }
}

/// The client's address as the proxies in front tell it: the nearest one stands at the right.
fn forwarded_for(settings: &ProxySettings, headers: &HeaderMap) -> Option<IpAddr> {
    let lists = headers.get_all(X_FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let mut addresses: Vec<&str> = lists.flat_map(|list| list.split(',')).map(str::trim).collect();
    let forwarded;
    if addresses.is_empty() {
        forwarded = forwarded_elements(headers);
        addresses = forwarded.iter().map(String::as_str).collect();
    }
    let mut from_the_right = addresses.iter().rev().map(|text| parse_address(text));
    match settings.x_forwarded_for_depth {
        Some(depth) => from_the_right.nth(depth.saturating_sub(1)).flatten(),
        None => {
            let mut last = None;
            for address in from_the_right {
                // What stands left of something unreadable may be anybody's invention.
                let Some(address) = address else { break };
                last = Some(address);
                if !holds(&settings.trusted_proxies, address) {
                    break;
                }
            }
            last
        }
    }
}

/// The `for` parameters of `Forwarded` (RFC 7239, section 4).
fn forwarded_elements(headers: &HeaderMap) -> Vec<String> {
    let lists = headers.get_all(FORWARDED).iter().filter_map(|value| value.to_str().ok());
    let parameter = |element: &str| {
        element.split(';').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.trim().eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"').to_owned())
        })
    };
    lists.flat_map(|list| list.split(',')).filter_map(parameter).collect()
}

/// An address with or without port and brackets.
fn parse_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(ip.to_canonical());
    }
    if let Ok(address) = text.parse::<std::net::SocketAddr>() {
        return Some(address.ip().to_canonical());
    }
    text.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn client(settings: &ProxySettings, peer: &str, headers: &[(&str, &str)]) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let connection = ConnectionInfo::new(format!("{peer}:1").parse().unwrap());
        client_of(settings, &connection, &map).ip.to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let settings = ProxySettings {
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            ..ProxySettings::default()
        };
        let forwarded = [("x-forwarded-for", "1.1.1.1, 2.2.2.2, 10.0.0.9")];
        assert_eq!(client(&settings, "9.9.9.9", &forwarded), "9.9.9.9");
        assert_eq!(client(&settings, "10.0.0.1", &forwarded), "2.2.2.2");
        assert_eq!(client(&settings, "10.0.0.1", &[("x-forwarded-for", "10.0.0.2, 10.0.0.3")]), "10.0.0.2");
        assert_eq!(client(&settings, "10.0.0.1", &[("x-forwarded-for", "1.1.1.1, nonsense")]), "10.0.0.1");
        assert_eq!(client(&settings, "10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(
            client(&settings, "10.0.0.1", &[("forwarded", "for=3.3.3.3;proto=https, for=10.0.0.7")]),
            "3.3.3.3"
        );
        assert_eq!(
            client(&settings, "10.0.0.1", &[("forwarded", "for=\"[2001:db8::1]:80\"")]),
            "2001:db8::1"
        );
        let deep = ProxySettings { x_forwarded_for_depth: Some(3), ..settings };
        assert_eq!(client(&deep, "10.0.0.1", &forwarded), "1.1.1.1");
    }

    #[test]
    fn targets_take_one_form() {
        for (target, host, path) in [
            ("/a/../b?x=%2e%2e", None, "/b?x=%2e%2e"),
            ("http://b.example:81/x?y", Some("b.example:81"), "/x?y"),
            ("http://b.example", Some("b.example"), "/"),
            ("http://b.example?x=1", Some("b.example"), "/?x=1"),
            ("/.well-known/x", None, "/.well-known/x"),
            ("/a%2Fb", None, "/a%2Fb"),
        ] {
            let mut request = Request::builder().uri(target).body(Body::empty()).unwrap();
            normalize_target(&mut request);
            assert_eq!(request.uri(), path);
            assert_eq!(request.headers().get(HOST).map(|host| host.to_str().unwrap()), host);
        }
    }
}
