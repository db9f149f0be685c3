//! `apply` and `sync`.

use clap::Args;

use super::Sources;
use super::send::{Meant, send};
use super::source::Wishes;
use crate::commands::cluster::wait_for;
use crate::commands::plan::Plan;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// What shall be there.
#[derive(Debug, Args)]
pub(crate) struct Apply {
    #[command(flatten)]
    sources: Sources,
    /// Whose the resources become. Resources of other owners are left alone.
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    #[command(flatten)]
    how: How,
}

/// What shall be there, and nothing else of the same owner.
#[derive(Debug, Args)]
pub(crate) struct Sync {
    #[command(flatten)]
    sources: Sources,
    /// Whose the resources are: what this owner has and the files no longer list is deleted.
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// What refers to something that goes, goes as well.
    #[arg(long)]
    cascade: bool,
    #[command(flatten)]
    how: How,
}

/// How it is done.
#[derive(Debug, Args)]
struct How {
    /// Only show what would be done.
    #[arg(long)]
    dry_run: bool,
    /// With `--dry-run`: end with status 3 if something would be done.
    #[arg(long, requires = "dry_run")]
    exit_code: bool,
    /// What it is for; kept in the changelog.
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    /// Fail unless the configuration is at this revision.
    #[arg(long, value_name = "REVISION")]
    expect_revision: Option<u64>,
    /// Wait until all nodes of the cluster run it, for as long as `--timeout` says.
    #[arg(long, conflicts_with = "dry_run")]
    wait: bool,
}

impl How {
    fn meant(&self, owner: Option<String>) -> Meant {
        Meant {
            owner,
            dry_run: self.dry_run,
            message: self.message.clone(),
            expect_revision: self.expect_revision,
            ..Meant::default()
        }
    }

    async fn end(&self, plan: &Plan, context: &Context) -> Result<Exit, Failure> {
        if !self.dry_run {
            plan.tell(context)?;
            if let Some(revision) = plan.revision.filter(|_| self.wait) {
                wait_for(revision, context).await?;
            }
            return Ok(Exit::Success);
        }
        plan.show(context)?;
        context.output.say("dry run: nothing was changed");
        Ok(if self.exit_code && !plan.is_empty() { Exit::Differences } else { Exit::Success })
    }
}

impl Apply {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wishes = Wishes::read(&self.sources.files, context.global.namespace.as_deref())?;
        let owner = owner(self.owner, &wishes)?;
        let plan = send(context, &wishes, &self.how.meant(owner)).await?;
        self.how.end(&plan, context).await
    }
}

impl Sync {
    /// Deletions are shown and asked for; what is then done is what was shown, or nothing.
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wishes = Wishes::read(&self.sources.files, context.global.namespace.as_deref())?;
        let Some(owner) = owner(self.owner, &wishes)? else {
            let message = "`sync` deletes what its owner no longer lists, so it has to know the owner";
            let help = "give `--owner NAME`, or write `owner: NAME` at the top of a file";
            return Err(Failure::usage(message).with_help(help));
        };
        let meant = Meant { sync: true, cascade: self.cascade, ..self.how.meant(Some(owner)) };
        if self.how.dry_run {
            return self.how.end(&send(context, &wishes, &meant).await?, context).await;
        }
        let plan = send(context, &wishes, &Meant { dry_run: true, ..meant.clone() }).await?;
        let deleted = plan.count("deleted");
        if deleted > 0 {
            context.output.say(plan.describe().trim_end());
            let what = if deleted == 1 { "1 resource".to_owned() } else { format!("{deleted} resources") };
            context.confirm(&format!("Delete {what}?"))?;
        }
        let meant = Meant { expect_revision: plan.revision, ..meant };
        self.how.end(&send(context, &wishes, &meant).await?, context).await
    }
}

/// The owner of the command line or of the files. They must not contradict each other.
pub(super) fn owner(given: Option<String>, wishes: &Wishes) -> Result<Option<String>, Failure> {
    match (given, &wishes.owner) {
        (Some(given), Some(written)) if given != *written => {
            let message = format!("`--owner` is `{given}`, and the files say that the owner is `{written}`");
            Err(Failure::usage(message))
        }
        (given, written) => Ok(given.or_else(|| written.clone())),
    }
}
