//! `dgate-cli module …`: the verbs of all kinds, and what only modules have.

mod check;
mod deploy;
mod init;
mod logs;
mod network;
mod run;
mod test;
mod types;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use dgate_core::Kind;
use dgate_modules::local::{Project, ProjectError};

use super::resource::Verb;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Detail, Failure};

/// What can be done with modules.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
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
    /// Begin a module: source, tests, types.
    Init(init::Init),
    /// Say what is wrong with modules, and what they ask for against what they may do. Needs no server.
    Check(check::Check),
    /// Run `*.test.ts`. Needs no server.
    Test(test::Test),
    /// Send a request through a module, and show what comes back. Needs no server.
    Run(run::Run),
    /// Write the types of everything that modules see.
    Types(types::Types),
}

impl Module {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.command {
            ModuleCommand::Verb(verb) => verb.run(Kind::Module, context).await,
            ModuleCommand::Deploy(deploy) => deploy.run(context).await,
            ModuleCommand::Logs(logs) => logs.run(context).await,
            ModuleCommand::Init(init) => init.run(context),
            ModuleCommand::Check(check) => check.run(context).await,
            ModuleCommand::Test(test) => test.run(context).await,
            ModuleCommand::Run(run) => run.run(context).await,
            ModuleCommand::Types(types) => types.run(context),
        }
    }
}

/// What stands in a directory, with more permissions.
fn project(path: &Path, allow: &[String]) -> Result<Project, Failure> {
    let mut project = Project::read(path).map_err(|error| unreadable(&error))?;
    project.allow(allow);
    Ok(project)
}

fn unreadable(error: &ProjectError) -> Failure {
    match error {
        ProjectError::Invalid { path, problems } => {
            let details = problems.iter().map(Detail::from).collect();
            Failure { details, ..Failure::new(Exit::Invalid, format!("{} is not valid", path.display())) }
        }
        ProjectError::NotYaml { .. } => Failure::new(Exit::Invalid, error.to_string()),
        _ => Failure::new(Exit::NotFound, error.to_string()),
    }
}

/// The directory at hand, when none is given.
fn here() -> PathBuf {
    PathBuf::from(".")
}
