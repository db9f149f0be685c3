//! `module deploy`.

use std::path::{Path, PathBuf};

use clap::Args;
use dgate_core::Kind;
use dgate_core::key::name_fault;
use serde_json::{Value, json};

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
    /// The source: TypeScript (.ts, .mts) or JavaScript (.js, .mjs).
    file: PathBuf,
    /// The module's name; the file's name without its ending when absent.
    #[arg(long)]
    name: Option<String>,
    /// Also run it in this route, after the modules that are there. May be given several times.
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

impl Deploy {
    /// The module and its routes change in one step: no request sees one without the other.
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let source = std::fs::read_to_string(&self.file).map_err(|error| {
            Failure::new(Exit::Failed, format!("{} cannot be read: {error}", self.file.display()))
        })?;
        let name = self.name()?;
        let language = language(&self.file)?;
        let client = context.client()?;
        let namespace = context.namespace();

        let (found, mut revision) = find(&client, &identity(Kind::Module, namespace, &name)).await?;
        let mut module = found.unwrap_or_else(|| json!({ "name": name, "namespace": namespace }));
        if let Some(object) = module.as_object_mut() {
            object.retain(|field, _| !field.starts_with("payload"));
        }
        (module["payload_raw"], module["type"]) = (source.into(), language.into());
        if !self.permissions.is_empty() {
            module["permissions"] = self.permissions.clone().into();
        }
        let mut resources = vec![of_kind(Kind::Module, module)];
        for route in &self.routes {
            let identity = identity(Kind::Route, namespace, route);
            let (found, at) = find(&client, &identity).await?;
            let Some(mut found) = found else {
                return Err(Failure::new(Exit::NotFound, format!("there is no {identity}")));
            };
            revision = revision.min(at);
            add_module(&mut found, &name);
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

    fn name(&self) -> Result<String, Failure> {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => self.file.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
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
