//! HAProxy. It reads its routes from a file of their own, into a tree of prefixes.

use anyhow::Result;

use super::Setup;
use crate::bench::scenario::Protocol;

pub(super) fn configuration(setup: &Setup<'_>) -> Result<String> {
    let Setup { scenario, folder, port, upstream, certificate } = setup;
    let both = certificate.both.display();
    let tls = match scenario.protocol {
        Protocol::Http1 => String::new(),
        Protocol::Tls => format!(" ssl crt {both} ssl-min-ver TLSv1.3"),
        Protocol::Http2 => format!(" ssl crt {both} ssl-min-ver TLSv1.3 alpn h2"),
    };
    let list = folder.join("prefixes");
    let prefixes: String = scenario.prefixes().map(|prefix| prefix + "\n").collect();
    std::fs::write(&list, prefixes)?;
    Ok(format!(
        "global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option forwardfor
  http-reuse always
frontend clients
  bind 127.0.0.1:{port} backlog 4096{tls}
  use_backend upstream if {{ path_beg -f {list} }}
backend upstream
  server one 127.0.0.1:{upstream}
",
        list = list.display()
    ))
}
