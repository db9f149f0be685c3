//! Commands that look and tell, and serve nothing.

mod hash_password;
mod healthcheck;
mod pinned;
mod print_config;
mod validate;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

pub(crate) use hash_password::hash_password;
pub(crate) use healthcheck::healthcheck;
pub(crate) use print_config::{print_config, print_schema};
pub(crate) use validate::validate;

use crate::cli::EXIT_CONFIG;
use crate::config::LoadError;

/// Says everything that is wrong with a configuration.
pub(crate) fn say_what_is_wrong(error: &LoadError) -> ExitCode {
    anstream::eprint!("{}", error.render(is_colorful()));
    ExitCode::from(EXIT_CONFIG)
}

/// Whether whoever reads standard error wants colours.
fn is_colorful() -> bool {
    std::io::stderr().is_terminal()
}

/// Writes to standard output. Who closes it early does not want to know more.
fn print(text: &str) -> ExitCode {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            anstream::eprintln!("error: cannot write: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}
