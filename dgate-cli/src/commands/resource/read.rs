//! `get` and `list`.

use clap::Args;
use dgate_core::Kind;
use serde_json::Value;

use super::assignment::{Operand, Word};
use super::columns::table;
use super::identity::{Identity, slashed};
use crate::client::Request;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Format};

/// Which one.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// Its name: `NAME`, `NAMESPACE/NAME` or `name=… namespace=…`; documents: `COLLECTION/ID` or `id=… collection=…`.
    #[arg(value_name = "NAME", required = true)]
    words: Vec<String>,
    /// The collection of a document.
    #[arg(short, long)]
    collection: Option<String>,
}

/// Which ones.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those of a namespace (`namespace=shop`), or documents of a collection (`collection=users`).
    #[arg(value_name = "KEY=VALUE")]
    words: Vec<String>,
    /// The collection of documents.
    #[arg(short, long)]
    collection: Option<String>,
    /// Only those with this tag.
    #[arg(long)]
    tag: Option<String>,
    /// Only those whose name contains this.
    #[arg(short, long, value_name = "TEXT")]
    query: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "COUNT", value_parser = at_least_one)]
    limit: Option<usize>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("the least is 1".to_owned()),
        Ok(count) => Ok(count),
        Err(error) => Err(format!("{error}")),
    }
}

impl Get {
    pub(super) async fn run(self, kind: Kind, context: &Context) -> Result<Exit, Failure> {
        let identity = Identity::of_words(kind, &self.words, self.collection.as_deref(), context)?;
        let resource = context.client()?.get(identity.path()).send().await?.into_data();
        match context.output.format {
            None | Some(Format::Yaml) => output::text(output::yaml(&resource)?.trim_end())?,
            Some(Format::Json) => context.output.value(&resource)?,
            Some(_) => show(kind, &[resource], context)?,
        }
        Ok(Exit::Success)
    }
}

impl List {
    pub(super) async fn run(self, kind: Kind, context: &Context) -> Result<Exit, Failure> {
        let mut namespace = context.global.namespace.clone();
        let mut collection = self.collection.clone();
        for word in &self.words {
            let Word::Assignment(assignment) = Word::parse(word)? else {
                let help = format!("`dgate-cli {kind} get {word}` shows one");
                return Err(Failure::usage(format!("`{word}` is no filter")).with_help(help));
            };
            match (assignment.key, assignment.operand) {
                ("namespace", Operand::Text(value)) if kind != Kind::Namespace => {
                    namespace = Some(value.to_owned());
                }
                ("collection", Operand::Text(value)) if kind == Kind::Document => {
                    collection = Some(value.to_owned());
                }
                (key, _) => {
                    return Err(Failure::usage(format!("a list of {} has no filter `{key}`", kind.plural())));
                }
            }
        }
        if kind == Kind::Document && collection.is_none() {
            return Err(
                Failure::usage("the collection is missing").with_help("write it like `collection=users`")
            );
        }
        let client = context.client()?;
        let request = || {
            client
                .get(format!("/api/v1/{kind}"))
                .query_if("namespace", namespace.as_deref().filter(|_| kind != Kind::Namespace))
                .query_if("collection", collection.as_deref().filter(|_| kind == Kind::Document))
                .query_if("tag", self.tag.as_deref())
                .query_if("q", self.query.as_deref())
        };
        let resources = all_pages(self.limit, request).await?;
        match context.output.format() {
            Format::Json | Format::Yaml => context.output.value(&Value::Array(resources))?,
            _ => show(kind, &resources, context)?,
        }
        Ok(Exit::Success)
    }
}

/// The most that the server lists at a time.
const LARGEST_PAGE: usize = 1_000;

/// Asks page by page.
pub(super) async fn all_pages<'a>(
    limit: Option<usize>,
    request: impl Fn() -> Request<'a>,
) -> Result<Vec<Value>, Failure> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let left = limit.map_or(LARGEST_PAGE, |limit| (limit - found.len()).min(LARGEST_PAGE));
        let mut answer =
            request().query("limit", left.to_string()).query_if("cursor", cursor.as_deref()).send().await?;
        if let Value::Array(page) = answer.body["data"].take() {
            found.extend(page);
        }
        cursor = answer.body["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() || limit.is_some_and(|limit| found.len() >= limit) {
            found.truncate(limit.unwrap_or(usize::MAX));
            return Ok(found);
        }
    }
}

/// Shows resources as a table or by name.
fn show(kind: Kind, resources: &[Value], context: &Context) -> Result<(), Failure> {
    if context.output.format() == Format::Name {
        return resources.iter().try_for_each(|resource| output::text(slashed(kind, resource)));
    }
    if resources.is_empty() {
        context.output.say(format!("no {}", kind.plural()));
        return Ok(());
    }
    output::text(table(kind, resources, context.output.format() == Format::Wide))
}
