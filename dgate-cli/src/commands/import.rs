//! `dgate-cli import`: from other descriptions to resources. Nothing is sent: the result goes to `apply`.

mod kong;
mod name;
mod openapi;

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use dgate_core::text::escape_references;
use serde_json::{Map, Value};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Format};

/// What is imported.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Import {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, Subcommand)]
enum From {
    /// An OpenAPI description (2 or 3): a service for its server, a route for each path.
    #[command(after_help = "Example: dgate-cli import openapi petstore.yaml | dgate-cli apply -f -")]
    Openapi(OpenApi),
    /// Kong's declarative configuration: services, routes, upstreams.
    #[command(after_help = "Example: dgate-cli import kong kong.yaml | dgate-cli diff -f -")]
    Kong(Kong),
}

#[derive(Debug, Args)]
struct OpenApi {
    /// The description, YAML or JSON; `-` is standard input.
    file: PathBuf,
    /// The service's URL, if it is another one than the description says.
    #[arg(long)]
    url: Option<String>,
    /// The service's name; made from the title when absent.
    #[arg(long)]
    name: Option<String>,
}

#[derive(Debug, Args)]
struct Kong {
    /// The configuration, YAML or JSON; `-` is standard input.
    file: PathBuf,
}

/// What came of an import.
#[derive(Debug, Default)]
struct Imported {
    services: Vec<Value>,
    routes: Vec<Value>,
    /// What has no counterpart, or means something a little different.
    notes: Vec<String>,
}

impl Import {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let imported = match &self.from {
            From::Openapi(OpenApi { file, url, name }) => {
                openapi::import(&read(file)?, url.as_deref(), name.as_deref())
                    .map_err(|why| unusable(file, &why))?
            }
            From::Kong(Kong { file }) => kong::import(&read(file)?).map_err(|why| unusable(file, &why))?,
        };
        for note in &imported.notes {
            context.output.warn(note);
        }
        let resources = imported.resources(context.global.namespace.as_deref());
        match context.output.format() {
            Format::Json => context.output.value(&resources)?,
            _ => output::text(output::yaml(&resources)?.trim_end())?,
        }
        Ok(Exit::Success)
    }
}

impl Imported {
    /// As a file for `apply`.
    fn resources(self, namespace: Option<&str>) -> Value {
        let mut all = Map::from_iter([("version".to_owned(), "v1".into())]);
        for (list, mut resources) in [("services", self.services), ("routes", self.routes)] {
            if let Some(namespace) = namespace {
                resources.iter_mut().for_each(|resource| resource["namespace"] = namespace.into());
            }
            all.insert(list.to_owned(), resources.into());
        }
        let mut all = Value::from(all);
        escape_references(&mut all);
        all
    }
}

fn read(file: &Path) -> Result<Value, Failure> {
    let mut text = String::new();
    let read = match file.to_str() {
        Some("-") => std::io::stdin().lock().read_to_string(&mut text).map(drop),
        _ => std::fs::read_to_string(file).map(|read| text = read),
    };
    read.map_err(|error| Failure::new(Exit::Failed, format!("{} cannot be read: {error}", file.display())))?;
    serde_saphyr::from_str(&text).map_err(|error| unusable(file, &error.to_string()))
}

fn unusable(file: &Path, why: &str) -> Failure {
    Failure::new(Exit::Invalid, format!("{}: {why}", file.display()))
}

#[cfg(test)]
mod tests {
    use dgate_core::resource::{Route, Service};
    use dgate_core::tags::ServerTags;
    use dgate_core::{compile, decode};

    use super::Imported;

    /// What is imported can be applied as it is.
    pub(super) fn is_valid(imported: Imported) {
        let services = imported.services.into_iter().map(|value| decode::<Service>(value).unwrap().into());
        let routes = imported.routes.into_iter().map(|value| decode::<Route>(value).unwrap().into());
        let resources = dgate_core::apply::resource_set(services.chain(routes));
        let (_, warnings) = compile(&resources, &ServerTags::default(), None).unwrap();
        assert!(warnings.is_empty(), "{warnings}");
    }
}
