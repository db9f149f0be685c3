//! `delete`.

use clap::Args;
use dgate_core::Kind;
use http::Method;
use serde_json::{Value, json};

use super::Identity;
use super::assignment::Word;
use super::delete_all::AllDocuments;
use crate::client::Client;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Format};

/// Which ones.
#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// Names: `NAME`, `NAMESPACE/NAME`; or one as `name=… namespace=…`, documents as `id=… collection=…`.
    #[arg(value_name = "NAME", required_unless_present = "all")]
    words: Vec<String>,
    /// The collection of documents.
    #[arg(short, long)]
    collection: Option<String>,
    /// Delete all documents of a collection.
    #[arg(long, conflicts_with = "cascade")]
    all: bool,
    /// Delete what refers to it, too; with a namespace, everything in it.
    #[arg(long)]
    cascade: bool,
    /// Only show what would be deleted.
    #[arg(long)]
    dry_run: bool,
    /// What it is for; kept in the changelog.
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
}

impl Delete {
    pub(super) async fn run(self, kind: Kind, context: &Context) -> Result<Exit, Failure> {
        if self.all {
            let all = AllDocuments::of(kind, &self.words, self.collection.as_deref(), context)?;
            all.delete(self.dry_run, self.message.as_deref(), context).await?;
            return Ok(Exit::Success);
        }
        let client = context.client()?;
        let mut done = Vec::new();
        for identity in self.identities(kind, context)? {
            done.push(self.delete(&client, &identity, context).await?);
        }
        if matches!(context.output.format(), Format::Json | Format::Yaml) {
            context.output.value(&done.into())?;
        }
        Ok(Exit::Success)
    }

    /// Several names, or one that is spread over several words.
    fn identities(&self, kind: Kind, context: &Context) -> Result<Vec<Identity>, Failure> {
        let mut assignments = Vec::new();
        let mut names = Vec::new();
        for word in &self.words {
            match Word::parse(word)? {
                Word::Bare(_) => names.push(word.clone()),
                Word::Assignment(_) => assignments.push(word.clone()),
            }
        }
        let identity =
            |words: &[String]| Identity::of_words(kind, words, self.collection.as_deref(), context);
        if names.is_empty() {
            return Ok(vec![identity(&assignments)?]);
        }
        names.into_iter().map(|name| identity(&[&[name], assignments.as_slice()].concat())).collect()
    }

    /// Returns what was done, for programs.
    async fn delete(
        &self,
        client: &Client,
        identity: &Identity,
        context: &Context,
    ) -> Result<Value, Failure> {
        let request = || {
            let request = client.request(Method::DELETE, identity.path());
            request.flag("cascade", self.cascade).query_if("message", self.message.as_deref())
        };
        let mut along = Vec::new();
        if self.cascade || self.dry_run {
            let plan = request().flag("dry_run", true).send().await?;
            along = others(plan.data(), identity);
            for other in &along {
                context.output.say(format!("{other} would be deleted, too"));
            }
            if self.dry_run {
                context.output.say(format!("{identity} would be deleted (dry run, nothing was changed)"));
                return Ok(json!({ "resource": identity.slashed(), "also": along, "dry_run": true }));
            }
            if !along.is_empty() {
                context.confirm(&format!("Delete {identity} and {} more?", along.len()))?;
            }
        }
        let answer = request().send().await?;
        context.warn_of(&answer);
        let revision = answer.revision();
        let after = revision.map_or_else(String::new, |revision| format!(" (revision {revision})"));
        context.output.say(format!("{identity} deleted{after}"));
        if context.output.format() == Format::Name {
            output::text(identity.slashed())?;
        }
        Ok(json!({ "resource": identity.slashed(), "also": along, "revision": revision }))
    }
}

/// What goes along with it, as the plan says.
fn others(plan: &Value, identity: &Identity) -> Vec<String> {
    let changes = plan["changes"].as_array().into_iter().flatten();
    let deleted = changes.filter(|change| change["outcome"] == "deleted");
    let names = deleted.filter_map(|change| change["resource"].as_str());
    names.filter(|name| *name != identity.slashed()).map(str::to_owned).collect()
}
