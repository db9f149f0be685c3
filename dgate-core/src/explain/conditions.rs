//! What is said of tags and conditions on them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Asking, Candidate};
use crate::tags::{Applies, Condition, Conditions};

/// A tag of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CarriedTag {
    /// The tag as it was written.
    pub tag: String,
    /// Whether the request carries it.
    pub carried: bool,
    /// Why, or why not.
    pub why: String,
}

/// A condition on the server's tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConditionVerdict {
    /// The condition as it was written.
    pub condition: String,
    /// Whether it holds.
    pub holds: bool,
    /// Why, or why not.
    pub why: String,
}

impl Asking<'_> {
    /// The tags of the server, one by one.
    pub(super) fn tags(&mut self) -> Vec<CarriedTag> {
        let (active, written) = (self.active.clone(), self.written.clone());
        let now = active.instant();
        let mut said = Vec::new();
        for tag in written.iter() {
            let label = tag.value.as_deref().map(|value| format!("{}:{value}", tag.name));
            let canary =
                label.and_then(|label| active.canaries().find(|(_, canary)| **canary.label() == *label));
            let (carried, why) = match (tag.is_carried(now), tag.share, canary) {
                (false, ..) => (false, format!("not at this instant: {}", tag.when)),
                (true, Some(_), Some((bit, canary))) => {
                    let carried = self.request.carries(1 << bit) != 0;
                    let share = canary.share(now);
                    (carried, self.why_drawn(canary.label(), carried, &share))
                }
                (true, ..) => (true, tag.when.to_string()),
            };
            said.push(CarriedTag { tag: tag.text().to_owned(), carried, why });
        }
        said
    }

    fn why_drawn(&self, label: &str, carried: bool, share: &str) -> String {
        let is_forced = |text: &String| text.strip_prefix('!').unwrap_or(text) == label;
        if self.question.forced.iter().any(is_forced) {
            return "forced".to_owned();
        }
        match (&self.question.key, carried) {
            (None, _) => {
                format!("for {share} of the requests; without a key, this one is taken not to be one of them")
            }
            (Some(key), true) => format!("`{key}` is among the {share} of clients who get it"),
            (Some(key), false) => format!("`{key}` is not among the {share} of clients who get it"),
        }
    }

    /// Each condition among a resource's tags.
    pub(super) fn conditions(&mut self, tags: &[String]) -> Vec<ConditionVerdict> {
        let conditions = Conditions::of(tags);
        conditions.iter().map(|condition| self.condition(condition)).collect()
    }

    fn condition(&mut self, condition: &Condition) -> ConditionVerdict {
        let active = self.active.clone();
        let applies = condition.on(&active);
        let verdict = |holds, why| ConditionVerdict { condition: condition.text().to_owned(), holds, why };
        let wanted: Vec<String> = condition.wanted().collect();
        match applies {
            Applies::Sometimes(rule) => {
                let carried = self.request.carries(rule.bits());
                let why = match active.label(carried) {
                    Some(label) => format!("this request carries `{label}`"),
                    None => {
                        let label = active.label(rule.bits()).unwrap_or_default();
                        format!("this request does not carry `{label}`")
                    }
                };
                verdict(rule.holds(carried), why)
            }
            _ => {
                let carried: Vec<String> = active.texts().collect();
                let is_had = |wanted: &&String| {
                    carried.contains(wanted)
                        || (!wanted.contains(':')
                            && carried.iter().any(|tag| tag.split(':').next() == Some(wanted)))
                };
                let had: Vec<&str> = wanted.iter().filter(is_had).map(String::as_str).collect();
                let why = match (had.as_slice(), wanted.as_slice()) {
                    ([], wanted) => format!("the server does not have `{}`", wanted.join("`, `")),
                    (had, wanted) if had.len() == wanted.len() => {
                        format!("the server has `{}`", had.join("`, `"))
                    }
                    (had, wanted) => {
                        format!("the server has `{}` of `{}`", had.join("`, `"), wanted.join("`, `"))
                    }
                };
                verdict(applies == Applies::Always, why)
            }
        }
    }

    /// A candidate whose conditions on tags are looked at, and nothing else.
    pub(super) fn by_tags(&mut self, resource: String, tags: &[String]) -> Candidate {
        let conditions = self.conditions(tags);
        let why = failing(&conditions).unwrap_or_else(|| match conditions.len() {
            0 => "it has no conditions".to_owned(),
            _ => "all of its conditions hold".to_owned(),
        });
        Candidate { resource, pattern: None, chosen: holds(&conditions), why, conditions }
    }
}

/// Whether all hold.
pub(super) fn holds(conditions: &[ConditionVerdict]) -> bool {
    conditions.iter().all(|condition| condition.holds)
}

/// Which ones do not hold, if some do not.
pub(super) fn failing(conditions: &[ConditionVerdict]) -> Option<String> {
    let failing: Vec<_> = conditions.iter().filter(|condition| !condition.holds).collect();
    let texts: Vec<_> =
        failing.iter().map(|one| format!("`{}` does not hold: {}", one.condition, one.why)).collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}
