//! What stands behind the gateways: nginx, which does next to nothing.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::pinned::{self, Pinned};

/// An upstream that answers each path with as many bytes as its last part says: 128, 10240 or 1048576. Below `after/N/` it
/// does so N seconds later.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) port: u16,
    _process: Pinned,
}

impl Upstream {
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let folder = &folder.join("upstream");
        fs::create_dir_all(folder)?;
        for size in [10 << 10, 1 << 20] {
            fs::write(folder.join(size.to_string()), vec![b'x'; size])?;
        }
        let port = free_port()?;
        fs::write(folder.join("nginx.conf"), configuration(folder, port))?;
        let mut nginx = pinned::on(pinned::OTHERS, "nginx");
        nginx.arg("-c").arg(folder.join("nginx.conf")).arg("-e").arg(folder.join("error.log"));
        let process = Pinned::start(&mut nginx, &folder.join("log"))?;
        Ok(Self { port, _process: process })
    }
}

fn configuration(folder: &Path, port: u16) -> String {
    let (root, small) = (folder.display(), "x".repeat(128));
    format!(
        "load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;
daemon off; master_process off; pid {root}/pid;
events {{ worker_connections 8192; }}
http {{
  access_log off; sendfile on; tcp_nopush on;
  keepalive_requests 1000000000; keepalive_timeout 600s; client_max_body_size 0;
  client_body_temp_path {root}/body; proxy_temp_path {root}/proxy;
  fastcgi_temp_path {root}/fastcgi; uwsgi_temp_path {root}/uwsgi; scgi_temp_path {root}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ return 200 {small}; }}
    location ~ /after/(?<pause>[0-9.]+)/128$ {{ echo_sleep $pause; echo_exec /128; }}
    location ~ /(10240|1048576)$ {{ root {root}; try_files /$1 =404; open_file_cache max=10; }}
  }}
}}
"
    )
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
