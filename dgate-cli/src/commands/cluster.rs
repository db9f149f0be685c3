//! `dgate-cli cluster`: the nodes that make up the gateway, and waiting for them.

use std::time::{Duration, Instant};

use clap::Args;
use dgate_core::units::HumanDuration;
use serde_json::Value;

use super::resource::to_the_second;
use crate::client::Client;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Format, Table, with_progress};

/// How often nodes are looked at while they are waited for.
const LOOK: Duration = Duration::from_millis(100);

/// The nodes, as the one that is asked knows them.
#[derive(Debug, Args)]
pub(crate) struct Cluster {}

impl Cluster {
    pub(crate) async fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let nodes = nodes(&context.client()?).await?;
        let format = context.output.format();
        match format {
            Format::Json | Format::Yaml => context.output.value(&nodes.into())?,
            Format::Name => nodes.iter().try_for_each(|node| output::text(text(node, "id")))?,
            Format::Table | Format::Wide => output::text(table(&nodes, format == Format::Wide))?,
        }
        Ok(Exit::Success)
    }
}

async fn nodes(client: &Client) -> Result<Vec<Value>, Failure> {
    match client.get("/api/v1/cluster").send().await?.into_data() {
        Value::Array(nodes) => Ok(nodes),
        _ => Err(Failure::new(Exit::Failed, "the server does not say which nodes there are")),
    }
}

fn text(node: &Value, field: &str) -> String {
    node[field].as_str().unwrap_or_default().to_owned()
}

fn table(nodes: &[Value], is_wide: bool) -> Table {
    let heads = ["ID", "VERSION", "ADMIN", "PROXY", "READY", "REVISION", "CONNECTIONS", "IN FLIGHT", "TAGS"];
    let mut table = Table::new(heads.into_iter().chain(is_wide.then_some("SINCE")));
    for node in nodes {
        let of = |field: &str| text(node, field);
        // The one that was asked.
        let mark = if node["this"] == true { "*" } else { "" };
        let tags = node["tags"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let cells = [
            format!("{}{mark}", of("id")),
            of("version"),
            of("address"),
            of("proxy_address"),
            node["ready"].to_string(),
            node["revision"].to_string(),
            node["load"]["connections"].to_string(),
            node["load"]["in_flight"].to_string(),
            tags.collect::<Vec<_>>().join(" "),
        ];
        table.row(cells.into_iter().chain(is_wide.then(|| to_the_second(&of("started_at")))));
    }
    table
}

/// Waits until all nodes run a revision, or a later one.
///
/// # Errors
/// When they do not within `--timeout`.
pub(super) async fn wait_for(revision: u64, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    let begun = Instant::now();
    let wait = async {
        loop {
            let nodes = nodes(&client).await?;
            let runs = |node: &Value| node["revision"].as_u64().is_some_and(|runs| runs >= revision);
            let behind: Vec<&Value> = nodes.iter().filter(|node| !runs(node)).collect();
            if behind.is_empty() {
                return Ok(nodes.len());
            }
            if begun.elapsed() >= context.global.timeout {
                return Err(late(&behind, revision, context.global.timeout));
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    let count = with_progress("waiting for all nodes", wait).await?;
    let who = if count == 1 { "the only node runs".to_owned() } else { format!("all {count} nodes run") };
    context.output.say(format!("{who} revision {revision}"));
    Ok(())
}

fn late(behind: &[&Value], revision: u64, timeout: Duration) -> Failure {
    let nodes: Vec<_> =
        behind.iter().map(|node| format!("{} (revision {})", text(node, "id"), node["revision"])).collect();
    let timeout = HumanDuration::from(timeout);
    let message = format!(
        "the change is made, but after {timeout} revision {revision} is not live on {}",
        nodes.join(", ")
    );
    Failure::new(Exit::Unreachable, message)
        .with_help("`--timeout` says how long to wait; `dgate-cli cluster` shows nodes")
}
