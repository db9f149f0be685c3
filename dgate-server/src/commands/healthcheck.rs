//! `dgate-server healthcheck`.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;

use super::say_what_is_wrong;
use crate::config::{self, FoundAt};

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the admin listener of a running server whether it is ready.
pub(crate) fn healthcheck(address: Option<&str>, found: &FoundAt) -> ExitCode {
    let address = match address {
        Some(address) => address.to_owned(),
        None => match config::load(found) {
            Ok(loaded) if loaded.config.admin.port == 0 => {
                anstream::eprintln!("error: `admin.port` is 0, so the port is not known; give `--address`");
                return ExitCode::from(2);
            }
            Ok(loaded) => loaded.config.admin.reachable_at().to_string(),
            Err(error) => return say_what_is_wrong(&error),
        },
    };
    match ask(&address) {
        Ok(200) => ExitCode::SUCCESS,
        Ok(status) => {
            anstream::eprintln!("not ready: {address} answered {status}");
            ExitCode::FAILURE
        }
        Err(error) => {
            anstream::eprintln!("not ready: {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The status of `GET /readyz`.
fn ask(address: &str) -> io::Result<u16> {
    let resolved =
        address.to_socket_addrs()?.next().ok_or_else(|| io::Error::other("there is no such host"))?;
    let mut stream = TcpStream::connect_timeout(&resolved, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    status.ok_or_else(|| io::Error::other("this is no HTTP server"))
}
