//! Services.

use super::check_pem_pair;
use super::namespace::{Changes, Scope, check_not_empty};
use crate::pattern::normalize_host;
use crate::resource::{ActiveHealth, Service, UpstreamTls, UpstreamUrl};
use crate::snapshot::{CompiledService, CompiledUrl, NamespaceSnapshot, Scheme, Slab};
use crate::tags::{ActiveTags, Conditions, Outlook};
use crate::{Problem, Problems};

/// What endpoints carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Traffic {
    /// Requests.
    Http,
    /// Bytes.
    Tcp,
}

/// What a service carries, told by its first URL that can be read: others of another sort are refused.
pub(super) fn traffic(spec: &Service) -> Option<Traffic> {
    spec.urls.iter().find_map(|url| Scheme::of(&url.url)).map(traffic_of)
}

/// Whether a service carries bytes.
pub(super) fn is_tcp(spec: &Service) -> bool {
    traffic(spec) == Some(Traffic::Tcp)
}

const fn traffic_of(scheme: Scheme) -> Traffic {
    if scheme.is_http() { Traffic::Http } else { Traffic::Tcp }
}

pub(super) fn check(spec: &Service, outlook: &Outlook, problems: &mut Problems) {
    check_urls(spec, outlook, problems);
    check_tls(spec, problems);
    for (name, timeout) in [
        ("connect_timeout", spec.connect_timeout),
        ("request_timeout", spec.request_timeout),
        ("idle_timeout", spec.idle_timeout),
    ] {
        if timeout.get().is_zero() {
            problems.push(Problem::error(format!("/{name}"), format!("`{name}` must be longer than zero")));
        }
    }
    if spec.max_connections == Some(0) {
        problems.push(Problem::error("/max_connections", "`max_connections` must be at least 1"));
    }
    if spec.max_pending.is_some() && spec.max_connections.is_none() {
        problems
            .push(Problem::error("/max_pending", "`max_pending` has no effect without `max_connections`"));
    }
    if let Some(active) = &spec.health_check.active {
        check_active_health(active, traffic(spec), problems);
    }
    let passive = &spec.health_check.passive;
    for (name, time) in [("window", passive.window), ("eject_for", passive.eject_for)] {
        if passive.max_failures > 0 && time.get().is_zero() {
            let at = format!("/health_check/passive/{name}");
            problems.push(
                Problem::error(at, format!("`{name}` must be longer than zero"))
                    .with_help("`max_failures: 0` turns passive checks off"),
            );
        }
    }
}

fn check_urls(spec: &Service, outlook: &Outlook, problems: &mut Problems) {
    check_not_empty("/urls", "`urls`", &spec.urls, problems);
    let carries = traffic(spec);
    for (index, url) in spec.urls.iter().enumerate() {
        let at = format!("/urls/{index}");
        match url.url.parse::<CompiledUrl>() {
            Err(error) => problems.push(Problem::error(at.as_str(), error)),
            Ok(parsed) if carries.is_some_and(|carries| carries != traffic_of(parsed.scheme)) => {
                problems.push(
                    Problem::error(at.as_str(), "a service has either HTTP or TCP endpoints, not both")
                        .with_help("make two services of it"),
                );
            }
            Ok(_) => {}
        }
        if spec.urls[..index].iter().any(|other| other.url == url.url && other.tags == url.tags) {
            problems.push(
                Problem::error(at.as_str(), format!("`{}` occurs twice", url.url))
                    .with_help("use `weight` for a larger share"),
            );
        }
        let (conditions, mut found) = Conditions::parse(&url.tags);
        outlook.warn_of_impossible(&conditions, &mut found);
        problems.extend(found.below(&at));
    }
    if !spec.urls.is_empty() && spec.urls.iter().all(|url| url.weight == 0) {
        problems.push(Problem::warning("/urls", "all weights are 0, so no endpoint gets requests"));
    }
}

