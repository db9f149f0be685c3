//! nginx, with connections to the upstream that are kept.

use std::fmt::Write;
use std::fs;

use anyhow::Result;

use super::Setup;
use crate::bench::scenario::{Protocol, Script};

pub(super) fn configuration(setup: &Setup<'_>) -> Result<String> {
    let Setup { scenario, folder, port, upstream, certificate } = setup;
    let folder = folder.display();
    let (chain, key) = (certificate.chain.display(), certificate.key.display());
    let listen = match scenario.protocol {
        Protocol::Http1 => "",
        Protocol::Tls => " ssl",
        Protocol::Http2 => " ssl http2",
    };
    let tls = if scenario.over_tls() {
        format!("ssl_certificate {chain}; ssl_certificate_key {key}; ssl_protocols TLSv1.3;")
    } else {
        String::new()
    };
    let (load, import, location) = script(setup)?;
    let mut text = format!(
        "{load} daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log warn;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  keepalive_requests 1000000000; keepalive_timeout 600s; client_max_body_size 0; proxy_max_temp_file_size 0;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_set_header Host $host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  upstream u {{ server 127.0.0.1:{upstream}; keepalive 1024; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port}{listen} backlog=4096;
    {tls}
    {import}
"
    );
    for prefix in scenario.prefixes() {
        writeln!(text, "    location {prefix} {{ {location} }}")?;
    }
    Ok(text + "  }\n}\n")
}

/// How the script is loaded and imported, and what a location does.
fn script(setup: &Setup<'_>) -> Result<(&'static str, String, &'static str)> {
    let Some(script) = setup.scenario.script else { return Ok(("", String::new(), "proxy_pass http://u;")) };
    let file = setup.folder.join("script.js");
    fs::write(
        &file,
        "const mark = () => 'was here';
const answer = r => {
  r.headersOut['content-type'] = 'application/json';
  r.return(200, JSON.stringify({ status: 'ok', method: r.method }));
};
const pass = async r => {
  const answer = await ngx.fetch('http://127.0.0.1:UPSTREAM' + r.uri);
  const text = await answer.text();
  r.return(200, text);
};
export default { mark, answer, pass };
"
        .replace("UPSTREAM", &setup.upstream.to_string()),
    )?;
    let import = format!("js_import script from {}; js_set $mark script.mark;", file.display());
    let location = match script {
        Script::Handler => "js_content script.answer;",
        Script::Fetch => "js_content script.pass;",
        Script::Modifier | Script::AsyncModifier => {
            // Headers that a location sets replace those from outside.
            "proxy_set_header Connection \"\"; proxy_set_header Host $host;
             proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
             proxy_set_header X-Script $mark; proxy_pass http://u;"
        }
    };
    Ok(("load_module /usr/lib/nginx/modules/ngx_http_js_module.so;", import, location))
}
