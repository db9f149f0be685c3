//! Listeners: how they are written, and whether they stand in each other's way.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use super::Ties;
use crate::pattern::{HostPattern, normalize_host};
use crate::resource::{Listener, ProxyProtocolAccept, Resource, TlsMode};
use crate::snapshot::Snapshot;
use crate::{Kind, Problem, Problems};

pub(super) fn check(spec: &Listener, problems: &mut Problems) {
    if !is_address(&spec.address) {
        problems.push(
            Problem::error("/address", format!("`{}` is no `host:port`", spec.address))
                .with_help("write `127.0.0.1:6380`, or `0.0.0.0:6380` for all interfaces"),
        );
    }
    check_tls(spec, problems);
    if spec.service.is_none() && spec.protocol.is_none() && spec.modules.is_empty() {
        problems.push(Problem::error(
            "",
            "a listener needs a `service`, or a `protocol` with modules that answer",
        ));
    }
    for (index, module) in spec.modules.iter().enumerate() {
        if spec.modules[..index].contains(module) {
            problems
                .push(Problem::error(format!("/modules/{index}"), format!("module `{module}` occurs twice")));
        }
    }
    if spec.proxy_protocol.accept != ProxyProtocolAccept::Off && spec.proxy_protocol.trusted.is_empty() {
        problems.push(
            Problem::error("/proxy_protocol/trusted", "nobody is trusted, so no header would be accepted")
                .with_help("list the addresses of the proxies in front"),
        );
    }
    let limits = &spec.limits;
    if limits.connections == 0 {
        problems.push(Problem::error("/limits/connections", "`connections` must be at least 1"));
    }
    for (name, time) in [
        ("connect_timeout", limits.connect_timeout),
        ("idle_timeout", limits.idle_timeout),
        ("first_byte_timeout", limits.first_byte_timeout),
    ] {
        if time.get().is_zero() {
            let at = format!("/limits/{name}");
            problems.push(Problem::error(at, format!("`{name}` must be longer than zero")));
        }
    }
}

/// `host:port`; an IPv6 address stands in brackets.
fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => host.parse::<IpAddr>().is_ok_and(|address| address.is_ipv4()) || is_host_name(host),
    };
    is_host && port.parse::<u16>().is_ok()
}

fn is_host_name(text: &str) -> bool {
    !text.contains([':', '[']) && normalize_host(text).is_some()
}

fn check_tls(spec: &Listener, problems: &mut Problems) {
    let has_both = spec.tls.cert_file.is_some() && spec.tls.key_file.is_some();
    let has_any = spec.tls.cert_file.is_some() || spec.tls.key_file.is_some();
    match spec.tls.mode {
        TlsMode::Terminate if !has_both => {
            problems.push(Problem::error("/tls", "`terminate` needs `cert_file` and `key_file`"));
        }
        TlsMode::None | TlsMode::Passthrough if has_any => {
            problems.push(Problem::error("/tls", "a certificate is only used with `mode: terminate`"));
        }
        _ => {}
    }
    if spec.tls.mode == TlsMode::None && !spec.matches.sni.is_empty() {
        problems.push(
            Problem::error("/match/sni", "server names are only known with TLS")
                .with_help("set `tls.mode` to `terminate` or `passthrough`"),
        );
    }
    for (index, name) in spec.matches.sni.iter().enumerate() {
        let at = format!("/match/sni/{index}");
        if !is_host_name(name.strip_prefix("*.").unwrap_or(name)) {
            problems.push(
                Problem::error(at, format!("`{name}` is no server name"))
                    .with_help("write `db.example.com` or `*.db.example.com`"),
            );
        } else if spec.matches.sni[..index].contains(name) {
            problems.push(Problem::error(at, format!("`{name}` occurs twice")));
        }
    }
}

/// Listeners may share an address when TLS tells their connections apart: by different server names, one of them for
/// all others.
pub(super) fn check_addresses(snapshot: &Snapshot, ties: Ties, problems: &mut Problems) {
    let active = snapshot.namespaces.iter().flat_map(|namespace| {
        let listeners = namespace.resources.listeners.iter();
        listeners.filter(|(name, _)| namespace.applies(Kind::Listener, name)).map(|(_, stored)| &*stored.spec)
    });
    let mut taken: BTreeMap<&str, Vec<&Listener>> = BTreeMap::new();
    // Port 0 is another one for each.
    for spec in active.filter(|spec| !spec.address.ends_with(":0")) {
        let others = taken.entry(&spec.address).or_default();
        if let Some((pointer, message)) = others.iter().find_map(|other| conflict(spec, other)) {
            problems.push(
                ties.problem(pointer, message)
                    .with_help("listeners may share an address when they differ by `match.sni`")
                    .about(&spec.key()),
            );
        }
        others.push(spec);
    }
}

fn conflict(spec: &Listener, other: &Listener) -> Option<(String, String)> {
    let (address, name) = (&spec.address, other.key());
    let is_plain = |spec: &Listener| spec.tls.mode == TlsMode::None;
    let all = |spec: &Listener| spec.matches.sni.is_empty();
    if is_plain(spec) || is_plain(other) {
        return Some(("/address".to_owned(), format!("`{address}` is the address of {name}, too")));
    }
    if all(spec) && all(other) {
        let message = format!("{name} takes all server names of `{address}`, too");
        return Some(("/match/sni".to_owned(), message));
    }
    let canonical = |name: &String| Some(name.parse::<HostPattern>().ok()?.canonical().to_owned());
    let theirs: Vec<_> = other.matches.sni.iter().filter_map(canonical).collect();
    let both = |name: &String| canonical(name).is_some_and(|name| theirs.contains(&name));
    let index = spec.matches.sni.iter().position(both)?;
    let message = format!("{name} takes `{}` of `{address}`, too", spec.matches.sni[index]);
    Some((format!("/match/sni/{index}"), message))
}
