//! `dgate-cli export`.

use clap::Args;
use dgate_core::text::escape_references;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Format, with_progress};

/// What is exported. `--namespace` leaves all others out.
#[derive(Debug, Args)]
#[command(after_help = "`${` and `$$` are written with one `$` more: `apply` reads them as they were.")]
pub(crate) struct Export {
    /// Only what belongs to this owner.
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// With all documents.
    #[arg(long)]
    documents: bool,
}

impl Export {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let client = context.client()?;
        let request = client
            .get("/api/v1/export")
            .query_if("namespace", context.global.namespace.as_deref())
            .query_if("owner", self.owner.as_deref())
            .flag("documents", self.documents);
        let mut everything = with_progress("export", request.send()).await?.into_data();
        // What looks like a reference is none: `apply` shall read what is there.
        escape_references(&mut everything);
        match context.output.format() {
            Format::Json => context.output.value(&everything)?,
            _ => output::text(output::yaml(&everything)?.trim_end())?,
        }
        Ok(Exit::Success)
    }
}
