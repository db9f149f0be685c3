//! Requests that other people's web pages make in somebody's browser.

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::uri::Authority;

use super::failure::Failure;

/// Refuses what a page of another site has sent: browsers say where a page comes from.
pub(crate) fn check(parts: &Parts) -> Result<(), Failure> {
    let Some(origin) = parts.headers.get(ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let from = origin.split_once("://").map(|(_, authority)| authority);
    let host = authority(parts);
    if from.is_some() && from == host.as_ref().map(Authority::as_str) {
        return Ok(());
    }
    Err(Failure::forbidden(format!("pages of `{origin}` may not use the Admin API")))
}

/// Refuses names other than those of this machine itself, where nobody has to say who they are.
pub(crate) fn check_host(parts: &Parts) -> Result<(), Failure> {
    let Some(authority) = authority(parts) else { return Ok(()) };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let is_own = host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok();
    if is_own {
        return Ok(());
    }
    let text = format!(
        "`{host}` is no name of this machine; ask for `localhost` or an address, or use authentication"
    );
    Err(Failure::forbidden(text))
}

fn authority(parts: &Parts) -> Option<Authority> {
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()?.parse().ok());
    host.or_else(|| parts.uri.authority().cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        for (headers, is_good) in [
            (&[("host", "localhost:9080")][..], true),
            (&[("host", "localhost:9080"), ("origin", "http://localhost:9080")], true),
            (&[("host", "localhost:9080"), ("origin", "http://localhost:8080")], false),
            (&[("host", "localhost:9080"), ("origin", "https://evil.example")], false),
            (&[("host", "localhost:9080"), ("origin", "null")], false),
            (&[("origin", "null")], false),
        ] {
            assert_eq!(check(&parts(headers)).is_ok(), is_good, "{headers:?}");
        }
    }

    #[test]
    fn names_that_were_made_to_lead_here_are_refused() {
        for (host, is_good) in [
            ("localhost:9080", true),
            ("gateway.localhost", true),
            ("127.0.0.1:9080", true),
            ("[::1]:9080", true),
            ("10.0.0.1", true),
            ("evil.example:9080", false),
            ("localhost.evil.example", false),
        ] {
            assert_eq!(check_host(&parts(&[("host", host)])).is_ok(), is_good, "{host}");
        }
        assert!(check_host(&parts(&[])).is_ok());
    }
}
