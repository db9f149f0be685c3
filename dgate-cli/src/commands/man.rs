//! `dgate-cli man`.

use std::path::{Path, PathBuf};

use clap::Args;
use clap_mangen::Man as Page;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Where to.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write a page for each command into this directory.
    #[arg(long, value_name = "DIRECTORY")]
    dir: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        context.no_format("a manual page")?;
        match &self.dir {
            Some(directory) => write_all(directory)
                .map_err(|error| Failure::new(Exit::Failed, format!("{}: {error}", directory.display())))?,
            None => {
                let mut page = Vec::new();
                Page::new(crate::command())
                    .render(&mut page)
                    .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
                output::bytes(&page)?;
            }
        }
        Ok(Exit::Success)
    }
}

fn write_all(directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    clap_mangen::generate_to(crate::command(), directory)
}
