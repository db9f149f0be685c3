//! Services.

use super::check_pem_pair;
use super::namespace::{Scope, check_not_empty};
use crate::resource::{ActiveHealth, Service};
use crate::snapshot::{CompiledService, CompiledUrl, NamespaceSnapshot, Slab};
use crate::tags::{Conditions, ServerTags};
use crate::{Problem, Problems};

pub(super) fn check(spec: &Service, problems: &mut Problems) {
    check_not_empty("/urls", "`urls`", &spec.urls, problems);
    let mut carries_http = None;
    for (index, url) in spec.urls.iter().enumerate() {
        let at = format!("/urls/{index}");
        match url.url.parse::<CompiledUrl>() {
            Err(error) => problems.push(Problem::error(at.as_str(), error)),
            Ok(parsed) if *carries_http.get_or_insert(parsed.scheme.is_http()) != parsed.scheme.is_http() => {
                problems.push(
                    Problem::error(at.as_str(), "a service has either HTTP or TCP endpoints, not both")
                        .with_help("make two services of it"),
                );
            }
            Ok(_) => {}
        }
        problems.extend(Conditions::parse(&url.tags).1.below(&at));
    }
    check_pem_pair("/tls", spec.tls.cert.as_deref(), spec.tls.key.as_deref(), problems);
    if spec.tls.ca.as_deref().is_some_and(|pem| !pem.contains("-----BEGIN ")) {
        problems.push(Problem::error("/tls/ca", "`ca` is not PEM").with_help("it starts with `-----BEGIN`"));
    }
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
        check_active_health(active, problems);
    }
}

fn check_active_health(active: &ActiveHealth, problems: &mut Problems) {
    let at = "/health_check/active";
    let ways =
        usize::from(active.path.is_some()) + usize::from(active.tcp) + usize::from(active.grpc.is_some());
    if ways != 1 {
        problems.push(Problem::error(at, "exactly one of `path`, `tcp` and `grpc` says how to check"));
    }
    if active.path.as_deref().is_some_and(|path| !path.starts_with('/') || path.parse::<http::Uri>().is_err())
    {
        problems.push(Problem::error(format!("{at}/path"), "`path` is no absolute path"));
    }
    if active.interval.get().is_zero() || active.timeout.get().is_zero() {
        problems.push(Problem::error(at, "`interval` and `timeout` must be longer than zero"));
    }
    if active.healthy_after == 0 || active.unhealthy_after == 0 {
        problems.push(Problem::error(at, "`healthy_after` and `unhealthy_after` must be at least 1"));
    }
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

pub(super) fn compile(scope: &Scope<'_>, running: Option<&NamespaceSnapshot>) -> Slab<CompiledService> {
    let mut services = running.map(|running| running.services.clone()).unwrap_or_default();
    let changes = scope.tables.services.changes_since(&scope.before.services);
    // Removals first, so that the numbers of what is gone are free for what is new.
    for change in changes.iter().filter(|change| change.after.is_none()) {
        services.remove(change.name);
    }
    for (name, stored) in changes.iter().filter_map(|change| Some((change.name, change.after?))) {
        if !Conditions::parse(&stored.spec.tags).0.hold_on(scope.tags) {
            services.remove(name);
            continue;
        }
        let urls = active_urls(&stored.spec, scope.tags);
        services.insert(name, |id| CompiledService { id, name: name.clone(), spec: stored.clone(), urls });
    }
    services
}

fn active_urls(spec: &Service, tags: &ServerTags) -> Vec<CompiledUrl> {
    spec.urls
        .iter()
        .filter(|url| Conditions::parse(&url.tags).0.hold_on(tags))
        .filter_map(|url| {
            let compiled: CompiledUrl = url.url.parse().ok()?;
            Some(CompiledUrl { weight: url.weight, priority: url.priority, ..compiled })
        })
        .collect()
}
