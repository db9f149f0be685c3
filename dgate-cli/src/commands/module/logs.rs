//! `module logs`.

use clap::Args;
use serde_json::{Map, Value};

use crate::commands::logs::{Level, Wanted, follow};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Where the server's log has what modules write to their console.
const TARGET: &str = "dgate::module";

/// Whose lines.
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// The module; all modules of all namespaces when absent.
    name: Option<String>,
    /// Follow the log, as is done anyway: there are no earlier lines.
    #[arg(short, long)]
    follow: bool,
    /// The least severe level.
    #[arg(long, value_enum, default_value = "trace")]
    level: Level,
}

impl Logs {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wanted = Wanted { level: self.level, target: Some(TARGET.to_owned()), text: None };
        let namespace = context.namespace();
        let is = |line: &Map<String, Value>, field: &str, wanted: &str| {
            line.get(field).and_then(Value::as_str) == Some(wanted)
        };
        follow(context, &wanted, |line| {
            let name = self.name.as_deref();
            name.is_none_or(|name| is(line, "module", name) && is(line, "namespace", namespace))
        })
        .await
    }
}
