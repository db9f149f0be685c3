//! `dgate-cli module …`: the verbs of all kinds, and what only modules have.

mod check;
mod deploy;
mod init;
mod logs;
mod network;
mod run;
mod test;
mod types;
mod watch;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use dgate_core::Kind;
use dgate_modules::local::{FileRole, Project, ProjectError};

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
    /// Put files onto the gateway as modules, and into routes.
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
    let mut project = Project::read(path).map_err(|error| with_guess(unreadable(&error), path))?;
    project.allow(allow);
    Ok(project)
}

/// Refuses files that are something else than a module's source, by their names.
fn is_source(file: &Path) -> Result<(), Failure> {
    let shown = file.display();
    match FileRole::of(file) {
        Some(FileRole::Tests) => Err(Failure::usage(format!("{shown} has tests, and is no module"))
            .with_help(format!("`dgate-cli module test {shown}` runs them"))),
        None if shown.to_string().ends_with(".d.ts") => {
            Err(Failure::usage(format!("{shown} has types only, and is no module")))
        }
        _ => Ok(()),
    }
}

fn unreadable(error: &ProjectError) -> Failure {
    match error {
        ProjectError::Invalid { path, problems } => {
            let details = problems.iter().map(Detail::from).collect();
            Failure { details, ..Failure::new(Exit::Invalid, format!("{} is not valid", path.display())) }
        }
        ProjectError::NotYaml { .. } | ProjectError::Twice { .. } => {
            Failure::new(Exit::Invalid, error.to_string())
        }
        _ => Failure::new(Exit::NotFound, error.to_string()),
    }
}

/// The same, with the file that is called so but for its ending, if there is one.
fn with_guess(failure: Failure, path: &Path) -> Failure {
    let endings = ["ts", "js", "mts", "mjs"];
    let with = |ending: &&str| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{ending}"));
        PathBuf::from(name)
    };
    match endings.iter().map(with).find(|file| !path.exists() && file.is_file()) {
        Some(file) => failure.with_help(format!("did you mean `{}`?", file.display())),
        None => failure,
    }
}

/// The directory at hand, when none is given.
fn here() -> PathBuf {
    PathBuf::from(".")
}
