//! `canary start` and `canary widen`.

use clap::Args;
use dgate_core::closest;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::RouteName;
use super::found::{Found, Step};
use super::share::ShareArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// A canary to begin.
#[derive(Debug, Args)]
pub(super) struct Start {
    #[command(flatten)]
    route: RouteName,
    /// The service that the canary gets.
    #[arg(long, value_name = "NAME", required_unless_present = "modules")]
    service: Option<String>,
    /// A module that the canary gets in the place of another one, or besides all others. May be given several times.
    #[arg(long = "module", value_name = "OLD=NEW|NEW")]
    modules: Vec<String>,
    #[command(flatten)]
    share: ShareArgs,
}

/// Another share for a canary.
#[derive(Debug, Args)]
pub(super) struct Widen {
    #[command(flatten)]
    route: RouteName,
    #[command(flatten)]
    share: ShareArgs,
}

impl Start {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let found = Found::read(&self.route, context).await?;
        let title = found.title();
        if found.beside.is_some() || found.tag().is_some() {
            let message = format!("route {title} has a canary already");
            let help = format!("`dgate-cli canary widen {title}` changes its share, `canary abort` ends it");
            return Err(Failure::new(Exit::Conflict, message).with_help(help));
        }
        let beside = self.beside(&found)?;
        let step = Step {
            tag: Some(self.share.tag(&found.name, Timestamp::now())?),
            routes: vec![beside],
            message: format!("canary of route {title} begins {}", self.share.describe()),
            ..Step::default()
        };
        found.apply(step, context).await?.tell(context)?;
        context.output.say(format!("watch it with `dgate-cli canary watch {title}`"));
        Ok(Exit::Success)
    }

    /// The route beside: the same, with another service or other modules, for those who carry the tag.
    fn beside(&self, found: &Found) -> Result<Value, Failure> {
        let mut beside = found.route.clone();
        beside["name"] = found.beside_name().into();
        if let Some(service) = &self.service {
            beside["service"] = service.as_str().into();
        }
        if !self.modules.is_empty() {
            beside["modules"] = self.replaced(&found.route["modules"])?.into();
        }
        let mut tags = beside["tags"].as_array().cloned().unwrap_or_default();
        tags.push(found.condition().into());
        beside["tags"] = json!(tags);
        Ok(beside)
    }

    fn replaced(&self, modules: &Value) -> Result<Vec<String>, Failure> {
        let modules = modules.as_array().into_iter().flatten().filter_map(Value::as_str);
        let mut modules: Vec<String> = modules.map(str::to_owned).collect();
        for wish in &self.modules {
            let Some((old, new)) = wish.split_once('=') else {
                modules.push(wish.clone());
                continue;
            };
            let Some(place) = modules.iter_mut().find(|name| **name == *old) else {
                let message = format!("`--module {wish}`: the route has no module `{old}`");
                let failure = Failure::usage(message);
                return Err(match closest(old, modules.iter().map(String::as_str)) {
                    Some(close) => failure.with_help(format!("did you mean `{close}`?")),
                    None => failure,
                });
            };
            new.clone_into(place);
        }
        Ok(modules)
    }
}

impl Widen {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let found = Found::read(&self.route, context).await?;
        found.canary()?;
        let step = Step {
            tag: Some(self.share.tag(&found.name, Timestamp::now())?),
            message: format!("canary of route {} goes on {}", found.title(), self.share.describe()),
            ..Step::default()
        };
        found.apply(step, context).await?.tell(context)?;
        Ok(Exit::Success)
    }
}
