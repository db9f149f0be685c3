//! `tags`: who gets what, why, and when.

mod explain;
mod plan;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// What is asked about tags.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Tags {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Subcommand)]
enum Question {
    /// Show for a request each candidate, each condition, and why it won or lost.
    Explain(explain::Explain),
    /// List what will change with time.
    Plan(plan::Plan),
}

impl Tags {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.question {
            Question::Explain(explain) => explain.run(context).await,
            Question::Plan(plan) => plan.run(context).await,
        }
    }
}
