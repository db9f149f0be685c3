//! `validate`.

use clap::Args;
use serde_json::json;

use super::Sources;
use super::check::check;
use super::send::{Meant, send};
use super::source::Wishes;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// What shall be checked.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    #[command(flatten)]
    sources: Sources,
    /// Ask the server whether it would take the files, given what is there already. Without it, the files are taken as
    /// the whole configuration, and no server is needed.
    #[arg(long)]
    online: bool,
}

impl Validate {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wishes = Wishes::read(&self.sources.files, context.global.namespace.as_deref())?;
        if self.online {
            let meant = Meant { owner: wishes.owner.clone(), dry_run: true, ..Meant::default() };
            send(context, &wishes, &meant).await?;
        } else {
            let (errors, warnings) = check(&wishes);
            for warning in warnings {
                context.output.warn(warning);
            }
            if !errors.is_empty() {
                let help = "`--online` also knows what is on the server";
                let failure = Failure::new(Exit::Invalid, "this is not valid").with_details(errors);
                return Err(failure.with_help(help));
            }
        }
        let count = wishes.resources.len();
        context.output.say(format!("{count} resource{} valid", if count == 1 { " is" } else { "s are" }));
        if !context.output.is_for_people() {
            context.output.value(&json!({ "valid": true, "resources": count }))?;
        }
        Ok(Exit::Success)
    }
}
