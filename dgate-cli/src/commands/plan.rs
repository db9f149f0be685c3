//! What a change does, or would do, resource by resource.

use std::fmt::Write;

use serde_json::Value;

use crate::client::Answer;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Format, style};

/// The longest value that is shown whole.
const LONGEST: usize = 60;

/// The server's plan.
#[derive(Debug)]
pub(crate) struct Plan {
    data: Value,
    /// The revision it was made at, or that it made.
    pub(crate) revision: Option<u64>,
}

impl Plan {
    /// Reads an answer, and says what it warns of.
    pub(crate) fn of(answer: Answer, context: &Context) -> Self {
        context.warn_of(&answer);
        Self { revision: answer.revision(), data: answer.into_data() }
    }

    /// A list of changes by itself, as the changelog has it.
    pub(crate) fn of_changes(changes: &Value) -> Self {
        Self { revision: None, data: serde_json::json!({ "changes": changes }) }
    }

    /// How many resources are created, updated, deleted or unchanged.
    pub(crate) fn count(&self, outcome: &str) -> u64 {
        self.data[outcome].as_u64().unwrap_or_default()
    }

    /// Whether nothing is changed.
    pub(crate) fn is_empty(&self) -> bool {
        ["created", "updated", "deleted"].into_iter().all(|outcome| self.count(outcome) == 0)
    }

    /// Each change with what is different, for people.
    pub(crate) fn describe(&self) -> String {
        let mut text = String::new();
        for change in self.changes() {
            let outcome = change["outcome"].as_str().unwrap_or_default();
            let (sign, style) = match outcome {
                "created" => ('+', style::ADDED),
                "deleted" => ('-', style::REMOVED),
                "updated" => ('~', style::CHANGED),
                _ => continue,
            };
            let resource = change["resource"].as_str().unwrap_or_default();
            let _ = writeln!(text, "{style}{sign} {resource}{style:#}");
            if outcome == "updated" {
                for difference in change["diff"].as_array().into_iter().flatten() {
                    let place = difference["pointer"].as_str().unwrap_or_default();
                    let place = place.trim_start_matches('/').replace('/', ".");
                    let (before, after) = (short(difference.get("before")), short(difference.get("after")));
                    let _ = writeln!(text, "    {place}: {before} → {after}");
                }
            }
        }
        text
    }

    /// How much is changed: `1 created, 2 updated`.
    pub(crate) fn summary(&self) -> String {
        let counts =
            ["created", "updated", "deleted", "unchanged"].map(|outcome| (outcome, self.count(outcome)));
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        counts.map(|(outcome, count)| format!("{count} {outcome}")).collect::<Vec<_>>().join(", ")
    }

    /// Writes the plan as a result: for people what is different, else as data.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn show(&self, context: &Context) -> Result<(), Failure> {
        match context.output.format() {
            Format::Json | Format::Yaml => context.output.value(&self.data),
            Format::Name => self.changed().try_for_each(output::text),
            Format::Table | Format::Wide if self.is_empty() => {
                context.output.say("no differences");
                Ok(())
            }
            Format::Table | Format::Wide => {
                output::text(self.describe().trim_end())?;
                context.output.say(self.summary());
                Ok(())
            }
        }
    }

    /// Says what has been done; as data only if asked for.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn tell(&self, context: &Context) -> Result<(), Failure> {
        for change in self.changes().filter(|change| change["outcome"] != "unchanged") {
            let text = |name: &str| change[name].as_str().unwrap_or_default();
            context.output.say(format!("{} {}", text("resource"), text("outcome")));
        }
        let summary = if self.is_empty() { "nothing had to be changed".to_owned() } else { self.summary() };
        let revision = self.revision.map_or_else(String::new, |revision| format!(" (revision {revision})"));
        context.output.say(format!("{summary}{revision}"));
        match context.output.format() {
            Format::Table | Format::Wide => Ok(()),
            _ => self.show(context),
        }
    }

    fn changes(&self) -> impl Iterator<Item = &Value> {
        self.data["changes"].as_array().into_iter().flatten()
    }

    /// The names of what is changed.
    fn changed(&self) -> impl Iterator<Item = &str> {
        let changes = self.changes().filter(|change| change["outcome"] != "unchanged");
        changes.filter_map(|change| change["resource"].as_str())
    }
}

/// A value on one line, cut when it is long.
fn short(value: Option<&Value>) -> String {
    let Some(value) = value else { return "(nothing)".to_owned() };
    let text = value.to_string();
    if text.chars().count() <= LONGEST {
        return text;
    }
    let beginning: String = text.chars().take(LONGEST).collect();
    format!("{beginning}… ({} characters)", text.chars().count())
}
