//! Domains.

use std::collections::HashMap;
use std::sync::Arc;

use super::namespace::check_not_empty;
use super::{check_pem_pair, pattern_problem};
use crate::pattern::HostPattern;
use crate::resource::{Domain, Resource};
use crate::snapshot::{DomainTable, HostEntry, Snapshot};
use crate::stored::Stored;
use crate::tags::Conditions;
use crate::{Problem, Problems};

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
    problems: &mut Problems,
) -> DomainTable {
    let known = previous.map(|previous| patterns_by_domain(&previous.domains)).unwrap_or_default();
    let mut table = DomainTable::default();
    for namespace in snapshot.namespaces.iter() {
        for (name, stored) in namespace.resources.domains.iter() {
            if !Conditions::parse(&stored.spec.tags).0.hold_on(&snapshot.tags) {
                continue;
            }
            let read = |text: &String| text.parse().ok().map(Arc::new);
            let patterns = match known.get(&Arc::as_ptr(stored)) {
                Some(patterns) => patterns.clone(),
                None => stored.spec.patterns.iter().filter_map(read).collect(),
            };
            for pattern in patterns {
                let entry = HostEntry {
                    pattern: pattern.clone(),
                    domain: name.clone(),
                    namespace: namespace.name.clone(),
                    namespace_id: namespace.id,
                    spec: stored.clone(),
                };
                if let Err(taken) = table.insert(stored.spec.priority, entry) {
                    problems.push(conflict(&stored.spec, &pattern, &taken));
                }
            }
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

fn conflict(domain: &Domain, pattern: &HostPattern, taken: &HostEntry) -> Problem {
    let index = domain.patterns.iter().position(|text| *text == pattern.as_str()).unwrap_or_default();
    let other = format!("domain/{}/{}", taken.namespace, taken.domain);
    let message = format!("`{pattern}` claims the same hosts as `{}` of {other}", taken.pattern);
    Problem::error(format!("/patterns/{index}"), message)
        .with_help("give one of them a higher `priority`")
        .about(&domain.key())
}
