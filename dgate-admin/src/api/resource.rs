//! Reads and writes of one resource, whatever its kind.

use dgate_core::apply::{Applied, Change, ChangeSet, Outcome};
use dgate_core::{Key, Kind, with_kind};
use http::{Response, StatusCode};
use serde_json::Value;

use super::answer::Answer;
use super::call::Call;
use super::changes::plan;
use super::endpoint::Reply;
use super::etag::{etag, expected, is_known};
use super::failure::Failure;
use super::model::{Deleted, Named, NamedDocument, NamedNamespace};
use super::written;
use crate::auth::Role;
use crate::diff::merge;

/// `GET /{kind}/{namespace}/{name}`
pub(crate) async fn get(call: Call) -> Reply {
    let key = call.key();
    call.check_namespace(&key)?;
    let revision = call.state.live().revision;
    let stored = call.state.find(&key).await?.ok_or_else(|| Failure::not_found(&key))?;
    if is_known(&call.parts.headers, stored.meta.revision) {
        let mut response = Response::new(axum::body::Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response.headers_mut().insert(http::header::ETAG, etag(stored.meta.revision));
        return Ok(response);
    }
    Ok(Answer::new(call.state.show(&stored), revision).tagged(stored.meta.revision).into_response())
}

/// `PUT /{kind}/{namespace}/{name}`
pub(crate) async fn put(mut call: Call) -> Reply {
    let key = call.key();
    let mut value = call.some_json()?;
    written::identify(&mut value, &key)?;
    write(call, value).await
}

/// `PUT` or `POST /{kind}`, with the name in the body
pub(crate) async fn put_named(mut call: Call) -> Reply {
    let value = call.some_json()?;
    write(call, value).await
}

/// `PATCH /{kind}/{namespace}/{name}`
pub(crate) async fn patch(mut call: Call) -> Reply {
    let key = call.key();
    call.check_namespace(&key)?;
    let mut patch = call.some_json()?;
    let Value::Object(fields) = &mut patch else {
        return Err(Failure::bad_request("a merge patch (RFC 7396) for a resource is an object"));
    };
    written::READ_ONLY.iter().for_each(|name| drop(fields.remove(*name)));
    let stored = call.state.find(&key).await?.ok_or_else(|| Failure::not_found(&key))?;
    with_kind!(key.kind, R => dgate_core::decode::canonicalize::<R>(&mut patch))?;
    let mut value = serde_json::to_value(&stored.spec).unwrap_or_default();
    merge(&mut value, patch);
    written::identify(&mut value, &key)?;
    let resource = written::reveal(&call.state, key.kind, value, Some(&stored))?;
    let mut expect = expected(&call.parts.headers, &key)?;
    // Between reading and writing somebody else may have changed it: what was merged would undo that.
    expect.push((key.clone(), dgate_core::apply::Expect::Revision(stored.meta.revision)));
    let changes = ChangeSet { changes: vec![Change::Put(resource)], expect, ..ChangeSet::new() };
    change_one(call, key, changes).await
}

/// `DELETE /{kind}/{namespace}/{name}`
pub(crate) async fn delete(call: Call) -> Reply {
    let key = call.key();
    delete_key(call, key).await
}

/// `DELETE /{kind}`, with the name in the body
pub(crate) async fn delete_named(mut call: Call) -> Reply {
    let kind = call.kind();
    let default = || dgate_core::key::DEFAULT_NAMESPACE.to_owned();
    let key = match kind {
        Kind::Namespace => Key::new(kind, "", call.read::<NamedNamespace>()?.name),
        Kind::Document => {
            let NamedDocument { id, collection, namespace } = call.read()?;
            Key::new(kind, namespace.unwrap_or_else(default), format!("{collection}/{id}"))
        }
        kind => {
            let Named { name, namespace } = call.read()?;
            Key::new(kind, namespace.unwrap_or_else(default), name)
        }
    };
    delete_key(call, key).await
}

async fn write(call: Call, value: Value) -> Reply {
    let resource = written::resource(&call.state, call.kind(), value).await?;
    let key = resource.key();
    let expect = expected(&call.parts.headers, &key)?;
    let changes = ChangeSet { changes: vec![Change::Put(resource)], expect, ..ChangeSet::new() };
    change_one(call, key, changes).await
}

async fn change_one(call: Call, key: Key, changes: ChangeSet) -> Reply {
    let dry_run = call.query.flag("dry_run")?;
    let applied = apply(&call, &key, ChangeSet { dry_run, ..changes }).await?;
    if dry_run {
        let plan = plan(&call.state, &applied, true);
        return Ok(Answer::new(plan, applied.revision).warnings(applied.warnings).into_response());
    }
    let is_new = applied.outcomes.iter().any(|(_, outcome)| *outcome == Outcome::Created);
    let stored = match applied.changes.iter().find(|changed| changed.key == key) {
        Some(changed) => changed.after.clone(),
        None => call.state.find(&key).await?,
    };
    // Somebody else may have deleted it meanwhile; it was there all the same.
    let stored = stored.ok_or_else(|| Failure::conflict(format!("{key} was deleted meanwhile")))?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let answer = Answer::new(call.state.show(&stored), applied.revision).tagged(stored.meta.revision);
    Ok(answer.status(status).warnings(applied.warnings).into_response())
}

async fn delete_key(call: Call, key: Key) -> Reply {
    let (dry_run, cascade) = (call.query.flag("dry_run")?, call.query.flag("cascade")?);
    call.check_namespace(&key)?;
    let expect = expected(&call.parts.headers, &key)?;
    if expect.is_empty() && call.state.find(&key).await?.is_none() {
        return Err(Failure::not_found(&key));
    }
    let changes = ChangeSet {
        changes: vec![Change::Delete(key.clone())],
        expect,
        dry_run,
        cascade,
        ..ChangeSet::new()
    };
    let applied = apply(&call, &key, changes).await.map_err(|failure| match failure.status() {
        // What is wrong is not the request, but what else is there.
        StatusCode::UNPROCESSABLE_ENTITY => failure.with_status(StatusCode::CONFLICT, "in_use"),
        _ => failure,
    })?;
    if dry_run {
        let plan = plan(&call.state, &applied, true);
        return Ok(Answer::new(plan, applied.revision).warnings(applied.warnings).into_response());
    }
    if applied.outcomes.is_empty() {
        return Err(Failure::not_found(&key));
    }
    let deleted = applied.outcomes.iter().map(|(key, _)| key.to_string()).collect();
    Ok(Answer::new(Deleted { deleted }, applied.revision).warnings(applied.warnings).into_response())
}

/// Applies a change of one resource by whoever asks for it.
async fn apply(call: &Call, key: &Key, changes: ChangeSet) -> Result<Applied, Failure> {
    call.check_namespace(key)?;
    if key.kind == Kind::Namespace && call.who.role < Role::Admin {
        return Err(Failure::forbidden("namespaces are changed by the role `admin` only"));
    }
    let message = call.query.get("message").map(str::to_owned);
    let changes = ChangeSet { author: call.author(message), within: call.who.namespaces.clone(), ..changes };
    Ok(call.state.context.applier.apply(changes).await?)
}
