//! nginx, serving files on a port of its own.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::Child;

use super::program;

/// nginx with a directory of files, until it is dropped.
pub(crate) struct Nginx {
    address: SocketAddr,
    directory: TempDir,
    process: Child,
}

impl Nginx {
    /// Starts nginx with directives of its own in `server { … }`.
    pub(crate) async fn start(directives: &str) -> Self {
        // Between our choice of a port and nginx's use of it somebody may take it.
        for _ in 0..20 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = free.local_addr().unwrap();
            drop(free);
            let directory = tempfile::tempdir().unwrap();
            std::fs::create_dir(directory.path().join("html")).unwrap();
            std::fs::write(directory.path().join("nginx.conf"), configuration(address, directives)).unwrap();
            let process = spawn(directory.path());
            let mut nginx = Self { address, directory, process };
            if nginx.is_up().await {
                return nginx;
            }
        }
        panic!("nginx finds no free port");
    }

    /// Waits until it listens. When its port was taken, it ends instead.
    async fn is_up(&mut self) -> bool {
        let pid = self.directory.path().join("nginx.pid");
        let mut ended = false;
        crate::eventually("nginx starts", async || {
            ended = self.process.try_wait().unwrap().is_some();
            // It writes down its number once it has its port.
            ended || std::fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n'))
        })
        .await;
        if ended {
            let log = std::fs::read_to_string(self.directory.path().join("error.log")).unwrap_or_default();
            assert!(log.contains("Address already in use"), "{log}");
        }
        !ended
    }

    /// Ends it at once, connections and all.
    pub(crate) async fn kill(&mut self) {
        self.process.kill().await.unwrap();
        let _ = std::fs::remove_file(self.directory.path().join("nginx.pid"));
    }

    /// Starts it again where it was.
    pub(crate) async fn restart(&mut self) {
        self.process = spawn(self.directory.path());
        assert!(self.is_up().await, "its port was taken meanwhile");
    }

    /// Puts a file there.
    pub(crate) fn put(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn root(&self) -> std::path::PathBuf {
        Path::new(self.directory.path()).join("html")
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, as a service names it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn spawn(directory: &Path) -> Child {
    program("nginx", "nginx-light")
        .args(["-e", "error.log", "-c", "nginx.conf", "-p"])
        .arg(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// One process without children, so that ending it ends all of it.
fn configuration(address: SocketAddr, directives: &str) -> String {
    format!(
        "daemon off;
         master_process off;
         pid nginx.pid;
         error_log error.log warn;
         events {{ worker_connections 1024; }}
         http {{
             access_log off;
             types {{ text/plain txt; text/html html; }}
             default_type application/octet-stream;
             client_body_temp_path temp;
             proxy_temp_path temp;
             fastcgi_temp_path temp;
             scgi_temp_path temp;
             uwsgi_temp_path temp;
             server {{
                 listen {address};
                 root html;
                 add_header X-Connection $connection always;
                 add_header X-Server-Port $server_port always;
                 {directives}
             }}
         }}"
    )
}
