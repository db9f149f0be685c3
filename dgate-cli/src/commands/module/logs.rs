//! `module logs`.

use clap::Args;
use serde_json::{Map, Value};

use crate::client::segment;
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
        if let Some(name) = &self.name {
            let path = format!("/api/v1/module/{}/{}", segment(namespace), segment(name));
            // Whatever else goes wrong goes wrong below as well.
            if context.client()?.get(path).send().await.is_err_and(|failure| failure.exit() == Exit::NotFound)
            {
                context.output.warn(format!("there is no module {namespace}/{name} as yet"));
            }
        }
        follow(context, &wanted, |line| {
            let name = self.name.as_deref();
            name.is_none_or(|name| is(line, "module", name) && is(line, "namespace", namespace))
        })
        .await
    }
}
