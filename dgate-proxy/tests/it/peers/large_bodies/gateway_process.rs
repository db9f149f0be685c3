//! A gateway in a process of its own, so that its memory is its own.

use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use dgate_proxy::testing::TestGateway;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::all_to;

/// Which upstream the gateway is for, in the environment of the process that is one.
const UPSTREAM: &str = "DGATE_TEST_UPSTREAM";

/// A gateway that leads everything to one upstream, until it is dropped.
pub(super) struct GatewayProcess {
    pub(super) address: SocketAddr,
    process: Child,
    _directory: TempDir,
}

impl GatewayProcess {
    /// Runs a test of this program once more, which has to [be the gateway](be_gateway) then.
    pub(super) async fn start(test: &str, upstream: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("address");
        let process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--test-threads", "1"])
            .env(UPSTREAM, upstream)
            .env("DGATE_TEST_ADDRESS", &file)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut address = None;
        crate::eventually("the gateway listens", async || {
            address = std::fs::read_to_string(&file).ok().and_then(|text| text.parse().ok());
            address.is_some()
        })
        .await;
        Self { address: address.unwrap(), process, _directory: directory }
    }

    /// The most memory it ever had, in KiB.
    pub(super) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    }
}

/// Whether this process is to be the gateway; then it has been it.
pub(super) async fn be_gateway() -> bool {
    let Ok(upstream) = std::env::var(UPSTREAM) else { return false };
    let gateway = TestGateway::start(all_to(upstream)).await;
    let file = std::env::var("DGATE_TEST_ADDRESS").unwrap();
    // Nobody may see half of it.
    let draft = Path::new(&file).with_extension("draft");
    std::fs::write(&draft, gateway.address().to_string()).unwrap();
    std::fs::rename(&draft, &file).unwrap();
    // Ends when whoever started it does.
    let _ = tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0])).await;
    true
}
