//! The command line of the DGate gateway.
//!
//! The program `dgate-cli` is [`main`]. Data goes to standard output, everything else to standard error; the exit
//! status says how it went ([`Exit`]).
//!
//! | you look for | it is in |
//! |---|---|
//! | options and their variables | `args.rs` |
//! | a command | `commands/`, a file or folder for each |
//! | how the Admin API is asked | `client.rs` |
//! | how results are written | `output.rs` |
//! | what went wrong | `failure.rs`, `exit.rs` |

mod args;
mod client;
mod commands;
mod context;
mod exit;
mod failure;
mod output;

use std::process::ExitCode;

pub use args::command;
pub use exit::Exit;
pub use failure::Failure;

use crate::args::Cli;
use crate::context::Context;

/// Runs the program.
pub fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    let cli = match Cli::read(&words) {
        Ok(cli) => cli,
        Err(error) => return args::refuse(&error, &words),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            anstream::eprintln!("error: {error}");
            return Exit::Failed.into();
        }
    };
    let context = Context::new(cli.global);
    match runtime.block_on(commands::run(cli.command, &context)) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            context.output.fail(&failure);
            failure.exit().into()
        }
    }
}
