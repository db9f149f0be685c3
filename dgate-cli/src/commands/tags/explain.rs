//! `tags explain`.

use std::fmt::Write;

use clap::Args;
use dgate_core::explain::{Candidate, Explanation};
use serde_json::{Map, json};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, style};

/// The request that is asked about.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The host it asks for.
    #[arg(long, value_name = "HOST", default_value = "localhost")]
    host: String,
    /// The path it asks for, with the query.
    #[arg(long, value_name = "PATH", default_value = "/")]
    path: String,
    /// Its method.
    #[arg(long, value_name = "METHOD", default_value = "GET")]
    method: String,
    /// A header of it. May be given several times.
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Who asks: the value of the header or cookie of `proxy.canary.sticky`, or an address.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// A canary tag that it carries whatever it draws, `!name:value` for one that it does not. May be given several times.
    #[arg(long = "force", value_name = "[!]NAME:VALUE")]
    forced: Vec<String>,
    /// When it comes, as in `2030-01-31T08:00:00Z`; now when absent.
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
}

impl Explain {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let mut headers = Map::new();
        for header in &self.headers {
            let Some((name, value)) = header.split_once(':') else {
                return Err(Failure::usage(format!("`{header}` is no header: write `name: value`")));
            };
            headers.insert(name.trim().to_owned(), value.trim().into());
        }
        let mut question = json!({
            "host": self.host, "path": self.path, "method": self.method, "headers": headers, "forced": self.forced,
        });
        for (name, value) in [("key", self.key), ("at", self.at)] {
            if let Some(value) = value {
                question[name] = value.into();
            }
        }
        let data = context.client()?.post("/api/v1/tags/explain").json(&question).send().await?.into_data();
        if !context.output.is_for_people() {
            context.output.value(&data)?;
            return Ok(Exit::Success);
        }
        let explanation: Explanation = serde_json::from_value::<Explanation>(data).map_err(|error| {
            Failure::new(Exit::Failed, format!("the server's answer cannot be read: {error}"))
        })?;
        output::text(describe(&explanation).trim_end())?;
        Ok(Exit::Success)
    }
}

fn describe(explanation: &Explanation) -> String {
    let mut text = String::new();
    let head = |text: &mut String, name: &str| {
        let _ = writeln!(text, "{}{name}{:#}", style::HEAD, style::HEAD);
    };
    head(&mut text, &format!("TAGS AT {}", explanation.at));
    for tag in &explanation.tags {
        let _ = writeln!(text, "  {} {}: {}", sign(tag.carried), tag.tag, tag.why);
    }
    for (name, candidates) in [
        ("DOMAINS", &explanation.domains),
        ("ROUTES", &explanation.routes),
        ("MODULES", &explanation.modules),
        ("SERVICE", &explanation.service.iter().cloned().collect()),
        ("ENDPOINTS", &explanation.endpoints),
    ] {
        if !candidates.is_empty() {
            head(&mut text, name);
            candidates.iter().for_each(|candidate| describe_one(&mut text, candidate));
        }
    }
    if let Some(variant) = &explanation.variant {
        head(&mut text, "VARIANT");
        let _ = writeln!(text, "  {variant}");
    }
    head(&mut text, "OUTCOME");
    let _ = writeln!(text, "  {}", explanation.outcome);
    text
}

fn describe_one(text: &mut String, candidate: &Candidate) {
    let pattern = candidate.pattern.as_ref().map_or_else(String::new, |pattern| format!(" ({pattern})"));
    let _ = writeln!(text, "  {} {}{pattern}: {}", sign(candidate.chosen), candidate.resource, candidate.why);
    for condition in &candidate.conditions {
        let _ = writeln!(text, "      {} {}: {}", sign(condition.holds), condition.condition, condition.why);
    }
}

fn sign(is_so: bool) -> &'static str {
    if is_so { "+" } else { "-" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_reads_from_top_to_bottom() {
        let candidate = |resource: &str, chosen: bool, why: &str| {
            json!({ "resource": resource, "pattern": "/a", "chosen": chosen, "why": why, "conditions": [
                { "condition": "#canary:v2", "holds": chosen, "why": "because" },
            ] })
        };
        let explanation = json!({
            "at": "2026-01-01T00:00:00Z",
            "tags": [{ "tag": "edge", "carried": true, "why": "always" }],
            "domains": [],
            "routes": [candidate("route/n/b", false, "lost"), candidate("route/n/a", true, "won")],
            "modules": [],
            "endpoints": [],
            "variant": "canary:v2",
            "outcome": "route/n/a takes it",
        });
        let text = describe(&serde_json::from_value(explanation).unwrap());
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(
            plain,
            "TAGS AT 2026-01-01T00:00:00Z\n  + edge: always\nROUTES\n  - route/n/b (/a): lost\n      \
             - #canary:v2: because\n  + route/n/a (/a): won\n      + #canary:v2: because\nVARIANT\n  canary:v2\n\
             OUTCOME\n  route/n/a takes it\n"
        );
    }
}