fn check_tls(spec: &Service, problems: &mut Problems) {
    let tls = &spec.tls;
    check_pem_pair("/tls", tls.cert.as_deref(), tls.key.as_deref(), problems);
    if tls.ca.as_deref().is_some_and(|pem| !pem.contains("-----BEGIN ")) {
        problems.push(Problem::error("/tls/ca", "`ca` is not PEM").with_help("it starts with `-----BEGIN`"));
    }
    if let Some(name) = &tls.server_name
        && normalize_host(name).is_none_or(|host| host.contains(':'))
    {
        problems.push(Problem::error("/tls/server_name", format!("`{name}` is no host name")));
    }
    let is_encrypted = |url: &UpstreamUrl| Scheme::of(&url.url).is_none_or(Scheme::is_tls);
    if *tls != UpstreamTls::default() && !spec.urls.is_empty() && !spec.urls.iter().any(is_encrypted) {
        problems.push(
            Problem::warning("/tls", "`tls` has no effect: no URL is encrypted")
                .with_help("use `https` or `tls` URLs"),
        );
    }
}

fn check_active_health(active: &ActiveHealth, carries: Option<Traffic>, problems: &mut Problems) {
    let at = "/health_check/active";
    let ways =
        usize::from(active.path.is_some()) + usize::from(active.tcp) + usize::from(active.grpc.is_some());
    if ways != 1 {
        problems.push(Problem::error(at, "exactly one of `path`, `tcp` and `grpc` says how to check"));
    } else if carries == Some(Traffic::Tcp) && !active.tcp {
        problems.push(Problem::error(at, "TCP endpoints can only be checked by `tcp: true`"));
    }
    if active.path.as_deref().is_some_and(|path| !path.starts_with('/') || path.parse::<http::Uri>().is_err())
    {
        problems.push(Problem::error(format!("{at}/path"), "`path` is no absolute path"));
    }
    for (name, time) in [("interval", active.interval), ("timeout", active.timeout)] {
        if time.get().is_zero() {
            problems
                .push(Problem::error(format!("{at}/{name}"), format!("`{name}` must be longer than zero")));
        }
    }
    for (name, count) in
        [("healthy_after", active.healthy_after), ("unhealthy_after", active.unhealthy_after)]
    {
        if count == 0 {
            problems.push(Problem::error(format!("{at}/{name}"), format!("`{name}` must be at least 1")));
        }
    }
    check_not_empty(&format!("{at}/expect"), "`expect`", &active.expect, problems);
    if let Err(entry) = active.expected_statuses() {
        problems.push(
            Problem::error(
                format!("{at}/expect"),
                format!("`{entry}` is neither a status nor a range of statuses"),
            )
            .with_help("write `200` or `200-299`"),
        );
    }
}

pub(super) fn compile(
    scope: &Scope<'_>,
    changes: &Changes<'_>,
    running: Option<&NamespaceSnapshot>,
) -> Slab<CompiledService> {
    let mut services = running.map(|running| running.services.clone()).unwrap_or_default();
    // Removals first, so that the numbers of what is gone are free for what is new.
    for change in changes.services.iter().filter(|change| change.after.is_none()) {
        services.remove(change.name);
    }
    for (name, stored) in changes.services.iter().filter_map(|change| Some((change.name, change.after?))) {
        let tags = scope.server.tags;
        let Some(rule) = Conditions::of(&stored.spec.tags).on(tags).rule() else {
            services.remove(name);
            continue;
        };
        let urls = active_urls(&stored.spec, tags);
        services.insert(name, |id| CompiledService::new(id, name.clone(), stored.clone(), rule, urls));
    }
    services
}

fn active_urls(spec: &Service, tags: &ActiveTags) -> Vec<CompiledUrl> {
    let active = |url: &UpstreamUrl| {
        let rule = Conditions::of(&url.tags).on(tags).rule()?;
        let compiled: CompiledUrl = url.url.parse().ok()?;
        Some(CompiledUrl { weight: url.weight, priority: url.priority, rule, ..compiled })
    };
    spec.urls.iter().filter_map(active).collect()
}
