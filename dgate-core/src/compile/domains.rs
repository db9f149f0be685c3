//! Domains.

use std::sync::Arc;

use super::namespace::check_not_empty;
use super::{check_pem_pair, pattern_problem};
use crate::pattern::HostPattern;
use crate::resource::{Domain, Resource};
use crate::snapshot::{DomainTable, HostEntry, Snapshot};
use crate::tags::{Conditions, ServerTags};
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
    if spec.acme {
        problems.push(Problem::warning("/acme", "certificates are not obtained by ACME in this version"));
    }
}

/// The table of all domains, or nothing when the running one still holds.
pub(super) fn compile(
    snapshot: &Snapshot,
    previous: Option<&Snapshot>,
    tags: &ServerTags,
    problems: &mut Problems,
) -> Option<DomainTable> {
    if previous.is_some_and(|previous| same_domains(snapshot, previous)) {
        return None;
    }
    let mut table = DomainTable::default();
    for namespace in snapshot.namespaces.iter() {
        for (name, stored) in namespace.resources.domains.iter() {
            if !Conditions::parse(&stored.spec.tags).0.hold_on(tags) {
                continue;
            }
            let patterns = stored.spec.patterns.iter().enumerate();
            for (index, pattern) in patterns.filter_map(|(index, text)| Some((index, text.parse().ok()?))) {
                let pattern: HostPattern = pattern;
                let entry = HostEntry {
                    pattern: Arc::new(pattern),
                    domain: name.clone(),
                    namespace: namespace.name.clone(),
                    namespace_id: namespace.id,
                };
                if let Err(taken) = table.insert(stored.spec.priority, entry) {
                    let other = format!("domain/{}/{}", taken.namespace, taken.domain);
                    problems.push(
                        Problem::error(
                            format!("/patterns/{index}"),
                            format!(
                                "`{}` claims the same hosts as `{}` of {other}",
                                stored.spec.patterns[index], taken.pattern
                            ),
                        )
                        .with_help("give one of them a higher `priority`")
                        .about(&stored.spec.key()),
                    );
                }
            }
        }
    }
    Some(table)
}

fn same_domains(snapshot: &Snapshot, previous: &Snapshot) -> bool {
    snapshot.namespaces.len() == previous.namespaces.len()
        && snapshot.namespaces.iter().all(|namespace| {
            previous.namespaces.get(namespace.id).is_some_and(|before| {
                before.name == namespace.name && before.resources.domains.same(&namespace.resources.domains)
            })
        })
}
