//! Headers that end at the next hop (RFC 9110, section 7.6.1).

use http::header::{CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue};

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
    // One look over the names; most messages have one of them or none.
    let mut found = 0_u8;
    for name in headers.keys() {
        if let Some(index) = HOP_BY_HOP.iter().position(|known| known == name) {
            found |= 1 << index;
        }
    }
    if found == 0 {
        return;
    }
    if found & 1 != 0 {
        strip_listed(headers);
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

/// Removes what `Connection` lists. Whoever sends it must not take away what we or the upstream rely on.
fn strip_listed(headers: &mut HeaderMap) {
    let listed: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|b| *b == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .filter(|name| {
            !HOP_BY_HOP.contains(name)
                && !matches!(name.as_str(), "close" | "host" | "content-length" | "cookie" | "authorization")
        })
        .collect();
    for name in listed {
        headers.remove(name);
    }
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
                ("connection", "close, host, content-length, cookie"),
                ("host", "a"),
                ("cookie", "b")
            ]),
            ["cookie: b", "host: a"]
        );
    }
}
