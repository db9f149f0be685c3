//! Header fields that say where a request comes from: for gateways to say, and for nobody else.

mod late;

use http::HeaderName;

pub(crate) use late::LateHeaders;

pub(crate) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(crate) const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
pub(crate) const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
pub(crate) const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
pub(crate) const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(crate) const X_DGATE_CANARY: HeaderName = HeaderName::from_static("x-dgate-canary");
pub(crate) const X_DGATE_NAMESPACE: HeaderName = HeaderName::from_static("x-dgate-namespace");
pub(crate) const X_DGATE_ROUTE: HeaderName = HeaderName::from_static("x-dgate-route");
pub(crate) const X_DGATE_SERVICE: HeaderName = HeaderName::from_static("x-dgate-service");

/// Whether only gateways may say this. The name is in lower case.
pub(crate) fn is_gateways_own(name: &str) -> bool {
    match name.strip_prefix("x-") {
        Some(rest) => {
            rest.starts_with("forwarded-")
                || rest.starts_with("dgate-")
                || matches!(rest, "real-ip" | "request-id")
        }
        None => name == "forwarded",
    }
}

/// Whether a name reads like one of those, or like one that frames a message, for upstreams that take `_` for `-`: CGI
/// and all that came after it do.
pub(crate) fn is_lookalike(name: &str) -> bool {
    name.contains('_') && {
        let dashed = name.replace('_', "-");
        is_gateways_own(&dashed) || matches!(dashed.as_str(), "content-length" | "transfer-encoding")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_are_known_in_every_disguise() {
        for (name, own, lookalike) in [
            ("x-forwarded-for", true, false),
            ("x-forwarded-whatever", true, false),
            ("x-dgate-route", true, false),
            ("x-real-ip", true, false),
            ("x-request-id", true, false),
            ("forwarded", true, false),
            ("x_forwarded_for", false, true),
            ("x-forwarded_for", false, true),
            ("x_real-ip", false, true),
            ("x_dgate_service", false, true),
            ("transfer_encoding", false, true),
            ("content_length", false, true),
            ("x-real-ipx", false, false),
            ("x_user_id", false, false),
            ("accept", false, false),
        ] {
            assert_eq!((is_gateways_own(name), is_lookalike(name)), (own, lookalike), "{name}");
        }
    }
}
