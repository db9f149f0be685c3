//! A route and its canary, as they are found, and one change to both.

use dgate_core::tags::ServerTag;
use serde_json::{Value, json};

use super::RouteName;
use crate::client::{Client, segment};
use crate::commands::plan::Plan;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// The name of the tag that canaries carry; its value is the route's name.
const TAG: &str = "canary";

/// What the Admin API tells of a resource besides what was written.
const META: [&str; 4] = ["revision", "created_at", "updated_at", "owner"];

/// A route and its canary, as they are found.
pub(super) struct Found {
    client: Client,
    pub(super) namespace_name: String,
    pub(super) name: String,
    namespace: Value,
    pub(super) route: Value,
    /// The route beside it, if it has a canary.
    pub(super) beside: Option<Value>,
    /// Nothing may have changed since.
    revision: Option<u64>,
}

/// One change to a canary.
#[derive(Default)]
pub(super) struct Step {
    /// The tag that gives the canary its share; nothing to take it away.
    pub(super) tag: Option<String>,
    pub(super) routes: Vec<Value>,
    /// Whether the route beside goes.
    pub(super) removes_beside: bool,
    pub(super) message: String,
}

impl Found {
    /// # Errors
    /// When the route is not there, or the server cannot be asked.
    pub(super) async fn read(wanted: &RouteName, context: &Context) -> Result<Self, Failure> {
        let (namespace_name, name) = match wanted.route.split_once('/') {
            Some((namespace, name)) => (namespace.to_owned(), name.to_owned()),
            None => (context.namespace().to_owned(), wanted.route.clone()),
        };
        let client = context.client()?;
        let namespace = client.get(format!("/api/v1/namespace/{}", segment(&namespace_name))).send().await?;
        let revision = namespace.revision();
        let route_path = |name: &str| format!("/api/v1/route/{}/{}", segment(&namespace_name), segment(name));
        let route = client.get(route_path(&name)).send().await?.into_data();
        let beside = match client.get(route_path(&beside_name(&name))).send().await {
            Ok(answer) => Some(answer.into_data()),
            Err(failure) if failure.exit() == Exit::NotFound => None,
            Err(failure) => return Err(failure),
        };
        let namespace = namespace.into_data();
        Ok(Self { client, namespace_name, name, namespace, route, beside, revision })
    }

    /// The name of the route, for people.
    pub(super) fn title(&self) -> String {
        format!("{}/{}", self.namespace_name, self.name)
    }

    /// The name of the route beside it.
    pub(super) fn beside_name(&self) -> String {
        beside_name(&self.name)
    }

    /// The condition that the route beside has.
    pub(super) fn condition(&self) -> String {
        format!("#{TAG}:{}", self.name)
    }

    /// The tag that gives the canary its share, if there is one.
    pub(super) fn tag(&self) -> Option<ServerTag> {
        self.tags().find_map(|text| self.ours(text))
    }

    /// The route beside, of a route that has a canary.
    ///
    /// # Errors
    /// When it has none.
    pub(super) fn canary(&self) -> Result<&Value, Failure> {
        self.beside.as_ref().ok_or_else(|| {
            let message = format!("route {} has no canary", self.title());
            let help = format!("begin one with `dgate-cli canary start {}`", self.title());
            Failure::new(Exit::NotFound, message).with_help(help)
        })
    }

    /// Makes a change, all of it or none.
    ///
    /// # Errors
    /// When the server refuses it; among other reasons because something has changed meanwhile.
    pub(super) async fn apply(&self, step: Step, context: &Context) -> Result<Plan, Failure> {
        let mut resources: Vec<Value> =
            step.routes.into_iter().map(|route| written("route", route)).collect();
        let others = self.tags().filter(|text| self.ours(text).is_none()).map(str::to_owned);
        let tags: Vec<String> = others.chain(step.tag).collect();
        let mut namespace = written("namespace", self.namespace.clone());
        if let Some(fields) = namespace.as_object_mut() {
            if tags.is_empty() {
                fields.remove("server_tags");
            } else {
                fields.insert("server_tags".to_owned(), tags.into());
            }
        }
        resources.push(namespace);
        let mut body = json!({ "resources": resources, "message": step.message });
        if step.removes_beside {
            body["delete"] = json!([format!("route/{}/{}", self.namespace_name, self.beside_name())]);
        }
        if let Some(revision) = self.revision {
            body["expect_revision"] = revision.into();
        }
        self.client.post("/api/v1/apply").json(&body).send().await.map(|answer| Plan::of(answer, context))
    }

    /// The metrics of the server that is asked.
    pub(super) async fn metrics(&self) -> Result<String, Failure> {
        let answer = self.client.get("/metrics").send().await.map_err(|failure| {
            if failure.exit() != Exit::NotFound {
                return failure;
            }
            failure.with_help(
                "the server has `disable_metrics: true`; rates, errors and latencies come from there",
            )
        })?;
        Ok(String::from_utf8_lossy(&answer.bytes).into_owned())
    }

    fn tags(&self) -> impl Iterator<Item = &str> {
        self.namespace["server_tags"].as_array().into_iter().flatten().filter_map(Value::as_str)
    }

    fn ours(&self, text: &str) -> Option<ServerTag> {
        let tag = ServerTag::parse(text).ok()?;
        (&*tag.name == TAG && tag.value.as_deref() == Some(&*self.name) && tag.share.is_some()).then_some(tag)
    }
}

fn beside_name(route: &str) -> String {
    format!("{route}-canary")
}

/// A resource as it is written, without what the store knows of it.
fn written(kind: &str, mut resource: Value) -> Value {
    if let Some(fields) = resource.as_object_mut() {
        META.iter().for_each(|name| drop(fields.remove(*name)));
        fields.insert("kind".to_owned(), kind.into());
    }
    resource
}
