//! Listeners: how they are written.

use crate::resource::{Listener, TlsMode};
use crate::{Problem, Problems};

pub(super) fn check(spec: &Listener, problems: &mut Problems) {
    let port = spec
        .address
        .rsplit_once(':')
        .filter(|(host, _)| !host.is_empty())
        .map(|(_, port)| port.parse::<u16>());
    if !matches!(port, Some(Ok(_))) {
        problems.push(
            Problem::error("/address", format!("`{}` is no `host:port`", spec.address))
                .with_help("write `127.0.0.1:6380`, or `0.0.0.0:6380` for all interfaces"),
        );
    }
    let files = spec.tls.cert_file.is_some() && spec.tls.key_file.is_some();
    let any_file = spec.tls.cert_file.is_some() || spec.tls.key_file.is_some();
    match spec.tls.mode {
        TlsMode::Terminate if !files => {
            problems.push(Problem::error("/tls", "`terminate` needs `cert_file` and `key_file`"));
        }
        TlsMode::None | TlsMode::Passthrough if any_file => {
            problems.push(Problem::error("/tls", "a certificate is only used with `mode: terminate`"));
        }
        _ => {}
    }
    if spec.tls.mode == TlsMode::None && !spec.matches.sni.is_empty() {
        problems.push(
            Problem::error("/match/sni", "server names are only known with TLS")
                .with_help("set `tls.mode` to `terminate` or `passthrough`"),
        );
    }
    if spec.service.is_none() && spec.protocol.is_none() && spec.modules.is_empty() {
        problems.push(Problem::error(
            "",
            "a listener needs a `service`, or a `protocol` with modules that answer",
        ));
    }
    if spec.limits.connections == 0 {
        problems.push(Problem::error("/limits/connections", "`connections` must be at least 1"));
    }
}
