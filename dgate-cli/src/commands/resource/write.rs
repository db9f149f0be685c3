//! `create` and `set`.

use std::path::Path;

use clap::Args;
use dgate_core::Kind;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{Method, StatusCode};
use serde_json::Value;

use super::compose::{check, compose};
use super::{Identity, inline_files};
use crate::client::{Answer, Request};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Format};

/// What it shall be.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Its name, and its fields: `key=value`, `key:=json`, `key@=file`.
    #[arg(value_name = "NAME|KEY=VALUE", required = true)]
    words: Vec<String>,
    /// Fail if there is one of this name already.
    #[arg(long)]
    new: bool,
    #[command(flatten)]
    how: How,
}

/// What shall be different.
#[derive(Debug, Args)]
pub(crate) struct Set {
    /// Its name, and the fields to change: `key=value`, `key:=json`, `key@=file`. `key=` clears a field.
    #[arg(value_name = "NAME|KEY=VALUE", required = true)]
    words: Vec<String>,
    /// Fail unless it was last changed by this revision.
    #[arg(long, value_name = "REVISION")]
    if_revision: Option<u64>,
    #[command(flatten)]
    how: How,
}

/// How something is written.
#[derive(Debug, Args)]
struct How {
    /// Check everything, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// What it is for; kept in the changelog.
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
}

impl Create {
    pub(super) async fn run(self, kind: Kind, context: &Context) -> Result<Exit, Failure> {
        let (identity, mut fields) = compose(kind, &self.words, context)?;
        check(&identity, &fields)?;
        let problems = inline_files(kind, &mut fields, Path::new("."));
        if problems.has_errors() {
            return Err(Failure::invalid(format!("this is no valid {kind}"), &problems));
        }
        let client = context.client()?;
        let mut request = client.request(Method::PUT, identity.path()).json(&fields);
        if self.new {
            request = request.header(IF_NONE_MATCH, "*");
        }
        send(request, &identity, &self.how, context).await
    }
}

impl Set {
    pub(super) async fn run(self, kind: Kind, context: &Context) -> Result<Exit, Failure> {
        let (identity, mut fields) = compose(kind, &self.words, context)?;
        let problems = inline_files(kind, &mut fields, Path::new("."));
        if problems.has_errors() {
            return Err(Failure::invalid(format!("{identity} cannot be changed"), &problems));
        }
        let client = context.client()?;
        let patch = fields.to_string();
        let mut request =
            client.request(Method::PATCH, identity.path()).body("application/merge-patch+json", patch);
        if let Some(revision) = self.if_revision {
            request = request.header(IF_MATCH, &format!("\"{revision}\""));
        }
        send(request, &identity, &self.how, context).await
    }
}

async fn send(
    request: Request<'_>,
    identity: &Identity,
    how: &How,
    context: &Context,
) -> Result<Exit, Failure> {
    let answer =
        request.flag("dry_run", how.dry_run).query_if("message", how.message.as_deref()).send().await?;
    say_written(&answer, identity, how.dry_run, context)?;
    Ok(Exit::Success)
}

/// Says what has become of a resource.
///
/// # Errors
/// When standard output cannot be written.
pub(super) fn say_written(
    answer: &Answer,
    identity: &Identity,
    is_dry: bool,
    context: &Context,
) -> Result<(), Failure> {
    context.warn_of(answer);
    // A plan says what would become of it, an answer by its status what has.
    let planned = answer.data()["changes"].as_array().and_then(|changes| changes.first());
    let verb = match planned.and_then(|change| change["outcome"].as_str()) {
        Some(outcome) if is_dry => outcome,
        _ if answer.status == StatusCode::CREATED => "created",
        _ => "updated",
    };
    let after = match answer.revision() {
        _ if is_dry => " (dry run, nothing was changed)".to_owned(),
        Some(revision) => format!(" (revision {revision})"),
        None => String::new(),
    };
    context.output.say(format!("{identity} {verb}{after}"));
    match context.output.format() {
        Format::Name => output::text(identity.slashed()),
        Format::Json | Format::Yaml if *answer.data() != Value::Null => context.output.value(answer.data()),
        _ => Ok(()),
    }
}
