//! `dgate-server config print` and `dgate-server schema`.

use std::process::ExitCode;

use super::{print, say_what_is_wrong};
use crate::config::{self, FoundAt};

/// Prints the configuration in effect.
pub(crate) fn print_config(found: &FoundAt, show_origin: bool) -> ExitCode {
    match config::load(found) {
        Ok(loaded) => print(&config::show(&loaded, show_origin)),
        Err(error) => say_what_is_wrong(&error),
    }
}

/// Prints the schema of the configuration file.
pub(crate) fn print_schema() -> ExitCode {
    let schema = config::schema();
    print(&format!("{schema:#}\n"))
}
