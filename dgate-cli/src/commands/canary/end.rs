//! `canary promote` and `canary abort`.

use clap::Args;

use super::RouteName;
use super::found::{Found, Step};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// A canary whose service and modules become those of its route.
#[derive(Debug, Args)]
pub(super) struct Promote {
    #[command(flatten)]
    route: RouteName,
}

/// A canary that goes, and leaves no trace.
#[derive(Debug, Args)]
pub(super) struct Abort {
    #[command(flatten)]
    route: RouteName,
}

impl Promote {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let found = Found::read(&self.route, context).await?;
        let canary = found.canary()?;
        // Whatever else has become of the route meanwhile, it keeps.
        let mut route = found.route.clone();
        for field in ["service", "modules"] {
            match (canary.get(field), route.as_object_mut()) {
                (Some(value), _) => route[field] = value.clone(),
                (None, Some(fields)) => drop(fields.remove(field)),
                (None, None) => {}
            }
        }
        let step = Step {
            routes: vec![route],
            removes_beside: true,
            message: format!("canary of route {} is promoted", found.title()),
            ..Step::default()
        };
        found.apply(step, context).await?.tell(context)?;
        if let Some(owner) = found.route["owner"].as_str() {
            context.output.say(format!(
                "the route belongs to `{owner}`: change it there as well, or it comes back as it was"
            ));
        }
        Ok(Exit::Success)
    }
}

impl Abort {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let found = Found::read(&self.route, context).await?;
        if found.tag().is_none() {
            found.canary()?;
        }
        abort(&found, "canary is aborted", context).await?;
        Ok(Exit::Success)
    }
}

/// Takes away what was added when the canary began. The route itself was never touched.
///
/// # Errors
/// When the server refuses it.
pub(super) async fn abort(found: &Found, why: &str, context: &Context) -> Result<(), Failure> {
    let step = Step {
        removes_beside: found.beside.is_some(),
        message: format!("{why}: route {}", found.title()),
        ..Step::default()
    };
    found.apply(step, context).await?.tell(context)
}
