//! Which names mean something else than before.

use std::collections::BTreeSet;

use super::{ActiveTags, Conditions};

/// The names under which a server carries something else than before.
#[derive(Debug, Default)]
pub(crate) struct ChangedTags<'a>(BTreeSet<&'a str>);

impl<'a> ChangedTags<'a> {
    pub(crate) fn between(before: &'a ActiveTags, after: &'a ActiveTags) -> Self {
        let names: BTreeSet<&str> = before.names().chain(after.names()).collect();
        Self(names.into_iter().filter(|name| before.named(name) != after.named(name)).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether what applies by these tags may be something else than before.
    pub(crate) fn touch(&self, tags: &[String]) -> bool {
        !self.is_empty()
            && !tags.is_empty()
            && Conditions::of(tags).iter().any(|condition| self.0.contains(condition.name()))
    }
}
