//! `dgate-cli completion SHELL`.

use clap::Args;
use clap_complete::Shell;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// For which shell.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: dgate-cli completion bash > ~/.local/share/bash-completion/completions/dgate-cli"
)]
pub(crate) struct Completion {
    shell: Shell,
}

impl Completion {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        context.no_format("a script")?;
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut crate::command(), "dgate-cli", &mut script);
        output::bytes(&script)?;
        Ok(Exit::Success)
    }
}
