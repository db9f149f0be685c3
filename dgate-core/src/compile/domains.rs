//! Domains.

use std::collections::HashMap;
use std::sync::Arc;

use super::namespace::check_not_empty;
use super::{Ties, check_pem_pair, pattern_problem};
use crate::pattern::HostPattern;
use crate::resource::{Domain, Resource};
use crate::snapshot::{DomainTable, HostEntry, Snapshot};
use crate::stored::Stored;
use crate::tags::{Applies, Conditions};
use crate::{Problem, Problems};

/// Whether handshakes ask a domain for a certificate.
pub(super) fn has_certificate(spec: &Domain) -> bool {
    spec.cert.is_some() || spec.acme
}

pub(super) fn check(spec: &Domain, problems: &mut Problems) {
    check_not_empty("/patterns", "`patterns`", &spec.patterns, problems);
    for (index, pattern) in spec.patterns.iter().enumerate() {
        if let Err(error) = pattern.parse::<HostPattern>() {
            problems.push(pattern_problem(format!("/patterns/{index}"), error));
        }
    }
    check_pem_pair("", spec.cert.as_deref(), spec.key.as_deref(), problems);
    for (name, file) in [("cert_file", &spec.cert_file), ("key_file", &spec.key_file)] {
        if file.is_some() {
            problems.push(
                Problem::error(format!("/{name}"), format!("`{name}` has not been read")).with_help(
                    "files are read by whoever reads the configuration; here, give the text itself",
                ),
            );
        }
    }
    if spec.acme && spec.cert.is_some() {
        problems.push(Problem::error("/acme", "either `cert` and `key`, or `acme`, not both"));
    } else if spec.acme {
        problems.push(Problem::warning("/acme", "certificates are not obtained by ACME in this version"));
    }
}

/// The table of all domains.
pub(super) fn compile(
    snapshot: &Snapshot,
    previous: Option<&Snapshot>,
    ties: Ties,
    problems: &mut Problems,
) -> DomainTable {
    let known = previous.map(|previous| patterns_by_domain(&previous.domains)).unwrap_or_default();
    let mut entries = Vec::new();
    for namespace in snapshot.namespaces.iter() {
        let of_namespace = namespace.rule.clone().map_or(Applies::Always, Applies::Sometimes);
        for (name, stored) in namespace.resources.domains.iter() {
            let conditions = Conditions::of(&stored.spec.tags);
            let applies = conditions.on(&snapshot.tags).and(of_namespace.clone());
            let Some(rule) = applies.rule() else { continue };
            let read = |text: &String| text.parse().ok().map(Arc::new);
            let patterns = match known.get(&Arc::as_ptr(stored)) {
                Some(patterns) => patterns.clone(),
                None => stored.spec.patterns.iter().filter_map(read).collect(),
            };
            entries.extend(patterns.into_iter().map(|pattern| HostEntry {
                pattern,
                domain: name.clone(),
                namespace: namespace.name.clone(),
                namespace_id: namespace.id,
                spec: stored.clone(),
                rule: rule.clone(),
                conditions: conditions.len() + usize::from(namespace.rule.is_some()),
            }));
        }
    }
    // What comes first takes the hosts: names decide between equals, as they do among routes.
    let by_name = |entry: &HostEntry| (entry.namespace.clone(), entry.domain.clone());
    entries.sort_by_cached_key(|entry| (std::cmp::Reverse(entry.conditions), by_name(entry)));
    let mut table = DomainTable::default();
    for entry in entries {
        let (spec, pattern) = (entry.spec.clone(), entry.pattern.clone());
        if let Some(taken) = table.insert(spec.spec.priority, entry) {
            problems.push(conflict(&spec.spec, &pattern, &taken, ties));
        }
    }
    table
}

/// The patterns of domains that were read before; nobody else has a domain's address as long as its entries live.
fn patterns_by_domain(table: &DomainTable) -> HashMap<*const Stored<Domain>, Vec<Arc<HostPattern>>> {
    let mut patterns: HashMap<_, Vec<_>> = HashMap::new();
    for entry in table.entries() {
        patterns.entry(Arc::as_ptr(&entry.spec)).or_default().push(entry.pattern.clone());
    }
    patterns
}

fn conflict(domain: &Domain, pattern: &HostPattern, taken: &HostEntry, ties: Ties) -> Problem {
    let index = domain.patterns.iter().position(|text| *text == pattern.as_str()).unwrap_or_default();
    let other = format!("domain/{}/{}", taken.namespace, taken.domain);
    let message = format!("`{pattern}` claims the same hosts as `{}` of {other}", taken.pattern);
    ties.problem(format!("/patterns/{index}"), message)
        .with_help("give one of them a higher `priority`")
        .about(&domain.key())
}
