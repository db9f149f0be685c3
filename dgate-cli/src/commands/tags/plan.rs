//! `tags plan`.

use clap::Args;
use dgate_core::timeline::PlannedEdge;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Table};

/// How far ahead is looked.
#[derive(Debug, Args)]
pub(super) struct Plan {
    /// Until when, as in `2030-01-31T08:00:00Z`; a year ahead when absent.
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,
}

impl Plan {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let request = context.client()?;
        let data = request.get("/api/v1/tags/plan").query_if("until", self.until).send().await?.into_data();
        if !context.output.is_for_people() {
            context.output.value(&data)?;
            return Ok(Exit::Success);
        }
        let edges: Vec<PlannedEdge> = serde_json::from_value(data).map_err(|error| {
            Failure::new(Exit::Failed, format!("the server's answer cannot be read: {error}"))
        })?;
        if edges.is_empty() {
            context.output.say("nothing changes with time");
            return Ok(Exit::Success);
        }
        output::text(table(&edges))?;
        Ok(Exit::Success)
    }
}

fn table(edges: &[PlannedEdge]) -> Table {
    let mut table = Table::new(["WHEN", "TAGS", "BEGINS", "FOR SOME", "ENDS"]);
    for edge in edges {
        let tag = |tag: &dgate_core::timeline::PlannedTag| match &tag.namespace {
            Some(namespace) => format!("{} ({namespace})", tag.tag),
            None => tag.tag.clone(),
        };
        let tags: Vec<String> = edge.tags.iter().map(tag).collect();
        let lists = [&edge.begins, &edge.begins_for_some, &edge.ends].map(|list| list.join(" "));
        let [begins, some, ends] = lists;
        table.row([edge.at.to_string(), tags.join(" "), begins, some, ends]);
    }
    table
}
