//! curl as a client, in every way it knows to speak HTTP.

mod limits;
mod protocols;
mod routing;
mod uploads;

use std::net::SocketAddr;

use dgate_core::resource::AnyResource;
use dgate_proxy::testing::TestGateway;
use dgate_proxy::{Gateway, ProxySettings};
use tempfile::TempDir;
use tokio::process::Command;

use super::support::{Output, curl, run, tls};
use crate::tls::Authority;

/// The host that is asked for.
const HOST: &str = "site.example";

/// A gateway without and one with TLS, for the same upstreams.
struct Site {
    plain: TestGateway,
    encrypted: TestGateway,
    directory: TempDir,
}

/// One way to ask.
#[derive(Debug, Clone, Copy)]
struct Way {
    option: &'static str,
    encrypted: bool,
    /// The version that the answer comes in.
    version: &'static str,
}

const WAYS: [Way; 6] = [
    Way { option: "--http1.0", encrypted: false, version: "1.1" },
    Way { option: "--http1.1", encrypted: false, version: "1.1" },
    Way { option: "--http2-prior-knowledge", encrypted: false, version: "2" },
    Way { option: "--http1.0", encrypted: true, version: "1.1" },
    Way { option: "--http1.1", encrypted: true, version: "1.1" },
    Way { option: "--http2", encrypted: true, version: "2" },
];

impl Site {
    async fn new(resources: impl IntoIterator<Item = AnyResource>) -> Self {
        Self::with(resources, |_| {}).await
    }

    async fn with(
        resources: impl IntoIterator<Item = AnyResource>,
        change: impl Fn(&mut ProxySettings),
    ) -> Self {
        let resources: Vec<_> = resources.into_iter().collect();
        let authority = Authority::new();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("ca.pem"), authority.pem()).unwrap();
        let (mut plain, mut encrypted) = (ProxySettings::default(), tls::settings(&authority, HOST));
        change(&mut plain);
        change(&mut encrypted);
        let plain = Gateway::builder().spec(resources.clone()).settings(plain);
        let encrypted = Gateway::builder().spec(resources).settings(encrypted);
        let plain = TestGateway::build(plain).await;
        Self { plain, encrypted: TestGateway::build_tls(encrypted).await, directory }
    }

    fn address(&self, way: Way) -> SocketAddr {
        if way.encrypted { self.encrypted.address() } else { self.plain.address() }
    }

    /// curl, told where the host is and whom to trust. A path that has it asked for is to be added.
    fn curl(&self, way: Way) -> Command {
        let address = self.address(way);
        let mut command = curl();
        command
            .arg(way.option)
            .args(["--resolve", &format!("{HOST}:{}:{}", address.port(), address.ip())])
            .arg("--cacert")
            .arg(self.directory.path().join("ca.pem"))
            .current_dir(self.directory.path());
        command
    }

    fn url(&self, way: Way, path: &str) -> String {
        let scheme = if way.encrypted { "https" } else { "http" };
        format!("{scheme}://{HOST}:{}{path}", self.address(way).port())
    }

    /// Asks for a path with more options.
    async fn ask(&self, way: Way, path: &str, options: &[&str]) -> Output {
        run(self.curl(way).args(options).arg(self.url(way, path))).await
    }
}
