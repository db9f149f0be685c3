//! `dgate-cli logs`: the server's log as it is written.

use std::fmt::Write;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Format, style};

/// Fields with a place of their own.
const PLACED: [&str; 4] = ["timestamp", "level", "target", "message"];

/// Which lines. The server keeps none: they are shown as they come, until it or whoever watches has had enough.
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// Follow the log, as is done anyway: there are no earlier lines.
    #[arg(short, long)]
    follow: bool,
    /// The least severe level.
    #[arg(long, value_enum, default_value = "info")]
    level: Level,
    /// Only lines of a part of the server, such as `dgate_proxy`.
    #[arg(long, value_name = "PREFIX")]
    target: Option<String>,
    /// Only lines that contain this.
    #[arg(short, long, value_name = "TEXT")]
    query: Option<String>,
}

/// How severe a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Level {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl Logs {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wanted = Wanted { level: self.level, target: self.target, text: self.query };
        follow(context, &wanted, |_| true).await
    }
}

/// Which lines the server shall send.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) level: Level,
    pub(crate) target: Option<String>,
    pub(crate) text: Option<String>,
}

/// Shows lines as they come, those that are wanted here as well.
///
/// # Errors
/// When the server cannot be reached, or the connection breaks.
pub(crate) async fn follow(
    context: &Context,
    wanted: &Wanted,
    is_wanted: impl Fn(&Map<String, Value>) -> bool,
) -> Result<Exit, Failure> {
    let client = context.client()?;
    let request = client.get("/api/v1/logs").query("level", wanted.level.as_str());
    let request = request.query_if("target", wanted.target.as_deref()).query_if("q", wanted.text.as_deref());
    let mut events = request.events().await?;
    while let Some(event) = events.next().await? {
        let Ok(Value::Object(line)) = serde_json::from_str(&event.data) else { continue };
        if event.event == "dropped" {
            context.output.say(format!("{} lines were dropped: they came too fast", line["lines"]));
        } else if is_wanted(&line) {
            match context.output.format() {
                Format::Json | Format::Yaml => context.output.next_value(&Value::Object(line))?,
                _ => output::text(describe(&line))?,
            }
        }
    }
    Ok(Exit::Success)
}

/// Time, level, origin and message, then all fields.
fn describe(line: &Map<String, Value>) -> String {
    let text = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default();
    let style = match text("level") {
        "ERROR" => style::ERROR,
        "WARN" => style::WARNING,
        _ => style::PLACE,
    };
    let mut shown = format!(
        "{} {style}{:5}{style:#} {}: {}",
        text("timestamp"),
        text("level"),
        text("target"),
        text("message")
    );
    for (name, value) in line.iter().filter(|(name, _)| !PLACED.contains(&name.as_str())) {
        let _ = match value {
            Value::String(value) if !value.contains([' ', '"']) && !value.is_empty() => {
                write!(shown, " {name}={value}")
            }
            value => write!(shown, " {name}={value}"),
        };
    }
    shown
}
