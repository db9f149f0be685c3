//! Wishes on their way to the server, and what it says of them.

use serde_json::{Value, json};

use super::source::Wishes;
use crate::commands::plan::Plan;
use crate::context::Context;
use crate::failure::{Detail, Failure};
use crate::output::with_progress;

/// How wishes are meant.
#[derive(Debug, Clone, Default)]
pub(super) struct Meant {
    /// Whether what the same owner made and no longer lists is deleted.
    pub(super) sync: bool,
    pub(super) owner: Option<String>,
    pub(super) cascade: bool,
    pub(super) dry_run: bool,
    pub(super) message: Option<String>,
    pub(super) expect_revision: Option<u64>,
}

/// Sends wishes, and returns what has become of them, or would.
pub(super) async fn send(context: &Context, wishes: &Wishes, meant: &Meant) -> Result<Plan, Failure> {
    let client = context.client()?;
    let mut body = json!({
        "resources": wishes.resources.iter().map(with_kind).collect::<Vec<_>>(),
        "mode": if meant.sync { "sync" } else { "apply" },
        "dry_run": meant.dry_run,
    });
    for (name, value) in [
        ("owner", meant.owner.clone().map(Value::from)),
        ("message", meant.message.clone().map(Value::from)),
        ("expect_revision", meant.expect_revision.map(Value::from)),
        ("cascade", meant.cascade.then_some(Value::Bool(true))),
    ] {
        if let Some(value) = value {
            body[name] = value;
        }
    }
    let what = format!("{} resources", wishes.resources.len());
    let answer = with_progress(&what, client.post("/api/v1/apply").json(&body).send()).await;
    answer.map(|answer| Plan::of(answer, context)).map_err(|failure| with_places(failure, wishes))
}

fn with_kind(wish: &super::source::Wish) -> Value {
    let mut value = wish.value.clone();
    value["kind"] = wish.kind.as_str().into();
    value
}

/// Says of each problem in which file and line it stands.
fn with_places(mut failure: Failure, wishes: &Wishes) -> Failure {
    for detail in &mut failure.details {
        let Some(index) = index_of(detail, wishes) else { continue };
        if let Some(rest) = detail.pointer.strip_prefix(&format!("/resources/{index}")) {
            detail.pointer = rest.to_owned();
            detail.resource = wishes.name(index);
        }
        detail.file = wishes.place(index, &detail.pointer, &detail.message);
    }
    failure
}

/// Which resource a problem is about: the server names it, or points into the list that it was sent.
fn index_of(detail: &Detail, wishes: &Wishes) -> Option<usize> {
    if detail.resource.is_empty() {
        return detail.pointer.strip_prefix("/resources/")?.split('/').next()?.parse().ok();
    }
    wishes.find(&detail.resource)
}
