//! `dgate-cli version`.

use clap::Args;
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Whose version.
#[derive(Debug, Args)]
pub(crate) struct Version {
    /// Do not ask the server.
    #[arg(long)]
    client: bool,
}

impl Version {
    /// A server that cannot be reached is no failure: the own version is known.
    pub(crate) async fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let client = env!("CARGO_PKG_VERSION");
        let server = if self.client { None } else { Some(server(context).await) };
        if context.output.is_for_people() {
            let line = match &server {
                None => String::new(),
                Some(Ok(version)) => format!("\nserver     {version}"),
                Some(Err(failure)) => format!("\nserver     unknown: {}", failure.message),
            };
            output::text(format!("dgate-cli  {client}{line}"))?;
        } else {
            let server = server.and_then(Result::ok);
            context.output.value(&json!({ "client": client, "server": server }))?;
        }
        Ok(Exit::Success)
    }
}

async fn server(context: &Context) -> Result<String, Failure> {
    let answer = context.client()?.get("/api/v1/stats").send().await?;
    let version = answer.data()["version"].as_str();
    version
        .map(str::to_owned)
        .ok_or_else(|| Failure::new(Exit::Failed, "the server does not say its version"))
}
