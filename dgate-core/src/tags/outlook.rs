//! What servers carry from an instant on.

use jiff::Timestamp;

use super::{ActiveTags, Applies, Condition, Conditions, ServerTags};
use crate::{Problem, Problems};

/// What each server carries at an instant, and after each edge to come.
#[derive(Debug)]
pub(crate) struct Outlook {
    servers: Vec<Vec<ActiveTags>>,
    is_known: bool,
}

impl Outlook {
    pub(crate) fn of<'s>(servers: impl Iterator<Item = &'s ServerTags>, from: Timestamp) -> Self {
        let mut is_known = true;
        let servers = servers.map(|server| {
            is_known &= server.is_known();
            let mut edges: Vec<_> = server.edges_after(from).map(|edge| edge.at).collect();
            edges.sort();
            edges.dedup();
            std::iter::once(from).chain(edges).map(|instant| server.at(instant)).collect()
        });
        Self { servers: servers.collect(), is_known }
    }

    /// Warns of conditions that never hold on any server.
    pub(crate) fn warn_of_impossible(&self, conditions: &Conditions, problems: &mut Problems) {
        if !self.is_known {
            return;
        }
        let count = self.servers.len();
        let mut is_possible = true;
        for condition in conditions.iter().filter(|condition| !self.is_possible(|tags| condition.on(tags))) {
            is_possible = false;
            let whose =
                if count == 1 { "this server".to_owned() } else { format!("any of the {count} servers") };
            let message = format!("no tag of {whose} ever satisfies `{}`", condition.text());
            problems.push(Problem::warning(pointer(condition), message));
        }
        if is_possible && !self.is_possible(|tags| conditions.on(tags)) {
            let whose =
                if count == 1 { "this server".to_owned() } else { format!("any one of the {count} servers") };
            problems
                .push(Problem::warning("/tags", format!("its conditions never hold together on {whose}")));
        }
    }

    /// Refuses conditions that depend on the request, where there is none.
    pub(crate) fn refuse_canaries(&self, conditions: &Conditions, what: &str, problems: &mut Problems) {
        for condition in conditions.iter() {
            let asks = |tags: &ActiveTags| matches!(condition.on(tags), Applies::Sometimes(_));
            // This server is the first one.
            let Some(whose) = self.servers.iter().position(|instants| instants.iter().any(asks)) else {
                continue;
            };
            let whose = if whose == 0 { "this server" } else { "another server" };
            problems.push(
                Problem::error(
                    pointer(condition),
                    format!("`{}` is decided for each request, and {what}", condition.text()),
                )
                .with_help(format!("it asks for a canary tag of {whose}: use a tag without a share")),
            );
        }
    }

    fn is_possible(&self, on: impl Fn(&ActiveTags) -> Applies) -> bool {
        self.servers.iter().flatten().any(|tags| match on(tags) {
            Applies::Always => true,
            Applies::Never => false,
            Applies::Sometimes(rule) => !rule.excludes(&rule),
        })
    }
}

fn pointer(condition: &Condition) -> String {
    format!("/tags/{}", condition.index)
}
