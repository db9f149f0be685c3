//! `module init`.

use std::path::{Path, PathBuf};

use clap::Args;
use dgate_core::key::name_fault;
use dgate_modules::local;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Format};

/// What is begun, and where.
#[derive(Debug, Args)]
#[command(after_help = "Examples: dgate-cli module init greet, dgate-cli module init .")]
pub(crate) struct Init {
    /// The module's name, or a folder that it is called like, such as `.`.
    name: PathBuf,
    /// Where; a folder of the module's name when absent.
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
}

impl Init {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let (name, directory) = self.place()?;
        let files = local::scaffold(&directory, &name)
            .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
        if context.output.is_for_people() || context.output.format() == Format::Name {
            files.iter().try_for_each(|file| output::text(file.display()))?;
        } else {
            context.output.value(&files.iter().map(|file| file.display().to_string()).collect())?;
        }
        let source = directory.join(format!("{name}.ts"));
        let source = source.strip_prefix(".").unwrap_or(&source).display();
        context.output.say(format!("try `dgate-cli module test {}`", directory.display()));
        context.output.say(format!("and `dgate-cli module run {source} --request 'GET /{name}/Ann'`"));
        Ok(Exit::Success)
    }

    /// The module's name, and where it goes.
    fn place(self) -> Result<(String, PathBuf), Failure> {
        let written = self.name.to_string_lossy();
        let is_path = written.chars().any(std::path::is_separator) || matches!(&*written, "." | "..");
        if !is_path || self.directory.is_some() {
            let name = written.into_owned();
            let directory = self.directory.unwrap_or_else(|| PathBuf::from(&name));
            return match name_fault(&name) {
                None => Ok((name, directory)),
                Some(fault) => Err(Failure::usage(format!("`{name}` is no name for a module: it {fault}"))),
            };
        }
        let name = folder_name(&self.name)
            .ok_or_else(|| Failure::usage(format!("`{written}` is no folder with a name")))?;
        match name_fault(&name) {
            None => Ok((name, self.name)),
            Some(fault) => {
                let message = format!("the folder's name `{name}` is no name for a module: it {fault}");
                let help = format!("give one: `dgate-cli module init NAME --directory {written}`");
                Err(Failure::usage(message).with_help(help))
            }
        }
    }
}

/// What a folder is called, also if it is not there yet.
fn folder_name(folder: &Path) -> Option<String> {
    let full = folder.canonicalize().or_else(|_| std::path::absolute(folder)).ok()?;
    Some(full.file_name()?.to_string_lossy().into_owned())
}
