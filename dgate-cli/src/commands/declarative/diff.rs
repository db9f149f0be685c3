//! `diff`.

use clap::Args;

use super::Sources;
use super::apply::owner;
use super::send::{Meant, send};
use super::source::Wishes;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// What shall be compared with what is there.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    #[command(flatten)]
    sources: Sources,
    /// Also show what this owner has and the files no longer list, as `sync` would delete it.
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// End with status 3 if there are differences.
    #[arg(long)]
    exit_code: bool,
}

impl Diff {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wishes = Wishes::read(&self.sources.files, context.global.namespace.as_deref())?;
        let owner = owner(self.owner, &wishes)?;
        // Deletions only stop at references when they are done.
        let sync = owner.is_some();
        let meant = Meant { sync, cascade: sync, owner, dry_run: true, ..Meant::default() };
        let plan = send(context, &wishes, &meant).await?;
        plan.show(context)?;
        Ok(if self.exit_code && !plan.is_empty() { Exit::Differences } else { Exit::Success })
    }
}
