//! `edit`.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use clap::Args;
use dgate_core::{Kind, decode, with_kind};
use http::Method;
use http::header::IF_MATCH;
use serde_json::Value;

use super::write::say_written;
use super::{Identity, inline_files, without_read_only};
use crate::client::Client;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Which one.
#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// Its name: `NAME`, `NAMESPACE/NAME` or `name=… namespace=…`; documents: `COLLECTION/ID` or `id=… collection=…`.
    #[arg(value_name = "NAME", required = true)]
    words: Vec<String>,
    /// The collection of a document.
    #[arg(short, long)]
    collection: Option<String>,
}

impl Edit {
    /// Opens an editor until what it leaves behind is accepted, or is not changed any more.
    pub(super) async fn run(self, kind: Kind, context: &Context) -> Result<Exit, Failure> {
        let identity = Identity::of_words(kind, &self.words, self.collection.as_deref(), context)?;
        let client = context.client()?;
        let answer = client.get(identity.path()).send().await?;
        let etag = answer.etag().unwrap_or("*").to_owned();
        let resource = answer.into_data();
        let written = output::yaml(&without_read_only(resource.clone()))?;
        let mut text = written.clone();
        loop {
            let edited = edit(&text)?;
            let body = without_comments(&edited);
            if body == without_comments(&text) {
                let (exit, what) = if body == without_comments(&written) {
                    (Exit::Success, "nothing was changed")
                } else {
                    (Exit::Invalid, "given up; nothing was changed")
                };
                context.output.say(what);
                if exit == Exit::Success && !context.output.is_for_people() {
                    context.output.value(&resource)?;
                }
                return Ok(exit);
            }
            match put(&client, &identity, &body, &etag).await {
                Ok(answer) => {
                    say_written(&answer, &identity, false, context)?;
                    return Ok(Exit::Success);
                }
                Err(failure) if failure.exit() == Exit::Invalid => text = with_failure(&failure, &body),
                Err(failure) => return Err(failure),
            }
        }
    }
}

async fn put(
    client: &Client,
    identity: &Identity,
    text: &str,
    etag: &str,
) -> Result<crate::client::Answer, Failure> {
    let invalid = |message: String| Failure::new(Exit::Invalid, message);
    let mut resource: Value = serde_saphyr::from_str(text).map_err(|error| invalid(error.to_string()))?;
    let problems = with_kind!(identity.kind, R => decode::canonicalize::<R>(&mut resource)).err();
    let problems = problems.unwrap_or_default();
    if problems.has_errors() {
        return Err(Failure::invalid("this cannot be read", &problems));
    }
    let problems = inline_files(identity.kind, &mut resource, Path::new("."));
    if problems.has_errors() {
        return Err(Failure::invalid("a file cannot be read", &problems));
    }
    client.request(Method::PUT, identity.path()).header(IF_MATCH, etag).json(&resource).send().await
}

/// The text again, with what is wrong with it on top.
fn with_failure(failure: &Failure, body: &str) -> String {
    let said = anstream::adapter::strip_str(&failure.to_string()).to_string();
    let comment: String = said.lines().flat_map(|line| ["# ", line, "\n"]).collect();
    format!("{comment}# Mend it, or leave it as it is to give up.\n{body}")
}

/// Lines at the top that begin with `#` are ours.
fn without_comments(text: &str) -> String {
    let lines = text.lines().skip_while(|line| line.starts_with('#'));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Lets somebody edit a text.
fn edit(text: &str) -> Result<String, Failure> {
    let failed =
        |what: &str, error: &dyn std::fmt::Display| Failure::new(Exit::Failed, format!("{what}: {error}"));
    let mut file = tempfile::Builder::new()
        .prefix("dgate-")
        .suffix(".yaml")
        .tempfile()
        .map_err(|error| failed("no temporary file can be made", &error))?;
    file.write_all(text.as_bytes()).map_err(|error| failed("a temporary file cannot be written", &error))?;
    let editor = ["VISUAL", "EDITOR"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let editor = editor.unwrap_or_else(|| "vi".to_owned());
    // As git does: the variable may hold arguments.
    let status = Command::new("sh")
        .args(["-c", &format!("{editor} \"$@\""), &editor])
        .arg(file.path())
        .status()
        .map_err(|error| failed(&format!("`{editor}` cannot be started"), &error))?;
    if !status.success() {
        return Err(Failure::new(
            Exit::Failed,
            format!("`{editor}` ended with {status}; nothing was changed"),
        ));
    }
    std::fs::read_to_string(file.path()).map_err(|error| failed("the edited file cannot be read", &error))
}
