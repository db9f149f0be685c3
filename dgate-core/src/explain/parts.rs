//! What takes part in a request once its route is known.

use super::{Asking, Candidate, Explanation};
use crate::resource::Resource as _;
use crate::snapshot::{CompiledRoute, NamespaceSnapshot};
use crate::{Key, Kind};

impl Asking<'_> {
    pub(super) fn explain_parts(
        &mut self,
        namespace: &NamespaceSnapshot,
        route: &CompiledRoute,
        explanation: &mut Explanation,
    ) {
        let (tables, spec) = (&namespace.resources, &route.spec.spec);
        for name in &spec.modules {
            let Some(module) = tables.modules.get(name) else { continue };
            explanation.modules.push(self.by_tags(module.spec.key().to_string(), &module.spec.tags));
        }
        let Some(service) = spec.service.as_ref().and_then(|name| tables.services.get(name)) else {
            let runs_modules = explanation.modules.iter().any(|module| module.chosen);
            explanation.outcome = if runs_modules {
                format!("{} takes it; its modules answer", spec.key())
            } else {
                format!("501: {} takes it, and has neither a service nor modules that apply", spec.key())
            };
            return;
        };
        let key = Key::new(Kind::Service, namespace.name.clone(), service.spec.name.as_str());
        let candidate = self.by_tags(key.to_string(), &service.spec.tags);
        explanation.endpoints =
            service.spec.urls.iter().map(|url| self.by_tags(url.url.clone(), &url.tags)).collect();
        let has_endpoint = explanation.endpoints.iter().any(|endpoint: &Candidate| endpoint.chosen);
        explanation.outcome = match (candidate.chosen, has_endpoint) {
            (true, true) => format!("{} takes it, and {key} answers", spec.key()),
            (true, false) => format!("502: {} takes it, and no endpoint of {key} applies", spec.key()),
            (false, _) => {
                format!("502: {} takes it, and {key} does not apply: {}", spec.key(), candidate.why)
            }
        };
        explanation.service = Some(candidate);
    }
}
