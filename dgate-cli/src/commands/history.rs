//! `log` and `rollback`: what was changed, and how to go back.

use clap::Args;
use serde_json::{Value, json};

use super::plan::Plan;
use super::resource::to_the_second;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Detail, Failure};
use crate::output::{self, Format, Table};

/// What was changed.
#[derive(Debug, Args)]
pub(crate) struct Log {
    /// Show this revision with all that is different.
    revision: Option<u64>,
    /// Only what came after this revision.
    #[arg(long, value_name = "REVISION", conflicts_with = "revision")]
    since: Option<u64>,
    /// At most so many revisions.
    #[arg(long, value_name = "COUNT", default_value = "20", conflicts_with = "revision")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1000))]
    limit: u64,
    /// Go on, and show revisions as they come.
    #[arg(short, long, conflicts_with = "revision")]
    follow: bool,
}

/// Which revision to go back to.
#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// The revision whose configuration shall be again. That becomes a new revision.
    revision: u64,
    /// Roll documents back as well.
    #[arg(long)]
    documents: bool,
    /// Fail unless the configuration is at this revision.
    #[arg(long, value_name = "REVISION")]
    expect_revision: Option<u64>,
    /// Only show what would be done.
    #[arg(long)]
    dry_run: bool,
    /// What it is for; kept in the changelog.
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
}

impl Log {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let client = context.client()?;
        if let Some(revision) = self.revision {
            let answer = client.get(format!("/api/v1/changelog/{revision}")).send().await?;
            show_one(&answer.into_data(), context)?;
            return Ok(Exit::Success);
        }
        let since = self.since.map(|since| since.to_string());
        let request =
            client.get("/api/v1/changelog").query_if("since", since).query("limit", self.limit.to_string());
        let answer = request.send().await?;
        let mut last = answer.revision().unwrap_or_default();
        let entries = answer.into_data();
        let entries = entries.as_array().map(Vec::as_slice).unwrap_or_default();
        match context.output.format() {
            // A stream of objects can be read while it grows; one list cannot.
            Format::Json if self.follow => entries.iter().try_for_each(output::text)?,
            Format::Json | Format::Yaml => context.output.value(&Value::Array(entries.to_vec()))?,
            Format::Name => entries.iter().try_for_each(|entry| output::text(&entry["revision"]))?,
            Format::Table | Format::Wide if entries.is_empty() => context.output.say("no revisions"),
            Format::Table | Format::Wide => output::text(table(entries))?,
        }
        if self.follow {
            last = entries.last().and_then(|entry| entry["revision"].as_u64()).unwrap_or(last).max(last);
            follow(context, last).await?;
        }
        Ok(Exit::Success)
    }
}

/// Shows revisions as they come, until the server or whoever watches has had enough.
async fn follow(context: &Context, last: u64) -> Result<(), Failure> {
    let client = context.client()?;
    let mut events = client.get("/api/v1/watch").query("since", last.to_string()).events().await?;
    while let Some(event) = events.next().await? {
        let entry: Value = serde_json::from_str(&event.data).unwrap_or_default();
        match (event.event.as_str(), context.output.format()) {
            ("change", Format::Json | Format::Yaml) => context.output.next_value(&entry)?,
            ("change", Format::Name) => output::text(&entry["revision"])?,
            ("change", _) => output::text(cells(&entry).join("   "))?,
            _ => context.output.say(entry["reason"].as_str().unwrap_or("some revisions are missing here")),
        }
    }
    Ok(())
}

fn table(entries: &[Value]) -> Table {
    let mut table = Table::new(["REVISION", "WHEN", "WHO", "CHANGES", "MESSAGE"]);
    for entry in entries {
        table.row(cells(entry));
    }
    table
}

fn cells(entry: &Value) -> [String; 5] {
    let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    [entry["revision"].to_string(), to_the_second(&text("at")), text("who"), changes(entry), text("message")]
}

/// `+ route/default/hello`, or how many of each when there are several.
fn changes(entry: &Value) -> String {
    let changes = entry["changes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let sign = |outcome: &Value| match outcome.as_str() {
        Some("created") => '+',
        Some("deleted") => '-',
        _ => '~',
    };
    let first: Vec<_> = changes
        .iter()
        .take(2)
        .map(|change| {
            format!("{}{}", sign(&change["outcome"]), change["resource"].as_str().unwrap_or_default())
        })
        .collect();
    match changes.len().saturating_sub(2) {
        0 => first.join(" "),
        more => format!("{} and {more} more", first.join(" ")),
    }
}

fn show_one(entry: &Value, context: &Context) -> Result<(), Failure> {
    if !context.output.is_for_people() {
        return context.output.value(entry);
    }
    for (head, name) in [
        ("revision", "revision"),
        ("when", "at"),
        ("who", "who"),
        ("from", "from"),
        ("request", "request_id"),
        ("message", "message"),
    ] {
        match &entry[name] {
            Value::Null => {}
            Value::String(text) => output::text(format!("{head:<10}{text}"))?,
            other => output::text(format!("{head:<10}{other}"))?,
        }
    }
    output::text(format!("\n{}", Plan::of_changes(&entry["changes"]).describe().trim_end()))
}

impl Rollback {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let client = context.client()?;
        let path = format!("/api/v1/changelog/{}/rollback", self.revision);
        let mut wish = json!({ "documents": self.documents });
        if let Some(message) = &self.message {
            wish["message"] = message.as_str().into();
        }
        if let Some(revision) = self.expect_revision {
            wish["expect_revision"] = revision.into();
        }
        let planned = client.post(&path).flag("dry_run", true).json(&wish).send().await;
        let plan = Plan::of(planned.map_err(|failure| self.advise(failure))?, context);
        if self.dry_run {
            plan.show(context)?;
            return Ok(Exit::Success);
        }
        if plan.is_empty() {
            context.output.say(format!("everything is as in revision {} already", self.revision));
            if !context.output.is_for_people() {
                plan.show(context)?;
            }
            return Ok(Exit::Success);
        }
        context.output.say(plan.describe().trim_end());
        context.confirm(&format!("Go back to revision {}?", self.revision))?;
        // What is done is what was shown, or nothing.
        if let Some(revision) = plan.revision {
            wish["expect_revision"] = revision.into();
        }
        Plan::of(client.post(&path).json(&wish).send().await?, context).tell(context)?;
        Ok(Exit::Success)
    }

    /// Documents stay where they are, so a collection that was not there yet cannot go.
    fn advise(&self, mut failure: Failure) -> Failure {
        let is_about_documents = |detail: &Detail| detail.message.contains("document/");
        if !self.documents && failure.details.iter().any(is_about_documents) {
            failure.details.iter_mut().for_each(|detail| detail.help = None);
            return failure.with_help("`--documents` rolls documents back as well");
        }
        failure
    }
}
