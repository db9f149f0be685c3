//! What is compared: programs that proxy, each with a configuration for a scenario.

mod dgate;
mod haproxy;
mod nginx;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::pinned::{self, Pinned};
use super::scenario::{Protocol, Scenario};
use super::upstream::free_port;
use crate::command;

/// A program that proxies.
#[derive(Debug, Clone)]
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    program: PathBuf,
    /// The text of its configuration file.
    configure: fn(&Setup<'_>) -> Result<String>,
    /// The arguments that name that file.
    arguments: &'static [&'static str],
    runs_scripts: bool,
}

/// What a configuration is written for.
#[derive(Debug)]
struct Setup<'a> {
    scenario: &'a Scenario,
    /// A folder of its own, for this one run.
    folder: &'a Path,
    port: u16,
    upstream: u16,
    certificate: &'a Certificate,
}

/// A certificate for `localhost`.
#[derive(Debug)]
pub(crate) struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    /// Both in one file.
    both: PathBuf,
}

/// A contender that serves a scenario.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) name: &'static str,
    pub(crate) port: u16,
    pub(crate) process: Pinned,
}

impl Contender {
    pub(crate) fn dgate(program: PathBuf) -> Self {
        Self {
            name: "dgate",
            program,
            configure: dgate::configuration,
            arguments: &["-c"],
            runs_scripts: true,
        }
    }

    pub(crate) fn nginx() -> Self {
        Self {
            name: "nginx",
            program: "nginx".into(),
            configure: nginx::configuration,
            arguments: &["-c"],
            runs_scripts: true,
        }
    }

    pub(crate) fn haproxy() -> Self {
        Self {
            name: "haproxy",
            program: "haproxy".into(),
            configure: haproxy::configuration,
            arguments: &["-f"],
            runs_scripts: false,
        }
    }

    pub(crate) fn is_installed(&self) -> bool {
        Command::new(&self.program).arg("-v").output().is_ok()
    }

    /// Whether it does what the scenario asks.
    pub(crate) fn takes_part(&self, scenario: &Scenario) -> bool {
        self.runs_scripts || scenario.script.is_none()
    }

    /// Starts it and waits until it answers the scenario's request as the upstream does.
    pub(crate) fn start(
        &self,
        scenario: &Scenario,
        folder: &Path,
        upstream: u16,
        certificate: &Certificate,
    ) -> Result<Running> {
        let folder = &folder.join(format!("{}-{}", scenario.name, self.name));
        fs::create_dir_all(folder)?;
        let port = free_port()?;
        let text = (self.configure)(&Setup { scenario, folder, port, upstream, certificate })?;
        let file = folder.join("config.yaml");
        fs::write(&file, text)?;
        let mut program = pinned::on(pinned::MEASURED, &self.program.to_string_lossy());
        program.args(self.arguments).arg(&file).current_dir(folder);
        let log = folder.join("log");
        let mut running = Running { name: self.name, port, process: Pinned::start(&mut program, &log)? };
        running.wait(scenario).with_context(|| {
            let said = fs::read_to_string(&log).unwrap_or_default();
            format!("{} with {}\n{said}", self.name, file.display())
        })?;
        Ok(running)
    }
}

impl Running {
    fn wait(&mut self, scenario: &Scenario) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            self.process.check()?;
            match self.probe(scenario) {
                Ok(()) => return Ok(()),
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// One request by curl, whose answer must be complete.
    fn probe(&self, scenario: &Scenario) -> Result<()> {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--insecure", "--max-time", "5", "--output", "/dev/null"]);
        curl.args(["--write-out", "%{http_code} %{size_download} %{http_version}"]);
        if scenario.upload > 0 {
            curl.args(["--data", &"x".repeat(scenario.upload)]);
        }
        let version =
            if scenario.protocol == Protocol::Http2 { ("--http2", "2") } else { ("--http1.1", "1.1") };
        let answer = command::output(curl.args([version.0, &self.url(scenario)]))?;
        let expected = format!("200 {} {}", scenario.response, version.1);
        if answer != expected {
            bail!("answered `{answer}` instead of `{expected}`");
        }
        Ok(())
    }

    /// Where the scenario's request goes.
    pub(crate) fn url(&self, scenario: &Scenario) -> String {
        // A name where it is part of the handshake.
        let origin = if scenario.over_tls() { "https://localhost" } else { "http://127.0.0.1" };
        format!("{origin}:{}{}", self.port, scenario.path())
    }
}

impl Certificate {
    pub(crate) fn make(folder: &Path) -> Result<Self> {
        let [chain, key, both] = ["chain.pem", "key.pem", "both.pem"].map(|name| folder.join(name));
        let mut openssl = Command::new("openssl");
        openssl.args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "30",
        ]);
        openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
        command::output(openssl.arg("-out").arg(&chain).arg("-keyout").arg(&key))?;
        fs::write(&both, fs::read_to_string(&chain)? + &fs::read_to_string(&key)?)?;
        Ok(Self { chain, key, both })
    }
}
