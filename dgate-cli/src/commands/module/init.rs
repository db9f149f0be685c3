//! `module init`.

use std::path::PathBuf;

use clap::Args;
use dgate_core::key::name_fault;
use dgate_modules::local;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Format};

/// What is begun, and where.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The module's name.
    name: String,
    /// Where; a folder of this name when absent.
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
}

impl Init {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        if let Some(fault) = name_fault(&self.name) {
            return Err(Failure::usage(format!("`{}` is no name for a module: it {fault}", self.name)));
        }
        let directory = self.directory.unwrap_or_else(|| PathBuf::from(&self.name));
        let files = local::scaffold(&directory, &self.name)
            .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
        if context.output.is_for_people() || context.output.format() == Format::Name {
            files.iter().try_for_each(|file| output::text(file.display()))?;
        } else {
            context.output.value(&files.iter().map(|file| file.display().to_string()).collect())?;
        }
        context.output.say(format!("try `dgate-cli module test {}`", directory.display()));
        Ok(Exit::Success)
    }
}
