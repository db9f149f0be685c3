//! The program under test.

use std::process::{Command, Output, Stdio};

/// The program, without anything from outside that changes what it does.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dgate-cli"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("DGATE_") || name == "NO_COLOR" || name == "CLICOLOR_FORCE" {
            command.env_remove(name);
        }
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// What came of it.
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    ended(&program(arguments).output().unwrap())
}

pub(crate) fn ended(output: &Output) -> Ended {
    Ended {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout.clone()).unwrap(),
        stderr: String::from_utf8(output.stderr.clone()).unwrap(),
    }
}
