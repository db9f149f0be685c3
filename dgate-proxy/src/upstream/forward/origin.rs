//! What a request says to the upstream about where it comes from.

use std::sync::Arc;

use dgate_core::context::{ConnectionInfo, HeaderBlock, RequestContext};
use http::header::{FORWARDED, HOST, VIA};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::forwarding::{X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PORT, X_FORWARDED_PROTO, X_REAL_IP};
use crate::settings::ProxySettings;

/// What a request says that comes straight from its client.
pub(super) fn block_of(connection: &ConnectionInfo, host: Option<&HeaderValue>) -> Arc<HeaderBlock> {
    connection.header_block(host, |host| {
        let mut headers = HeaderMap::new();
        host.map(|host| headers.insert(HOST, host.clone()));
        set_untrusted(&mut headers, connection);
        set_via(&mut headers);
        headers.remove(HOST);
        HeaderBlock::new(headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
    })
}

/// Says where the request comes from. What an untrusted client says about that is dropped, what a trusted proxy says is
/// added to.
pub(super) fn set_forwarded(
    headers: &mut HeaderMap,
    context: &RequestContext,
    settings: Option<&ProxySettings>,
) {
    let trusted = context.record.client.trusted;
    if settings.is_some_and(|settings| settings.disable_x_forwarded_headers) {
        if !trusted {
            for name in
                [X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO, X_FORWARDED_PORT, X_REAL_IP, FORWARDED]
            {
                headers.remove(name);
            }
        }
        return;
    }
    let connection = &*context.connection;
    if !trusted {
        set_untrusted(headers, connection);
        return;
    }
    let host = headers.get(HOST).cloned();
    let all_before = joined(headers, &X_FORWARDED_FOR);
    headers.insert(X_FORWARDED_FOR, appended(all_before, connection.peer_header()));
    let all_before = joined(headers, &FORWARDED);
    headers.insert(FORWARDED, appended(all_before, &connection.forwarded_header(host.as_ref())));
    keep_or_set(headers, X_FORWARDED_PROTO, Some(HeaderValue::from_static(connection.scheme())));
    keep_or_set(headers, X_FORWARDED_HOST, host);
    keep_or_set(headers, X_FORWARDED_PORT, connection.port_header().cloned());
    let ip = HeaderValue::from_str(&context.record.client.ip.to_string()).ok();
    set(headers, X_REAL_IP, ip);
}

fn set_untrusted(headers: &mut HeaderMap, connection: &ConnectionInfo) {
    let peer = connection.peer_header();
    let host = headers.get(HOST).cloned();
    headers.insert(X_FORWARDED_FOR, peer.clone());
    headers.insert(FORWARDED, connection.forwarded_header(host.as_ref()));
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(connection.scheme()));
    set(headers, X_FORWARDED_HOST, host);
    set(headers, X_FORWARDED_PORT, connection.port_header().cloned());
    headers.insert(X_REAL_IP, peer.clone());
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    match value {
        Some(value) => drop(headers.insert(name, value)),
        None => drop(headers.remove(name)),
    }
}

fn keep_or_set(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    if !headers.contains_key(&name) {
        set(headers, name, value);
    }
}

/// All values of a list header, in one.
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<u8>> {
    let values: Vec<_> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    (!values.is_empty()).then(|| values.join(&b", "[..]))
}

fn appended(before: Option<Vec<u8>>, value: &HeaderValue) -> HeaderValue {
    let Some(mut list) = before else { return value.clone() };
    list.extend_from_slice(b", ");
    list.extend_from_slice(value.as_bytes());
    HeaderValue::from_bytes(&list).unwrap_or_else(|_| value.clone())
}

/// Notes this hop (RFC 9110, section 7.6.3).
pub(super) fn set_via(headers: &mut HeaderMap) {
    const OURS: HeaderValue = HeaderValue::from_static("1.1 dgate");
    if headers.contains_key(VIA) {
        let before = joined(headers, &VIA);
        headers.insert(VIA, appended(before, &OURS));
    } else {
        headers.insert(VIA, OURS);
    }
}
