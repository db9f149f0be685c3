//! A server process, for tests.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use dgate_proxy::testing::{Answer, TestClient};
use http::Request;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// The program, with an environment that no test machine can disturb.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dgate-server"));
    for variable in ["DGATE_CONFIG", "DG_CONFIG_PATH", "RUST_LOG", "NOTIFY_SOCKET", "WATCHDOG_USEC"] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub(crate) fn output(command: &mut Command) -> Output {
    command.output().expect("the program runs")
}

/// A directory with a configuration file.
pub(crate) struct Directory(TempDir);

impl Directory {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, by replacing it as editors do.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let (path, new) = (self.path().join(name), self.path().join(format!(".{name}.new")));
        std::fs::write(&new, text).unwrap();
        std::fs::rename(&new, &path).unwrap();
        path
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) directory: Directory,
    stderr: Lines,
    stdout: Lines,
    /// Where its listeners are.
    addresses: Vec<(String, SocketAddr)>,
}

/// Lines as they come.
#[derive(Clone)]
struct Lines {
    text: Arc<Mutex<String>>,
    reader: Arc<JoinHandle<()>>,
}

impl Lines {
    fn of(source: impl Read + Send + 'static) -> Self {
        let text: Arc<Mutex<String>> = Arc::default();
        let collected = text.clone();
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(source).lines().map_while(Result::ok) {
                writeln!(collected.lock().unwrap(), "{line}").unwrap();
            }
        });
        Self { text, reader: Arc::new(reader) }
    }

    fn so_far(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// All there is, once the process has ended. Another one may hold the other end of the pipe open: what this one
    /// wrote has come when nothing more comes.
    fn all(&self) -> String {
        let mut before = None;
        while !self.reader.is_finished() && before.as_ref() != Some(&self.so_far()) {
            before = Some(self.so_far());
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        self.so_far()
    }
}

impl Running {
    /// Starts a server, and waits until it serves.
    pub(crate) async fn start(configuration: &str) -> Self {
        let directory = Directory::new();
        directory.write("config.yaml", configuration);
        Self::start_in(directory, |_| {}).await
    }

    /// Starts a server on the `config.yaml` of a directory.
    pub(crate) async fn start_in(directory: Directory, change: impl FnOnce(&mut Command)) -> Self {
        let mut command = program();
        command.arg("--config").arg(directory.path().join("config.yaml")).current_dir(directory.path());
        Self::spawn(command, directory, change).await
    }

    pub(crate) async fn spawn(
        mut command: Command,
        directory: Directory,
        change: impl FnOnce(&mut Command),
    ) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        change(&mut command);
        let mut child = command.spawn().unwrap();
        let stderr = Lines::of(child.stderr.take().unwrap());
        let stdout = Lines::of(child.stdout.take().unwrap());
        let mut running = Self { child, directory, stderr, stdout, addresses: Vec::new() };
        crate::eventually("the server serves", async || {
            if let Some(status) = running.child.try_wait().unwrap() {
                panic!("the server ended ({status}): {}", running.stderr.all());
            }
            running.addresses = addresses(&running.log());
            !running.addresses.is_empty()
        })
        .await;
        running
    }

    /// Where a listener is.
    pub(crate) fn address(&self, listener: &str) -> SocketAddr {
        let found = self.addresses.iter().find(|(name, _)| name == listener);
        found.unwrap_or_else(|| panic!("no listener {listener}: {:?}", self.addresses)).1
    }

    pub(crate) fn has_listener(&self, listener: &str) -> bool {
        self.addresses.iter().any(|(name, _)| name == listener)
    }

    /// Asks the proxy.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        get(self.address("proxy-http"), "localhost", path).await
    }

    /// Asks the admin listener.
    pub(crate) async fn admin(&self, path: &str) -> Answer {
        get(self.address("admin"), "localhost", path).await
    }

    /// The value of a metric, by its name and labels as they are shown.
    pub(crate) async fn metric(&self, series: &str) -> Option<f64> {
        let text = self.admin("/metrics").await.text();
        text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
    }

    /// What it has said on standard error so far, one JSON object a line.
    pub(crate) fn log(&self) -> String {
        self.stderr.so_far()
    }

    /// What it has written to standard output so far.
    pub(crate) fn stdout(&self) -> String {
        self.stdout.so_far()
    }

    /// Waits until it says something.
    pub(crate) async fn says(&self, text: &str) {
        crate::eventually(&format!("`{text}`"), async || self.log().contains(text)).await;
    }

    /// Writes the configuration anew, without telling.
    pub(crate) fn configure(&self, configuration: &str) {
        self.directory.write("config.yaml", configuration);
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        send_signal(self.id(), signal);
    }

    /// Waits for the end; says how it ended and what it had said.
    pub(crate) async fn end(mut self) -> (ExitStatus, String) {
        let mut status = None;
        crate::eventually("the server ends", async || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        (status.unwrap(), self.stderr.all())
    }

    /// Stops it as an operator would, and keeps its directory for another one.
    pub(crate) async fn stop_and_keep(mut self) -> Directory {
        let directory = std::mem::replace(&mut self.directory, Directory::new());
        let (status, log) = self.stop().await;
        assert!(status.success(), "{log}");
        directory
    }

    /// Stops it as an operator would.
    pub(crate) async fn stop(self) -> (ExitStatus, String) {
        self.signal(Signal::TERM);
        self.end().await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process.
pub(crate) fn send_signal(process: u32, signal: Signal) {
    kill_process(Pid::from_raw(process.cast_signed()).unwrap(), signal).unwrap();
}

/// The log line of a message, as it came last.
pub(crate) fn line_of(log: &str, message: &str) -> Option<Value> {
    let lines = log.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.into_iter().find(|line| line["message"] == message)
}

/// Where the listeners are, from the line that says that the server serves.
pub(crate) fn addresses(log: &str) -> Vec<(String, SocketAddr)> {
    let Some(line) = line_of(log, "serving") else { return Vec::new() };
    let listeners = line["listeners"].as_str().unwrap().split(' ');
    let pairs = listeners.map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(name, address)| (name.to_owned(), address.parse().unwrap())).collect()
}

/// `GET`s a path on a new connection.
pub(crate) async fn get(address: SocketAddr, host: &str, path: &str) -> Answer {
    let request = Request::get(path).header("host", host).body(String::new()).unwrap();
    TestClient::http1(address).await.send(request).await
}

/// A configuration on free ports, to be added to: everything goes to an upstream.
pub(crate) fn configuration(upstream: &str, more: &str) -> String {
    format!(
        "version: v1
proxy:
  host: 127.0.0.1
  port: 0
  init_resources:
    services: [{{name: s, urls: ['{upstream}']}}]
    routes: [{{name: all, paths: ['/**'], service: s}}]
admin: {{port: 0}}
storage: {{type: memory}}
access_log: {{format: off}}
log_format: json
{more}
"
    )
}
