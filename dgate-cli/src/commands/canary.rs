//! `canary`: a new service or module for a share of a route's requests, from the first percent to the end.
//!
//! There is nothing special about it: a second route beside the first one, with the condition `#canary:ROUTE`, and a tag
//! of the namespace that gives `canary:ROUTE` to a share of its requests. Each step is one change, all or nothing.

mod end;
mod found;
mod share;
mod start;
mod status;
mod traffic;
mod watch;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// What is to be done with a canary.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Canary {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Give a share of a route's requests another service, or other modules.
    Start(start::Start),
    /// Give the canary another share, at once or little by little.
    Widen(start::Widen),
    /// Show both variants side by side: rate, errors, latency.
    Status(status::Status),
    /// Go on showing them, and abort by itself when the canary is worse than the stable variant.
    Watch(watch::Watch),
    /// Give everybody what the canary had.
    Promote(end::Promote),
    /// Make everything as it was before.
    Abort(end::Abort),
}

/// The route that is meant.
#[derive(Debug, Args)]
struct RouteName {
    /// The route: `NAME` or `NAMESPACE/NAME`.
    #[arg(value_name = "ROUTE")]
    route: String,
}

impl Canary {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.step {
            Step::Start(start) => start.run(context).await,
            Step::Widen(widen) => widen.run(context).await,
            Step::Status(status) => status.run(context).await,
            Step::Watch(watch) => watch.run(context).await,
            Step::Promote(promote) => promote.run(context).await,
            Step::Abort(abort) => abort.run(context).await,
        }
    }
}
