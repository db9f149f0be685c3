//! Headers that end at the next hop (RFC 9110, section 7.6.1).

use http::header::{
    CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE, VIA,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::forwarding::{is_gateways_own, is_lookalike};
use crate::http1::has_token;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

const HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_CONNECTION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
];

/// Removes all headers that end here: the well-known ones, and those that `Connection` lists. `TE: trailers` stays, as
/// gRPC servers want to see it.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    strip(headers, |_| false);
}

/// The same for a request, and also removes what an upstream could take for a header of ours, or for framing. Returns
/// whether it says already what gateways say about where it comes from.
pub(super) fn strip_request(headers: &mut HeaderMap) -> bool {
    let mut has_own = false;
    strip(headers, |name| {
        has_own |= name == VIA.as_str() || is_gateways_own(name);
        is_lookalike(name)
    });
    has_own
}

fn strip(headers: &mut HeaderMap, mut is_unwanted: impl FnMut(&str) -> bool) {
    const UNWANTED: u16 = 1 << 15;
    // One look over the names; most messages have one of them or none.
    let mut found = 0_u16;
    for name in headers.keys() {
        if let Some(index) = HOP_BY_HOP.iter().position(|known| known == name) {
            found |= 1 << index;
        } else if is_unwanted(name.as_str()) {
            found |= UNWANTED;
        }
    }
    if found == 0 {
        return;
    }
    if found & 1 != 0 {
        strip_listed(headers);
    }
    if found & UNWANTED != 0 {
        let unwanted: Vec<_> = headers.keys().filter(|name| is_unwanted(name.as_str())).cloned().collect();
        for name in unwanted {
            headers.remove(name);
        }
    }
    let takes_trailers = headers.get_all(TE).iter().any(|value| has_token(value, "trailers"));
    for (index, name) in HOP_BY_HOP.iter().enumerate() {
        if found & (1 << index) != 0 {
            headers.remove(name);
        }
    }
    if takes_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
}

/// Removes what `Connection` lists, and the list: what somebody adds later under one of these names stays. Whoever sends
/// it must not take away what we or the upstream rely on.
pub(crate) fn strip_listed(headers: &mut HeaderMap) {
    let is_usual = |value: &HeaderValue| {
        ["keep-alive", "close", "upgrade"]
            .iter()
            .any(|usual| value.as_bytes().eq_ignore_ascii_case(usual.as_bytes()))
    };
    if headers.get_all(CONNECTION).iter().all(is_usual) {
        return;
    }
    let listed: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|b| *b == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .filter(|name| !HOP_BY_HOP.contains(name) && !is_essential(name.as_str()))
        .collect();
    for name in listed {
        headers.remove(name);
    }
    if headers.get_all(CONNECTION).iter().any(|value| has_token(value, "upgrade")) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    } else {
        headers.remove(CONNECTION);
    }
}

/// What nobody can have removed.
fn is_essential(name: &str) -> bool {
    matches!(name, "host" | "content-length" | "cookie" | "authorization" | "via") || is_gateways_own(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(headers: &[(&str, &str)]) -> Vec<String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        strip_hop_by_hop(&mut map);
        let mut left: Vec<_> =
            map.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        left.sort();
        left
    }

    #[test]
    fn what_ends_here_goes() {
        assert_eq!(
            stripped(&[
                ("connection", "keep-alive, X-Private"),
                ("connection", "x-other"),
                ("keep-alive", "timeout=5"),
                ("x-private", "1"),
                ("x-other", "1"),
                ("x-kept", "1"),
                ("te", "gzip, trailers"),
                ("upgrade", "h2c"),
                ("proxy-authorization", "x"),
            ]),
            ["te: trailers", "x-kept: 1"]
        );
        assert_eq!(stripped(&[("a", "1")]), ["a: 1"]);
    }

    #[test]
    fn nobody_can_have_essential_headers_removed() {
        assert_eq!(
            stripped(&[
                ("connection", "close, host, content-length, cookie, x-forwarded-for, x-request-id"),
                ("host", "a"),
                ("cookie", "b"),
                ("x-forwarded-for", "c"),
                ("x-request-id", "d"),
            ]),
            ["cookie: b", "host: a", "x-forwarded-for: c", "x-request-id: d"]
        );
    }

    #[test]
    fn lookalikes_go_from_requests() {
        let mut headers = HeaderMap::new();
        for name in ["x_forwarded_for", "x-real_ip", "x_dgate_route", "transfer_encoding", "x_own", "accept"]
        {
            headers.insert(name, HeaderValue::from_static("1"));
        }
        strip_request(&mut headers);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "x_own"]);
    }
}
