//! `document delete --all`.

use dgate_core::Kind;
use serde_json::json;

use super::assignment::{Operand, Word};
use super::identity::slashed;
use super::read::all_pages;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Format, with_progress};

/// How many documents go in one change.
const AT_ONCE: usize = 1_000;

/// All documents of a collection.
#[derive(Debug)]
pub(super) struct AllDocuments {
    namespace: String,
    collection: String,
}

impl AllDocuments {
    /// The collection that is meant: `collection=users namespace=shop`, or by options.
    ///
    /// # Errors
    /// When it is not said which one, or the words say something else.
    pub(super) fn of(
        kind: Kind,
        words: &[String],
        collection: Option<&str>,
        context: &Context,
    ) -> Result<Self, Failure> {
        if kind != Kind::Document {
            let message = "`--all` deletes the documents of a collection";
            return Err(
                Failure::usage(message).with_help(format!("`dgate-cli {kind} list -o name` lists names"))
            );
        }
        let mut namespace = context.namespace().to_owned();
        let mut collection = collection.map(str::to_owned);
        for word in words {
            match Word::parse(word)? {
                Word::Assignment(assignment) => match (assignment.key, assignment.operand) {
                    ("namespace", Operand::Text(value)) => value.clone_into(&mut namespace),
                    ("collection", Operand::Text(value)) => collection = Some(value.to_owned()),
                    _ => return Err(Failure::usage(format!("`{word}` says no collection"))),
                },
                Word::Bare(name) => {
                    let message = format!("either `{name}` or `--all`, not both");
                    return Err(Failure::usage(message));
                }
            }
        }
        let missing =
            || Failure::usage("the collection is missing").with_help("write it like `collection=users`");
        Ok(Self { namespace, collection: collection.ok_or_else(missing)? })
    }

    /// Deletes them, a thousand in a change, when somebody has said yes.
    ///
    /// # Errors
    /// When the server refuses it, or nobody says yes.
    pub(super) async fn delete(
        &self,
        dry_run: bool,
        message: Option<&str>,
        context: &Context,
    ) -> Result<(), Failure> {
        let Self { namespace, collection } = self;
        let client = context.client()?;
        // Says that there is no such collection, where a list of its documents would be empty.
        let path = format!(
            "/api/v1/collection/{}/{}",
            crate::client::segment(namespace),
            crate::client::segment(collection)
        );
        client.get(path).send().await?;
        let list =
            || client.get("/api/v1/document").query("namespace", namespace).query("collection", collection);
        let found = with_progress("list documents", all_pages(None, list)).await?;
        let names: Vec<String> = found.iter().map(|document| slashed(Kind::Document, document)).collect();
        let what = match names.len() {
            1 => "1 document".to_owned(),
            count => format!("{count} documents"),
        };
        let title = format!("{what} of collection {namespace}/{collection}");
        if dry_run {
            context.output.say(format!("{title} would be deleted (dry run, nothing was changed)"));
        } else if !names.is_empty() {
            context.confirm(&format!("Delete {title}?"))?;
        }
        let mut revision = None;
        for part in names.chunks(AT_ONCE).filter(|_| !dry_run) {
            let body = json!({ "resources": [], "delete": part, "message": message });
            let answer = with_progress(&what, client.post("/api/v1/apply").json(&body).send()).await?;
            revision = answer.revision();
        }
        if !dry_run {
            let after = revision.map_or_else(String::new, |revision| format!(" (revision {revision})"));
            context.output.say(format!("{title} deleted{after}"));
        }
        match context.output.format() {
            Format::Name => names.iter().try_for_each(crate::output::text),
            Format::Json | Format::Yaml => {
                context.output.value(&json!({ "documents": names, "revision": revision, "dry_run": dry_run }))
            }
            Format::Table | Format::Wide => Ok(()),
        }
    }
}
