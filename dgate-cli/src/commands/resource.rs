//! `dgate-cli KIND VERB …`: the same verbs for every kind of resource.

mod assignment;
mod coerce;
mod columns;
mod compose;
mod delete;
mod delete_all;
mod edit;
mod fields;
mod files;
mod identity;
mod read;
mod write;

use clap::{Args, Subcommand};
use dgate_core::Kind;
use serde_json::Value;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

pub(crate) use columns::to_the_second;
pub(crate) use files::inline_files;
pub(crate) use identity::Identity;

/// What can be done with resources of one kind.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make a resource, or replace it whole.
    #[command(visible_alias = "mk")]
    Create(write::Create),
    /// Change some fields of a resource and leave the others as they are.
    Set(write::Set),
    /// Show one resource.
    Get(read::Get),
    /// List resources.
    #[command(visible_alias = "ls")]
    List(read::List),
    /// Delete resources.
    #[command(visible_alias = "rm")]
    Delete(delete::Delete),
    /// Change a resource in an editor ($VISUAL, $EDITOR).
    Edit(edit::Edit),
}

/// The verbs of one kind.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Verbs {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

impl Verb {
    /// Does it with resources of a kind.
    ///
    /// # Errors
    /// Why it could not be done.
    pub(crate) async fn run(self, kind: Kind, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::Create(create) => create.run(kind, context).await,
            Self::Set(set) => set.run(kind, context).await,
            Self::Get(get) => get.run(kind, context).await,
            Self::List(list) => list.run(kind, context).await,
            Self::Delete(delete) => delete.run(kind, context).await,
            Self::Edit(edit) => edit.run(kind, context).await,
        }
    }
}

/// What the store writes itself.
const READ_ONLY: [&str; 4] = ["revision", "created_at", "updated_at", "owner"];

/// A resource without what the store writes. Secrets are left as fingerprints, by which the server finds them again.
pub(crate) fn without_read_only(mut resource: Value) -> Value {
    if let Some(object) = resource.as_object_mut() {
        object.retain(|name, _| !READ_ONLY.contains(&name.as_str()));
    }
    resource
}

/// What may be written comes before the options, which are the same everywhere.
const FIELDS_FIRST: &str = "{about-with-newline}\n{usage-heading} {usage}{after-help}\n\n{all-args}";

/// Tells in the help of each kind's verbs which fields there are.
pub(crate) fn with_field_help(mut command: clap::Command) -> clap::Command {
    for kind in Kind::ALL {
        command = command.mut_subcommand(kind.as_str(), |of_kind| {
            let with_fields =
                |verb: clap::Command| verb.help_template(FIELDS_FIRST).after_help(fields::help(kind));
            let of_kind = of_kind.mut_subcommand("create", with_fields).mut_subcommand("set", with_fields);
            of_kind
                .mut_subcommand("delete", |verb| verb.mut_arg("all", |all| all.hide(kind != Kind::Document)))
        });
    }
    command
}
