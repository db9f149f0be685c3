//! What the server says about itself, on standard error.

use std::io::IsTerminal;

use dgate_admin::api::LogTap;
use tracing_subscriber::filter::{EnvFilter, dynamic_filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use crate::config::{LogFormat, LogLevel};

/// Changes how much is said.
pub(crate) struct Telemetry {
    filter: reload::Handle<EnvFilter, Registry>,
    logs: LogTap,
}

impl Telemetry {
    /// Begins to say things. Once for each process.
    pub(crate) fn start(level: LogLevel, format: LogFormat) -> Self {
        let (filter, handle) = reload::Layer::new(filter(level));
        let is_terminal = std::io::stderr().is_terminal();
        let is_pretty = match format {
            LogFormat::Auto => is_terminal,
            LogFormat::Pretty => true,
            LogFormat::Json => false,
        };
        let lines = fmt::layer().with_writer(std::io::stderr);
        let lines = if is_pretty {
            let is_colorful =
                is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            lines.with_ansi(is_colorful).with_target(false).boxed()
        } else {
            lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
        };
        let logs = LogTap::default();
        let (follows, writer) = (logs.clone(), logs.clone());
        let followed = fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_writer(move || writer.clone())
            .with_filter(dynamic_filter_fn(move |_, _| follows.is_followed()));
        // A second start in one process leaves the first one in place.
        let _ = tracing_subscriber::registry().with(filter).with(lines).with(followed).try_init();
        Self { filter: handle, logs }
    }

    /// Lines of the log, for those who follow it.
    pub(crate) fn logs(&self) -> LogTap {
        self.logs.clone()
    }

    /// Changes the least severe level that is said.
    pub(crate) fn set_level(&self, level: LogLevel) {
        let _ = self.filter.reload(filter(level));
    }
}

/// `RUST_LOG` wins: whoever sets it wants to look for something.
fn filter(level: LogLevel) -> EnvFilter {
    let from_environment = std::env::var("RUST_LOG").ok().filter(|text| !text.is_empty());
    match from_environment.map(|text| EnvFilter::try_new(&text).map_err(|error| (text, error))) {
        Some(Ok(filter)) => filter,
        Some(Err((text, error))) => {
            anstream::eprintln!("warning: RUST_LOG=`{text}` is not understood and ignored: {error}");
            default_filter(level)
        }
        None => default_filter(level),
    }
}

fn default_filter(level: LogLevel) -> EnvFilter {
    EnvFilter::new(level.as_str())
}
