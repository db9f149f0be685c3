//! Which routes could take a path, for people who ask why one does.

use http::HeaderMap;

use super::{NamespaceSnapshot, RequestConditions, RouteMatch};

impl NamespaceSnapshot {
    /// Each route with a pattern that matches a normalised path, in the order in which they are tried.
    pub fn candidates(&self, path: &str) -> Vec<RouteMatch> {
        let mut candidates = Vec::new();
        self.table.search(path, &mut |leaves, captures| {
            candidates.extend(leaves.iter().map(|leaf| RouteMatch {
                route: leaf.value.clone(),
                pattern: leaf.pattern.clone(),
                captures: captures.clone(),
            }));
            false
        });
        candidates
    }
}

impl RequestConditions {
    /// The name of the first header or query parameter that is not as it has to be: `header x-user`, `query v`.
    pub fn first_that_fails(&self, headers: &HeaderMap, query: Option<&str>) -> Option<String> {
        self.each(headers, query).find(|(_, holds)| !holds).map(|(what, _)| what)
    }
}
