//! `module check`.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use dgate_core::Severity;
use dgate_modules::local::{self, Checked};
use serde_json::{Value, json};

use super::{is_source, project};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Format, style};

/// What is checked.
#[derive(Debug, Args)]
#[command(after_help = "Permissions are those that YAML files beside the modules give them.")]
pub(crate) struct Check {
    /// A module's file, or a folder of modules.
    #[arg(default_value_os_t = super::here())]
    path: PathBuf,
    /// A permission that modules have besides those in files. May be given several times.
    #[arg(long, value_name = "PERMISSION")]
    allow: Vec<String>,
}

impl Check {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        is_source(&self.path)?;
        let project = project(&self.path, &self.allow)?;
        let only = if self.path.is_file() { project.name_of(&self.path) } else { None };
        let checked = local::check(&project).await;
        let mut checked =
            checked.map_err(|problems| Failure::invalid("the resources are not valid", &problems))?;
        checked.retain(|module| only.is_none_or(|only| module.module == only));
        if checked.is_empty() {
            return Err(Failure::new(Exit::NotFound, format!("no module in {}", self.path.display())));
        }
        if context.output.is_for_people() {
            checked.iter().try_for_each(|module| output::text(shown(module).trim_end()))?;
        } else if context.output.format() == Format::Name {
            checked.iter().try_for_each(|module| output::text(&module.module))?;
        } else {
            context.output.value(&checked.iter().map(to_json).collect())?;
        }
        let fine = checked.iter().all(Checked::is_fine);
        Ok(if fine { Exit::Success } else { Exit::Invalid })
    }
}

fn shown(module: &Checked) -> String {
    let (error, warning, place, help) = (style::ERROR, style::WARNING, style::PLACE, style::HELP);
    let mut out = format!("{place}{}{place:#}", module.module);
    if !module.hooks.is_empty() {
        let _ = write!(out, ": {}", module.hooks.join(", "));
    }
    out.push('\n');
    for run in &module.runs {
        let _ = match &run.engine {
            None => writeln!(out, "  {}: runs without the engine", run.hook),
            Some(why) => writeln!(out, "  {}: runs in the engine for {why}", run.hook),
        };
    }
    for ask in &module.asks {
        let verdict = if ask.granted { "granted".to_owned() } else { format!("{error}not granted{error:#}") };
        let _ = writeln!(out, "  {} ({}): {verdict}", ask.permission, ask.place);
    }
    for unused in &module.unused {
        let _ = writeln!(out, "  {warning}{unused}{warning:#}: granted, and never asked for");
    }
    for problem in &module.problems {
        let (mark, name) = match problem.severity {
            Severity::Error => (error, "error"),
            Severity::Warning => (warning, "warning"),
        };
        let _ = writeln!(out, "  {mark}{name}:{mark:#} {}", problem.message.replace('\n', "\n  "));
        if let Some(text) = &problem.help {
            let _ = writeln!(out, "    {help}help:{help:#} {text}");
        }
    }
    out
}

fn to_json(module: &Checked) -> Value {
    let asks: Vec<Value> = module
        .asks
        .iter()
        .map(|ask| json!({ "permission": ask.permission, "place": ask.place, "granted": ask.granted }))
        .collect();
    let runs: Vec<Value> =
        module.runs.iter().map(|run| json!({ "hook": run.hook, "engine": run.engine })).collect();
    json!({
        "module": module.module, "fine": module.is_fine(), "hooks": module.hooks, "runs": runs, "asks": asks,
        "unused": module.unused, "problems": module.problems,
    })
}
