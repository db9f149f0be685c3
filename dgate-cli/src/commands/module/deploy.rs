//! `module deploy`.

use std::path::{Path, PathBuf};

use clap::Args;
use dgate_core::Kind;
use dgate_core::key::name_fault;
use serde_json::{Value, json};

use super::{is_source, with_guess};
use crate::client::Client;
use crate::commands::plan::Plan;
use crate::commands::resource::{Identity, without_read_only};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::with_progress;

/// What is deployed, and where.
#[derive(Debug, Args)]
#[command(after_help = "Example: dgate-cli module deploy greet.ts --route hello")]
pub(crate) struct Deploy {
    /// The sources: TypeScript (.ts, .mts) or JavaScript (.js, .mjs). Several go live together, with what they import of
    /// each other.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The module's name, if it is only one; a file's name without its ending when absent.
    #[arg(long)]
    name: Option<String>,
    /// Also run them in this route, after the modules that are there. May be given several times.
    #[arg(long = "route", value_name = "NAME")]
    routes: Vec<String>,
    /// What the module may do, such as `os:net:http=api.example.com`. May be given several times; a module that is there
    /// keeps its permissions when none is given.
    #[arg(long = "permission", value_name = "PERMISSION")]
    permissions: Vec<String>,
    /// Only show what would be done.
    #[arg(long)]
    dry_run: bool,
    /// What it is for; kept in the changelog.
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
}

/// A module as it is written in a file.
struct Source {
    name: String,
    text: String,
    language: &'static str,
}

impl Deploy {
    /// Modules and routes change in one step: no request sees one without the other.
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let sources = self.sources()?;
        let client = context.client()?;
        let namespace = context.namespace();

        let (mut resources, mut revision) = (Vec::new(), u64::MAX);
        for Source { name, text, language } in &sources {
            let (found, at) = find(&client, &identity(Kind::Module, namespace, name)).await?;
            revision = revision.min(at);
            let mut module = found.unwrap_or_else(|| json!({ "name": name, "namespace": namespace }));
            if let Some(object) = module.as_object_mut() {
                object.retain(|field, _| !field.starts_with("payload"));
            }
            (module["payload_raw"], module["type"]) = (text.as_str().into(), (*language).into());
            if !self.permissions.is_empty() {
                module["permissions"] = self.permissions.clone().into();
            }
            resources.push(of_kind(Kind::Module, module));
        }
        for route in &self.routes {
            let identity = identity(Kind::Route, namespace, route);
            let (found, at) = find(&client, &identity).await?;
            let Some(mut found) = found else {
                return Err(Failure::new(Exit::NotFound, format!("there is no {identity}")));
            };
            revision = revision.min(at);
            sources.iter().for_each(|source| add_module(&mut found, &source.name));
            resources.push(of_kind(Kind::Route, found));
        }
        let wish = json!({
            "resources": resources, "dry_run": self.dry_run, "message": self.message, "expect_revision": revision,
        });
        let answer = with_progress("deploy", client.post("/api/v1/apply").json(&wish).send()).await?;
        let plan = Plan::of(answer, context);
        if self.dry_run {
            plan.show(context)?;
        } else {
            plan.tell(context)?;
        }
        Ok(Exit::Success)
    }

    fn sources(&self) -> Result<Vec<Source>, Failure> {
        if self.name.is_some() && self.files.len() > 1 {
            let message = "`--name` is for one file; several are called like their files";
            return Err(Failure::usage(message));
        }
        let mut sources: Vec<Source> = Vec::new();
        for file in &self.files {
            is_source(file)?;
            let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
            let (name, language) = (self.name_of(file)?, language(file)?);
            if sources.iter().any(|known| known.name == name) {
                return Err(Failure::usage(format!("more than one file would be the module `{name}`")));
            }
            sources.push(Source { name, text, language });
        }
        Ok(sources)
    }

    fn name_of(&self, file: &Path) -> Result<String, Failure> {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => file.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        };
        match name_fault(&name) {
            None => Ok(name),
            Some(fault) => {
                let message = format!("`{name}` is no name for a module: it {fault}");
                Err(Failure::usage(message).with_help("give one with `--name`"))
            }
        }
    }
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    let exit = if error.kind() == std::io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Failed };
    let failure = Failure::new(exit, format!("{} cannot be read: {error}", file.display()));
    if file.is_dir() {
        return failure.with_help("name the files of its modules; several go live together");
    }
    with_guess(failure, file)
}

fn language(file: &Path) -> Result<&'static str, Failure> {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("ts" | "mts") => Ok("typescript"),
        Some("js" | "mjs") => Ok("javascript"),
        _ => {
            let message = format!("{} is neither TypeScript (.ts) nor JavaScript (.js)", file.display());
            Err(Failure::usage(message))
        }
    }
}

fn identity(kind: Kind, namespace: &str, name: &str) -> Identity {
    Identity { kind, namespace: namespace.to_owned(), collection: String::new(), name: name.to_owned() }
}

/// A resource as it can be written again, if it is there, and the revision of the configuration that it was read at.
async fn find(client: &Client, identity: &Identity) -> Result<(Option<Value>, u64), Failure> {
    match client.get(identity.path()).send().await {
        Ok(answer) => {
            let revision = answer.revision().unwrap_or_default();
            Ok((Some(without_read_only(answer.into_data())), revision))
        }
        Err(failure) if failure.exit() == Exit::NotFound => {
            let stats = client.get("/api/v1/stats").send().await?;
            Ok((None, stats.revision().unwrap_or_default()))
        }
        Err(failure) => Err(failure),
    }
}

fn add_module(route: &mut Value, name: &str) {
    let mut modules: Vec<Value> = route["modules"].as_array().cloned().unwrap_or_default();
    if !modules.iter().any(|module| module == name) {
        modules.push(name.into());
    }
    route["modules"] = modules.into();
}

fn of_kind(kind: Kind, mut resource: Value) -> Value {
    resource["kind"] = kind.as_str().into();
    resource
}
