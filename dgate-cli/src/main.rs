//! The `dgate-cli` program. Everything it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    dgate_cli::main()
}
