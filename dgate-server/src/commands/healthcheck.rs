//! `dgate-server healthcheck`.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;

use super::{pinned, say_what_is_wrong};
use crate::config::{self, FoundAt};

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the admin listener of a running server whether it is ready.
pub(crate) fn healthcheck(address: Option<&str>, found: &FoundAt) -> ExitCode {
    let (address, certificate) = match (address, config::load(found)) {
        (Some(address), loaded) => {
            // Whether the server that is asked runs by this file nobody knows: it need not be a good one.
            (address.to_owned(), loaded.ok().and_then(|loaded| loaded.admin_certificate))
        }
        (None, Ok(loaded)) if loaded.config.admin.port == 0 => {
            anstream::eprintln!("error: `admin.port` is 0, so the port is not known; give `--address`");
            return ExitCode::from(2);
        }
        (None, Ok(loaded)) => (loaded.config.admin.reachable_at().to_string(), loaded.admin_certificate),
        (None, Err(error)) => return say_what_is_wrong(&error),
    };
    match ask(&address, certificate.as_ref().map(|pem| pem.cert.as_str())) {
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

/// The status of `GET /readyz`, over TLS when the server's certificate is known.
fn ask(address: &str, certificate: Option<&str>) -> io::Result<u16> {
    let resolved =
        address.to_socket_addrs()?.next().ok_or_else(|| io::Error::other("there is no such host"))?;
    let stream = TcpStream::connect_timeout(&resolved, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let line = match certificate {
        Some(chain) => first_line(pinned::connect(stream, chain)?, address)?,
        None => first_line(stream, address)?,
    };
    let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    status.ok_or_else(|| io::Error::other("this is no HTTP server"))
}

fn first_line(mut stream: impl Read + Write, address: &str) -> io::Result<String> {
    write!(stream, "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    stream.flush()?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(line)
}
