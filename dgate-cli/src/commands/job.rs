//! `dgate-cli job …`: the verbs of all kinds, and what only jobs have.

use clap::{Args, Subcommand};
use dgate_core::Kind;
use http::Method;
use serde_json::{Value, json};

use super::resource::{Identity, Verb};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Format};

/// What can be done with jobs.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Job {
    #[command(subcommand)]
    command: JobCommand,
}

#[derive(Debug, Subcommand)]
enum JobCommand {
    #[command(flatten)]
    Verb(Verb),
    /// Do not run jobs for now.
    Pause(Which),
    /// Run paused jobs again.
    Resume(Which),
}

/// Which jobs.
#[derive(Debug, Args)]
struct Which {
    /// Names: `NAME` or `NAMESPACE/NAME`.
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// What it is for; kept in the changelog.
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
}

impl Job {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.command {
            JobCommand::Verb(verb) => verb.run(Kind::Job, context).await,
            JobCommand::Pause(which) => which.set_paused(true, context).await,
            JobCommand::Resume(which) => which.set_paused(false, context).await,
        }
    }
}

impl Which {
    /// Being paused is a field like all others: it is in exports, and in the changelog.
    async fn set_paused(&self, paused: bool, context: &Context) -> Result<Exit, Failure> {
        let client = context.client()?;
        let mut jobs: Vec<Value> = Vec::new();
        for name in &self.names {
            let identity = Identity::of_words(Kind::Job, std::slice::from_ref(name), None, context)?;
            let patch = json!({ "paused": paused }).to_string();
            let request = client.request(Method::PATCH, identity.path());
            let request = request.body("application/merge-patch+json", patch);
            let answer = request.query_if("message", self.message.as_deref()).send().await?;
            context.warn_of(&answer);
            let what = if paused { "is paused" } else { "is no longer paused" };
            let after =
                answer.revision().map_or_else(String::new, |revision| format!(" (revision {revision})"));
            context.output.say(format!("{identity} {what}{after}"));
            if context.output.format() == Format::Name {
                output::text(identity.slashed())?;
            }
            jobs.push(answer.into_data());
        }
        if matches!(context.output.format(), Format::Json | Format::Yaml) {
            context.output.value(&jobs.into())?;
        }
        Ok(Exit::Success)
    }
}
