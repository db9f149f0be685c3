//! DGate's configuration.

use std::fmt::Write;

use anyhow::Result;

use super::Setup;
use crate::bench::scenario::{Protocol, Script};

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
    let direct_hooks = !scenario.in_engine;
    let mut text = format!(
        "version: v1
log_level: warn
storage: {{ type: memory }}
access_log: {{ format: \"off\" }}
runtime: {{ workers: 1 }}
admin: {{ port: 0 }}
modules: {{ direct_hooks: {direct_hooks} }}
proxy:
  host: 127.0.0.1
  {listen}
  init_resources:
    services: [{{ name: upstream, urls: [\"http://127.0.0.1:{upstream}\"] }}]
    routes:
"
    );
    let target = match scenario.script {
        None => "service: upstream",
        Some(Script::Handler | Script::Fetch) => "modules: [script]",
        Some(Script::Modifier | Script::AsyncModifier) => "service: upstream, modules: [script]",
    };
    for (index, prefix) in scenario.prefixes().enumerate() {
        writeln!(text, "      - {{ name: r{index}, paths: [\"{prefix}**\"], methods: [\"*\"], {target} }}")?;
    }
    if let Some(script) = scenario.script {
        let source = source(script, *upstream);
        let permission = format!("permissions: [\"os:net:http=127.0.0.1:{upstream}\"]");
        writeln!(text, "    modules: [{{ name: script, {permission}, payload_raw: \"{source}\" }}]")?;
    }
    Ok(text)
}

fn source(script: Script, upstream: u16) -> String {
    let source = match script {
        Script::Modifier => {
            "export function requestModifier(ctx) { ctx.request().headers.set('x-script', 'was here'); }"
        }
        Script::AsyncModifier => {
            "export async function requestModifier(ctx) { ctx.request().headers.set('x-script', 'was here'); }"
        }
        Script::Handler => {
            "export function requestHandler(ctx) { ctx.response().json({ status: 'ok', method: ctx.request().method }); }"
        }
        Script::Fetch => {
            return format!(
                "export async function requestHandler(ctx) {{ const answer = await fetch('http://127.0.0.1:{upstream}' + ctx.request().path); ctx.response().send(await answer.text()); }}"
            );
        }
    };
    source.to_owned()
}
