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

use clap::FromArgMatches;

pub use args::command;
pub use exit::Exit;
pub use failure::Failure;

use crate::args::Cli;
use crate::context::Context;

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = match Cli::from_arg_matches(&command().get_matches()) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
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
            anstream::eprintln!("{failure}");
            failure.exit().into()
        }
    }
}
