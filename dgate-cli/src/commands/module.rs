//! `dgate-cli module …`: the verbs of all kinds, and what only modules have.

mod deploy;
mod logs;

use clap::{Args, Subcommand};
use dgate_core::Kind;

use super::resource::Verb;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// What can be done with modules.
#[derive(Debug, Args)]
pub(crate) struct Module {
    #[command(subcommand)]
    command: ModuleCommand,
}

#[derive(Debug, Subcommand)]
enum ModuleCommand {
    #[command(flatten)]
    Verb(Verb),
    /// Put a file onto the gateway as a module, and into routes.
    Deploy(deploy::Deploy),
    /// Show what modules write to their console, as they write it.
    Logs(logs::Logs),
}

impl Module {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.command {
            ModuleCommand::Verb(verb) => verb.run(Kind::Module, context).await,
            ModuleCommand::Deploy(deploy) => deploy.run(context).await,
            ModuleCommand::Logs(logs) => logs.run(context).await,
        }
    }
}
