//! A real server, and the program that drives it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::program::{Ended, ended, program};
use crate::server::{Ports, Server};

/// A server in a folder of its own.
pub(crate) struct Gateway {
    _server: Server,
    folder: tempfile::TempDir,
    pub(crate) ports: Ports,
}

impl Gateway {
    pub(crate) fn start() -> Self {
        Self::start_with_admin("")
    }

    /// With further keys of the admin listener.
    pub(crate) fn start_with_admin(keys: &str) -> Self {
        let (folder, ports) = (tempfile::tempdir().unwrap(), Ports::free());
        let server = Server::start(folder.path(), &ports.configuration_with_admin(keys));
        Self { _server: server, folder, ports }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Runs a command line, words at spaces.
    pub(crate) fn run(&self, line: &str) -> Ended {
        let words: Vec<&str> = line.split(' ').collect();
        let mut command = program(&words);
        command.env("DGATE_ADMIN_API", self.ports.admin_url()).current_dir(self.folder());
        ended(&command.output().unwrap())
    }

    /// The same, for what must work.
    pub(crate) fn done(&self, line: &str) -> String {
        let ended = self.run(line);
        assert_eq!(ended.status, 0, "{line}: {}", ended.stderr);
        ended.stdout
    }

    pub(crate) fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.done(&format!("{line} -o json"))).unwrap()
    }

    /// Runs a command line that must fail with a status, and say something.
    pub(crate) fn fails(&self, line: &str, status: i32, said: &str) {
        let ended = self.run(line);
        assert_eq!((ended.status, ended.stdout.as_str()), (status, ""), "{line}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{line}: {}", ended.stderr);
    }
}

/// Runs a command line at a terminal, and types something.
pub(crate) fn at_a_terminal(gateway: &Gateway, line: &str, typed: &str) -> String {
    let line = format!("{} {line}", env!("CARGO_BIN_EXE_dgate-cli"));
    let mut command = Command::new("script");
    command
        .args(["-qec", &line, "/dev/null"])
        .env("DGATE_ADMIN_API", gateway.ports.admin_url())
        .env("NO_COLOR", "1");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}
