//! A real server, for tests of the program against it.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Where programs of this build are: beside the one under test.
pub(crate) fn programs() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_dgate-cli")).parent().unwrap().to_owned()
}

/// The server of the same build. Tests of the whole workspace have made it; tests of this crate alone make it here.
fn program() -> PathBuf {
    static MADE: Once = Once::new();
    let path = programs().join("dgate-server");
    MADE.call_once(|| {
        if !path.exists() {
            let folder = programs().file_name().unwrap().to_string_lossy().into_owned();
            let profile = if folder == "debug" { "dev".to_owned() } else { folder };
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args([
                "build",
                "--package",
                "dgate-server",
                "--bin",
                "dgate-server",
                "--profile",
                &profile,
            ]);
            cargo
                .arg("--target-dir")
                .arg(programs().parent().unwrap())
                .current_dir(env!("CARGO_MANIFEST_DIR"));
            assert!(cargo.status().unwrap().success(), "the server cannot be built");
        }
    });
    path
}

/// Ports that nobody listens on right now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) proxy: u16,
    pub(crate) admin: u16,
    pub(crate) echo: u16,
}

impl Ports {
    pub(crate) fn free() -> Self {
        let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [proxy, admin, echo] = listeners.map(|listener| listener.local_addr().unwrap().port());
        Self { proxy, admin, echo }
    }

    /// Keys of a configuration that make these the server's ports.
    pub(crate) fn configuration(self) -> String {
        self.configuration_with_admin("")
    }

    /// The same, with further keys of the admin listener.
    pub(crate) fn configuration_with_admin(self, keys: &str) -> String {
        let Self { proxy, admin, echo } = self;
        format!(
            "version: v1\nproxy: {{host: 127.0.0.1, port: {proxy}}}\nadmin: {{port: {admin}{keys}}}\n\
             test_server: {{port: {echo}}}\naccess_log: {{format: off}}\nlog_format: json\n"
        )
    }

    pub(crate) fn admin_url(self) -> String {
        format!("http://127.0.0.1:{}", self.admin)
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Server {
    child: Child,
}

impl Server {
    /// Starts a server in a folder with a configuration, and waits until it serves.
    pub(crate) fn start(folder: &Path, configuration: &str) -> Self {
        std::fs::write(folder.join("server.yaml"), configuration).unwrap();
        let mut command = Command::new(program());
        command.args(["-c", "server.yaml"]).current_dir(folder).env_remove("RUST_LOG");
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (heard, stderr) = (said.clone(), child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                writeln!(heard.lock().unwrap(), "{line}").unwrap();
            }
        });
        let mut server = Self { child };
        let begun = Instant::now();
        while !said.lock().unwrap().contains("\"message\":\"serving\"") {
            let ended = server.child.try_wait().unwrap();
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "{ended:?}: {}", said.lock().unwrap());
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    /// Stops it as an operator would.
    pub(crate) fn stop(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
