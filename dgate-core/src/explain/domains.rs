//! Which domains a host may belong to.

use std::cmp::Reverse;
use std::sync::Arc;

use super::conditions::{failing, holds};
use super::{Asking, Candidate, Explanation};
use crate::key::DEFAULT_NAMESPACE;
use crate::pattern::HostPattern;
use crate::resource::Resource as _;
use crate::tags::Conditions;

impl Asking<'_> {
    pub(super) fn explain_domains(&mut self, explanation: &mut Explanation) {
        let snapshot = self.snapshot;
        let found = snapshot.domains().find_for(&self.host, Some(&mut self.request));
        let chosen = found.as_ref().map(|found| (&*found.entry.namespace, &*found.entry.domain));
        explanation.domains = self.domains(chosen);
        if let Some(found) = &found {
            let parameters =
                found.parameters.iter().map(|(name, value)| (name.to_string(), value.to_string()));
            explanation.domain_parameters = parameters.collect();
        }
        let namespace = match &found {
            Some(found) => snapshot.namespaces().get(found.entry.namespace_id),
            None => snapshot.fallback().and_then(|id| snapshot.namespaces().get(id)),
        };
        let applies = |asking: &mut Self, rule| crate::tags::holds(rule, Some(&mut asking.request));
        let Some(namespace) = namespace.filter(|namespace| applies(self, namespace.rule.as_ref())) else {
            explanation.outcome = self.why_no_namespace();
            return;
        };
        explanation.namespace = Some(namespace.name.to_string());
        let bits = found.and_then(|found| found.entry.rule.as_ref()).map_or(0, |rule| rule.bits());
        self.explain_routes(namespace, bits, explanation);
    }

    fn why_no_namespace(&mut self) -> String {
        let host = if self.host.is_empty() { "this host" } else { &self.host };
        let Some(default) = self.snapshot.resources().namespace(DEFAULT_NAMESPACE).cloned() else {
            return format!("404: no domain claims {host}, and there is no namespace `{DEFAULT_NAMESPACE}`");
        };
        let message = format!("404: no domain claims {host}, and the namespace `{DEFAULT_NAMESPACE}`");
        match failing(&self.conditions(&default.spec.tags)) {
            Some(failing) => format!("{message} does not apply: {failing}"),
            None => format!("{message} has domains of its own"),
        }
    }

    /// Every domain with a pattern that matches the host, whether it applies or not.
    fn domains(&mut self, chosen: Option<(&str, &str)>) -> Vec<Candidate> {
        let resources = self.snapshot.resources().clone();
        let mut candidates = Vec::new();
        for (name, namespace, tables) in resources.namespaces() {
            for (_, stored) in tables.domains.iter() {
                let patterns =
                    stored.spec.patterns.iter().filter_map(|text| text.parse::<HostPattern>().ok());
                let matching: Vec<Arc<HostPattern>> =
                    patterns.filter(|pattern| pattern.is_match(&self.host)).map(Arc::new).collect();
                for pattern in matching {
                    candidates.push((name.clone(), namespace.clone(), stored.clone(), pattern));
                }
            }
        }
        candidates.sort_by(
            |(name, namespace, domain, pattern), (other_name, other_namespace, other, other_pattern)| {
                let conditions = |domain: &[String], namespace: &[String]| {
                    Reverse(Conditions::of(domain).len() + Conditions::of(namespace).len())
                };
                Reverse(domain.spec.priority)
                    .cmp(&Reverse(other.spec.priority))
                    .then_with(|| pattern.rank().cmp(&other_pattern.rank()))
                    .then_with(|| {
                        conditions(&domain.spec.tags, &namespace.spec.tags)
                            .cmp(&conditions(&other.spec.tags, &other_namespace.spec.tags))
                    })
                    .then_with(|| (name, &domain.spec.name).cmp(&(other_name, &other.spec.name)))
            },
        );
        let mut is_found = false;
        let candidates = candidates.into_iter().map(|(name, namespace, domain, pattern)| {
            let mut conditions = self.conditions(&domain.spec.tags);
            conditions.extend(self.conditions(&namespace.spec.tags));
            let is_it = !is_found && chosen == Some((&*name, &*domain.spec.name)) && holds(&conditions);
            is_found |= is_it;
            let why = match failing(&conditions) {
                Some(failing) => failing,
                None if is_it => "the first one that matches".to_owned(),
                None => "another one goes before".to_owned(),
            };
            let (resource, pattern) = (domain.spec.key().to_string(), Some(pattern.to_string()));
            Candidate { resource, pattern, chosen: is_it, why, conditions }
        });
        candidates.collect()
    }
}
