//! Which routes match.

use std::sync::Arc;

use http::Method;

use super::conditions::{failing, holds};
use super::{Asking, Candidate, Explanation};
use crate::compile::routes::table_of_all;
use crate::pattern::normalize;
use crate::resource::Resource as _;
use crate::snapshot::{CompiledRoute, NamespaceSnapshot, RouteLookup, RouteMatch};

impl Asking<'_> {
    pub(super) fn explain_routes(
        &mut self,
        namespace: &NamespaceSnapshot,
        domain_bits: u64,
        explanation: &mut Explanation,
    ) {
        self.enter(namespace);
        explanation.tags = self.tags();
        let question = self.question;
        let found = namespace.find_route_for(
            &question.method,
            &self.path,
            &question.headers,
            question.query.as_deref(),
            Some(&mut self.request),
        );
        let chosen = match &found {
            RouteLookup::Found(found) => Some(found),
            _ => None,
        };
        explanation.routes = self.routes(namespace, chosen);
        let name = &namespace.name;
        match found {
            RouteLookup::Found(found) => {
                explanation.route = Some(found.route.name.to_string());
                explanation.path_parameters = self.path_parameters(&found);
                explanation.upstream_path = Some(self.upstream_path(&found));
                let carried = self.request.carries(namespace.canary_bits(&found.route) | domain_bits);
                explanation.variant = self.active.label(carried).map(|label| label.to_string());
                self.explain_parts(namespace, &found.route, explanation);
            }
            RouteLookup::MethodNotAllowed(allowed) => {
                let allowed: Vec<&str> = allowed.iter().map(Method::as_str).collect();
                let allowed = allowed.join(", ");
                explanation.outcome =
                    format!("405: routes of namespace `{name}` answer this path for {allowed} only");
            }
            RouteLookup::NotFound => {
                explanation.outcome = format!("404: no route of namespace `{name}` takes it");
            }
        }
    }

    fn path_parameters(&self, found: &RouteMatch) -> std::collections::BTreeMap<String, String> {
        let values = found
            .captures
            .iter()
            .filter_map(|(from, to)| self.path.get(usize::from(*from)..usize::from(*to)));
        let names = found.pattern.parameters().iter();
        names
            .zip(values)
            .map(|(name, value)| (name.to_string(), normalize::decode(value).into_owned()))
            .collect()
    }

    /// What is left of the path, and the query.
    fn upstream_path(&self, found: &RouteMatch) -> String {
        let strips = found.route.spec.spec.strip_path;
        let stripped = if strips { found.pattern.strip_length(&self.path) } else { 0 };
        let rest = self.path.get(stripped..).unwrap_or_default();
        let slash = if rest.starts_with('/') { "" } else { "/" };
        let query = self.question.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{slash}{rest}{query}")
    }

    /// Every route with a pattern that matches the path, whether it applies or not.
    fn routes(&mut self, namespace: &NamespaceSnapshot, chosen: Option<&RouteMatch>) -> Vec<Candidate> {
        let mut matching: Vec<(Arc<CompiledRoute>, String)> = Vec::new();
        table_of_all(&namespace.resources).search(&self.path, &mut |leaves, _| {
            matching.extend(leaves.iter().map(|leaf| (leaf.value.clone(), leaf.pattern.to_string())));
            false
        });
        let is_chosen = |route: &CompiledRoute, pattern: &str| {
            chosen.is_some_and(|found| found.route.name == route.name && found.pattern.as_str() == pattern)
        };
        let candidates = matching.into_iter().map(|(route, pattern)| {
            let conditions = self.conditions(&route.spec.spec.tags);
            let chosen = is_chosen(&route, &pattern);
            let why = if chosen {
                "the first one that matches".to_owned()
            } else {
                self.why_not(&route).or_else(|| failing(&conditions)).unwrap_or_else(|| {
                    debug_assert!(holds(&conditions));
                    "another one goes before".to_owned()
                })
            };
            let resource = route.spec.spec.key().to_string();
            Candidate { resource, pattern: Some(pattern), chosen, why, conditions }
        });
        candidates.collect()
    }

    /// Why a route does not take a request, apart from its tags.
    fn why_not(&self, route: &CompiledRoute) -> Option<String> {
        let question = self.question;
        if !route.methods.answers(&question.method) {
            let allowed: Vec<_> = route.methods.allowed().map(|method| method.to_string()).collect();
            return Some(format!("it takes {}, not {}", allowed.join(", "), question.method));
        }
        let mut each = route.conditions.each(&question.headers, question.query.as_deref());
        each.find(|(_, holds)| !holds).map(|(condition, _)| format!("not so: {condition}"))
    }
}
