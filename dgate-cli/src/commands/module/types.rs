//! `module types`.

use std::path::PathBuf;

use clap::Args;
use dgate_modules::local::TYPES;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Where types go.
#[derive(Debug, Args)]
pub(crate) struct Types {
    /// The file, or a folder for `dgate.d.ts`; standard output when absent.
    file: Option<PathBuf>,
}

impl Types {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        context.no_format("a file of types")?;
        match self.file {
            None => output::bytes(TYPES.as_bytes())?,
            Some(file) => {
                let file = if file.is_dir() { file.join("dgate.d.ts") } else { file };
                std::fs::write(&file, TYPES).map_err(|error| {
                    Failure::new(Exit::Failed, format!("{} cannot be written: {error}", file.display()))
                })?;
                context.output.say(format!("{} written", file.display()));
            }
        }
        Ok(Exit::Success)
    }
}
