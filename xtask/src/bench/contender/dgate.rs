//! DGate's configuration.

use std::fmt::Write;

use anyhow::Result;

use super::Setup;
use crate::bench::scenario::Protocol;

pub(super) fn configuration(setup: &Setup<'_>) -> Result<String> {
    let Setup { scenario, port, upstream, certificate, .. } = setup;
    let listen = match scenario.protocol {
        Protocol::Http1 => format!("port: {port}"),
        Protocol::Tls | Protocol::Http2 => format!(
            "port: 0\n  tls: {{ port: {port}, cert_file: {}, key_file: {} }}",
            certificate.chain.display(),
            certificate.key.display()
        ),
    };
    let mut text = format!(
        "version: v1
log_level: warn
storage: {{ type: memory }}
access_log: {{ format: \"off\" }}
runtime: {{ workers: 1 }}
admin: {{ port: 0 }}
proxy:
  host: 127.0.0.1
  {listen}
  init_resources:
    services: [{{ name: upstream, urls: [\"http://127.0.0.1:{upstream}\"] }}]
    routes:
"
    );
    for (index, prefix) in scenario.prefixes().enumerate() {
        writeln!(
            text,
            "      - {{ name: r{index}, paths: [\"{prefix}**\"], methods: [\"*\"], service: upstream }}"
        )?;
    }
    Ok(text)
}
