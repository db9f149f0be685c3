//! `dgate-cli top`: how busy the routes are.

mod rates;
mod sample;

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use crate::client::Client;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Table};
use rates::{Rates, rates};
use sample::Sample;

/// How it is watched. At a terminal it goes on until it is interrupted.
#[derive(Debug, Args)]
pub(crate) struct Top {
    /// How long to count.
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = crate::args::duration)]
    interval: Duration,
    /// Count so often; once when standard output is no terminal.
    #[arg(long, value_name = "TIMES")]
    count: Option<u64>,
}

impl Top {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let client = context.client()?;
        // Whoever says how often wants to keep it all.
        let is_screen = self.count.is_none() && io::stdout().is_terminal() && context.output.is_for_people();
        let count = self.count.or((!is_screen).then_some(1));
        let mut before = sample(&client).await?;
        let mut begun = Instant::now();
        let mut done = 0;
        while count.is_none_or(|count| done < count) {
            tokio::time::sleep(self.interval).await;
            let after = sample(&client).await?;
            let now = Instant::now();
            let rates = rates(&before, &after, now.duration_since(begun));
            show(&rates, &after, is_screen, count == Some(1), context)?;
            (before, begun) = (after, now);
            done += 1;
        }
        Ok(Exit::Success)
    }
}

async fn sample(client: &Client) -> Result<Sample, Failure> {
    let answer = client.get("/metrics").send().await?;
    Ok(Sample::parse(&String::from_utf8_lossy(&answer.bytes)))
}

fn show(
    rates: &[Rates],
    sample: &Sample,
    is_screen: bool,
    is_only: bool,
    context: &Context,
) -> Result<(), Failure> {
    if !context.output.is_for_people() {
        let routes: Vec<Value> = rates.iter().map(Rates::to_json).collect();
        let data = json!({ "in_flight": sample.in_flight, "routes": routes });
        return if is_only { context.output.value(&data) } else { context.output.next_value(&data) };
    }
    let mut table = Table::new(["NAMESPACE", "ROUTE", "REQ/S", "5XX %", "P50 MS", "P95 MS"]);
    for rates in rates {
        table.row(rates.cells());
    }
    let clear = if is_screen { "\x1b[H\x1b[2J" } else { "" };
    output::text(format!("{clear}{table}"))?;
    context.output.say(format!("{} requests in flight", sample.in_flight));
    Ok(())
}
