//! What a server carries from an instant on.

use jiff::Timestamp;

use super::{ActiveTags, Applies, Condition, Conditions, ServerTags};
use crate::{Problem, Problems};

/// What a server carries at an instant, and after each edge to come.
#[derive(Debug)]
pub(crate) struct Outlook {
    instants: Vec<ActiveTags>,
    is_known: bool,
}

impl Outlook {
    pub(crate) fn of(server: &ServerTags, from: Timestamp) -> Self {
        let mut edges: Vec<_> = server.edges_after(from).map(|edge| edge.at).collect();
        edges.sort();
        edges.dedup();
        let instants = std::iter::once(from).chain(edges).map(|instant| server.at(instant)).collect();
        Self { instants, is_known: server.is_known() }
    }

    /// Warns of conditions that never hold on this server.
    pub(crate) fn warn_of_impossible(&self, conditions: &Conditions, problems: &mut Problems) {
        if !self.is_known {
            return;
        }
        let mut is_possible = true;
        for condition in conditions.iter().filter(|condition| !self.is_possible(|tags| condition.on(tags))) {
            is_possible = false;
            let message = format!("no tag of this server ever satisfies `{}`", condition.text());
            problems.push(Problem::warning(pointer(condition), message));
        }
        if is_possible && !self.is_possible(|tags| conditions.on(tags)) {
            problems.push(Problem::warning("/tags", "its conditions never hold together on this server"));
        }
    }

    /// Refuses conditions that depend on the request, where there is none.
    pub(crate) fn refuse_canaries(&self, conditions: &Conditions, what: &str, problems: &mut Problems) {
        for condition in conditions.iter() {
            let asks = |tags: &ActiveTags| matches!(condition.on(tags), Applies::Sometimes(_));
            if self.instants.iter().any(asks) {
                problems.push(
                    Problem::error(
                        pointer(condition),
                        format!("`{}` is decided for each request, and {what}", condition.text()),
                    )
                    .with_help("it asks for a canary tag of this server: use a tag without a share"),
                );
            }
        }
    }

    fn is_possible(&self, on: impl Fn(&ActiveTags) -> Applies) -> bool {
        self.instants.iter().any(|tags| match on(tags) {
            Applies::Always => true,
            Applies::Never => false,
            Applies::Sometimes(rule) => !rule.excludes(&rule),
        })
    }
}

fn pointer(condition: &Condition) -> String {
    format!("/tags/{}", condition.index)
}
