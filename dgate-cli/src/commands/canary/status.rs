//! `canary status`: both variants side by side.

use std::time::Duration;

use clap::Args;
use dgate_core::tags::{ServerTag, Share};
use dgate_core::units::HumanDuration;
use serde_json::{Value, json};

use super::RouteName;
use super::found::Found;
use super::traffic::Traffic;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Output, Table};

/// Which canary, and how long it is looked at.
#[derive(Debug, Args)]
pub(super) struct Status {
    #[command(flatten)]
    route: RouteName,
    /// How long requests are counted.
    #[arg(long, value_name = "DURATION", default_value = "2s")]
    interval: HumanDuration,
}

/// What both variants of a route have answered.
#[derive(Debug, Clone)]
pub(super) struct Variants {
    pub(super) stable: Traffic,
    pub(super) canary: Traffic,
}

impl Status {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let found = Found::read(&self.route, context).await?;
        found.canary()?;
        let before = Variants::read(&found).await?;
        tokio::time::sleep(self.interval.get()).await;
        let variants = Variants::read(&found).await?.since(&before);
        show(&found, &variants, self.interval.get(), |output, data| output.value(data), context)?;
        Ok(Exit::Success)
    }
}

impl Variants {
    pub(super) async fn read(found: &Found) -> Result<Self, Failure> {
        let metrics = found.metrics().await?;
        let of = |route: &str| Traffic::of(&metrics, &found.namespace_name, route);
        Ok(Self { stable: of(&found.name), canary: of(&found.beside_name()) })
    }

    pub(super) fn since(&self, before: &Self) -> Self {
        Self { stable: self.stable.since(&before.stable), canary: self.canary.since(&before.canary) }
    }
}

/// Writes both variants as a result: as a table for people, else as data.
///
/// # Errors
/// When standard output cannot be written.
pub(super) fn show(
    found: &Found,
    variants: &Variants,
    took: Duration,
    write: impl Fn(Output, &Value) -> Result<(), Failure>,
    context: &Context,
) -> Result<(), Failure> {
    let share = found.tag().map_or_else(|| "-".to_owned(), |tag| share(&tag));
    let rows = [("stable", &found.name, "", &variants.stable)];
    let beside = found.beside_name();
    let rows = rows.into_iter().chain([("canary", &beside, share.as_str(), &variants.canary)]);
    if !context.output.is_for_people() {
        let data = rows.map(|(variant, route, share, traffic)| {
            let mut data = data(traffic, took);
            data["variant"] = variant.into();
            data["route"] = route.as_str().into();
            if !share.is_empty() {
                data["share"] = share.into();
            }
            data
        });
        return write(context.output, &Value::Array(data.collect()));
    }
    let mut table = Table::new(["VARIANT", "ROUTE", "SHARE", "REQUESTS", "RATE", "ERRORS", "MEAN", "P99"]);
    for (variant, route, share, traffic) in rows {
        let time = |time: Option<Duration>| {
            time.map_or_else(String::new, |time| format!("{:.1}ms", time.as_secs_f64() * 1e3))
        };
        let errors = traffic.error_share().map_or_else(String::new, |share| format!("{:.2}%", share * 100.0));
        table.row([
            variant.to_owned(),
            route.clone(),
            share.to_owned(),
            format!("{:.0}", traffic.requests),
            format!("{:.1}/s", traffic.requests / took.as_secs_f64().max(f64::EPSILON)),
            errors,
            time(traffic.mean()),
            time(traffic.quantile(0.99)),
        ]);
    }
    output::text(table)
}

fn data(traffic: &Traffic, took: Duration) -> Value {
    json!({
        "requests": traffic.requests,
        "errors": traffic.errors,
        "error_share": traffic.error_share(),
        "rate": traffic.requests / took.as_secs_f64().max(f64::EPSILON),
        "mean_seconds": traffic.mean().map(|mean| mean.as_secs_f64()),
        "p99_seconds": traffic.quantile(0.99).map(|p99| p99.as_secs_f64()),
    })
}

/// A tag's share at this moment.
fn share(tag: &ServerTag) -> String {
    let tags = dgate_core::tags::ServerTags::parse(&[tag.text().to_owned()]).0;
    let now = jiff::Timestamp::now();
    let now_at = tags.at(now).canaries().next().map(|(_, canary)| canary.share(now));
    match (now_at, tag.share) {
        (Some(now), Some(Share::Ramp(ramp))) if now != ramp.to.to_string() => format!("{now} → {}", ramp.to),
        (Some(now), _) => now,
        (None, _) => "0%".to_owned(),
    }
}
