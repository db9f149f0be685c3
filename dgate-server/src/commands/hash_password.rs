//! `dgate-server hash-password`.

use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use super::print;

/// Reads a password from standard input and prints its hash, as `admin.basic_auth` holds it.
pub(crate) fn hash_password() -> ExitCode {
    let mut input = std::io::stdin();
    if input.is_terminal() {
        anstream::eprintln!("error: pipe the password into this command: what is typed here would be shown");
        anstream::eprintln!("  printf %s \"$PASSWORD\" | dgate-server hash-password");
        return ExitCode::from(2);
    }
    let mut password = String::new();
    if let Err(error) = input.read_to_string(&mut password) {
        anstream::eprintln!("error: the password cannot be read: {error}");
        return ExitCode::FAILURE;
    }
    let password = password.strip_suffix('\n').unwrap_or(&password);
    match dgate_admin::auth::hash_password(password).filter(|_| !password.is_empty()) {
        Some(hash) => print(&format!("{hash}\n")),
        None => {
            anstream::eprintln!("error: the password is empty, or cannot be hashed");
            ExitCode::FAILURE
        }
    }
}
