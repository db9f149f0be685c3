//! How fast the project is: parts of it, and the whole beside others.

mod contender;
mod control;
mod end_to_end;
mod load;
mod micro;
mod pinned;
mod report;
mod scenario;
mod upstream;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::project::Project;

/// What is measured.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    #[command(subcommand)]
    what: Option<What>,
    /// Only micro-benchmarks whose name contains this.
    filter: Option<String>,
    /// Install tools that are missing.
    #[arg(long, global = true)]
    install: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The gateway beside nginx and HAProxy: CPU time per request.
    E2e(end_to_end::Options),
    /// The control plane with a store in a file: starts, writes, large answers.
    Control(control::Options),
}

impl Bench {
    pub(crate) fn run(&self) -> Result<()> {
        let project = Project::load(self.install)?;
        match &self.what {
            None => micro::run(&project, self.filter.as_deref()),
            Some(What::E2e(options)) => end_to_end::run(&project, options),
            Some(What::Control(options)) => control::run(&project, options),
        }
    }
}
