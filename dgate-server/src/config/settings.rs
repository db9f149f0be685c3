//! From the file's words to the data plane's settings.

use std::net::{IpAddr, SocketAddr};

use dgate_core::pattern::HostPattern;
use dgate_core::{Problem, Problems};
use dgate_proxy::{ClientSettings, FallbackCertificate, Limits, ProxySettings};
use http::{HeaderName, HeaderValue};

use super::model::{ClientTransport, Config, Proxy};

/// The data plane's settings, and what is wrong with the words.
pub fn proxy_settings(
    config: &Config,
    fallback: Option<FallbackCertificate>,
    problems: &mut Problems,
) -> ProxySettings {
    let proxy = &config.proxy;
    let mut settings = ProxySettings::default();
    settings.limits = limits(proxy, problems);
    settings.http2 = proxy.enable_http2;
    settings.h2c = proxy.enable_h2c;
    settings.redirect_https = patterns("/proxy/redirect_https", &proxy.redirect_https, problems);
    settings.https_port = proxy.tls.as_ref().map(|tls| tls.port).filter(|port| *port != 0);
    settings.allowed_domains = patterns("/proxy/allowed_domains", &proxy.allowed_domains, problems);
    settings.global_headers = headers(proxy, problems);
    settings.strict_mode = proxy.strict_mode;
    settings.trusted_proxies.clone_from(&proxy.trusted_proxies);
    settings.x_forwarded_for_depth = proxy.x_forwarded_for_depth;
    settings.disable_x_forwarded_headers = proxy.disable_x_forwarded_headers;
    settings.allow_list.clone_from(&proxy.allow_list);
    settings.fallback_certificate = fallback;
    settings.client = client(&proxy.client_transport, problems);
    settings.canary.sticky = proxy.canary.sticky.0.clone();
    settings.canary.forced_by = proxy.canary.forced_by.into();
    if proxy.x_forwarded_for_depth == Some(0) {
        problems.push(Problem::error("/proxy/x_forwarded_for_depth", "the nearest proxy has depth 1"));
    }
    if proxy.x_forwarded_for_depth.is_some() && proxy.trusted_proxies.is_empty() {
        problems.push(
            Problem::error(
                "/proxy/x_forwarded_for_depth",
                "no proxy is trusted, so `X-Forwarded-For` is not read",
            )
            .with_help("list the proxies in front under `trusted_proxies`"),
        );
    }
    settings
}

fn limits(proxy: &Proxy, problems: &mut Problems) -> Limits {
    let written = &proxy.limits;
    let mut limits = Limits::default();
    limits.header_bytes = written.header_bytes.as_usize();
    limits.headers = written.headers;
    limits.uri = written.uri.as_usize();
    limits.body = written.body.map(|size| size.bytes());
    limits.header_timeout = written.header_timeout.get();
    limits.idle_timeout = written.idle_timeout.get();
    limits.stall_timeout = written.stall_timeout.get();
    limits.min_rate = written.min_rate.bytes();
    limits.connections = written.connections;
    limits.in_flight = written.in_flight;
    for (name, is_wrong, reason) in [
        (
            "header_bytes",
            !(1_024..=16 << 20).contains(&limits.header_bytes),
            "must be between 1KiB and 16MiB",
        ),
        ("headers", !(1..=512).contains(&limits.headers), "must be between 1 and 512"),
        ("uri", !(64..=65_535).contains(&limits.uri), "must be between 64B and 65535B"),
        ("header_timeout", limits.header_timeout.is_zero(), "must be longer than zero"),
        ("idle_timeout", limits.idle_timeout.is_zero(), "must be longer than zero"),
        ("stall_timeout", limits.stall_timeout.is_zero(), "must be longer than zero"),
        ("connections", limits.connections == Some(0), "must be at least 1"),
        ("in_flight", limits.in_flight == Some(0), "must be at least 1"),
    ] {
        if is_wrong {
            problems.push(Problem::error(format!("/proxy/limits/{name}"), format!("`{name}` {reason}")));
        }
    }
    limits
}

fn patterns(at: &str, patterns: &[String], problems: &mut Problems) -> Vec<HostPattern> {
    let mut compiled = Vec::with_capacity(patterns.len());
    for (index, pattern) in patterns.iter().enumerate() {
        match pattern.parse::<HostPattern>() {
            Ok(pattern) => compiled.push(pattern),
            Err(error) => {
                let help = error.help.clone();
                problems.push(Problem::error(format!("{at}/{index}"), error.to_string()).with_help_if(help));
            }
        }
    }
    compiled
}

fn headers(proxy: &Proxy, problems: &mut Problems) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::with_capacity(proxy.global_headers.len());
    for (name, value) in &proxy.global_headers {
        let at = format!("/proxy/global_headers/{}", dgate_core::decode::escape(name));
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => headers.push((name, value)),
            (Err(_), _) => problems.push(Problem::error(at, format!("`{name}` is no header name"))),
            (_, Err(_)) => problems.push(Problem::error(at, format!("{value:?} is no header value"))),
        }
    }
    headers
}

fn client(written: &ClientTransport, problems: &mut Problems) -> ClientSettings {
    let dns_server = written.dns_server.as_deref().and_then(|text| {
        let address =
            text.parse::<SocketAddr>().or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53)));
        address
            .map_err(|_| {
                problems.push(
                    Problem::error("/proxy/client_transport/dns_server", format!("`{text}` is no address"))
                        .with_help("write `10.0.0.2` or `10.0.0.2:5353`"),
                );
            })
            .ok()
    });
    ClientSettings {
        dns_server,
        dns_timeout: written.dns_timeout.get(),
        max_idle: written.max_idle_conns,
        max_idle_per_host: written.max_idle_conns_per_host,
        max_per_host: written.max_conns_per_host,
        idle_timeout: written.idle_conn_timeout.get(),
        disable_compression: written.disable_compression,
        disable_keep_alives: written.disable_keep_alives,
        disable_private_ips: written.disable_private_ips,
    }
}
