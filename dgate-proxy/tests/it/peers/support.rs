//! Starting real programs, and ending them again.

mod nginx;
pub(super) mod tls;

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

pub(super) use nginx::Nginx;

/// A program that has to be installed.
pub(super) fn program(name: &str, package: &str) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Servers live where ordinary users do not look.
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| panic!("{name} is needed: apt-get install {package}"));
    let mut command = Command::new(found);
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// What a program said.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// Runs a program to its end.
pub(super) async fn run(command: &mut Command) -> Output {
    let output = command.output().await.unwrap();
    Output {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// `curl` that says nothing but the answer, listens to no configuration of this machine, and gives up some time.
pub(super) fn curl() -> Command {
    let mut command = program("curl", "curl");
    command.args(["-q", "-sS", "--noproxy", "*", "--max-time", "60"]);
    command
}

/// `h2load`, which makes so many requests, so many at a time on each of so many connections.
pub(super) async fn h2load(url: &str, requests: u32, connections: u32, options: &[&str]) -> Output {
    let mut command = program("h2load", "nghttp2-client");
    command.args(["-n", &requests.to_string(), "-c", &connections.to_string()]).args(options).arg(url);
    run(&mut command).await
}

/// Asserts that all of `h2load`'s requests were answered, and well.
pub(super) fn assert_all_succeeded(load: &Output, requests: u32) {
    let statuses = format!("status codes: {requests} 2xx, 0 3xx, 0 4xx, 0 5xx");
    assert!(load.code == 0 && load.stdout.contains(&statuses), "{}{}", load.stdout, load.stderr);
    let counts = format!("{requests} succeeded, 0 failed, 0 errored, 0 timeout");
    assert!(load.stdout.contains(&counts), "{}", load.stdout);
}
