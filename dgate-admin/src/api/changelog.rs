//! What was changed, by whom, and how to undo it.

use std::collections::BTreeMap;
use std::sync::Arc;

use dgate_core::apply::{Change as Wish, ChangeSet};
use dgate_core::key::DEFAULT_NAMESPACE;
use dgate_core::store::{Changed, Entry, StoreError};
use dgate_core::stored::Revision;
use dgate_core::{Key, Kind};
use http::StatusCode;

use super::answer::Answer;
use super::apart::apart;
use super::call::Call;
use super::changes::{change, diff, outcome_of, plan};
use super::endpoint::Reply;
use super::failure::Failure;
use super::model::{BeforeAfter, ChangelogEntry, ChangelogSummary, Rollback};
use crate::auth::Identity;

/// How many entries are shown when nobody says.
const USUAL: usize = 50;
/// How many entries are shown at most.
const MOST: usize = 1_000;
/// How many entries are read at a time.
const PAGE: usize = 200;
/// The same for a page that is shown, which ends when it grows large.
const STEP: usize = 20;
/// From how many changes on a page is large.
const MOST_CHANGES: usize = 10_000;

/// `GET /changelog`
pub(crate) async fn list(call: Call) -> Reply {
    let limit = call.query.parsed("limit", "a number from 1 to 1000")?.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Failure::bad_request(format!("`limit` must be between 1 and {MOST}")));
    }
    let revision = call.state.live().revision;
    // Without a beginning, the latest ones.
    let since: Option<Revision> = call.query.parsed("since", "a revision")?;
    let since = since.unwrap_or_else(|| revision.saturating_sub(limit as Revision));
    let (entries, end) = page(&call, since, limit).await?;
    let next = end.filter(|end| *end < revision).map(|end| end.to_string());
    let who = call.who.clone();
    apart(move || {
        let shown = entries.iter().map(|entry| summary(&who, entry)).filter(is_worth_showing).collect();
        Answer::list(shown, next, revision).into_response()
    })
    .await
}

/// What comes after a revision, and the last one of it when there may be more. A page ends early when it grows large.
async fn page(
    call: &Call,
    since: Revision,
    limit: usize,
) -> Result<(Vec<Arc<Entry>>, Option<Revision>), Failure> {
    let (mut entries, mut after, mut changes) = (Vec::new(), since, 0);
    while entries.len() < limit && changes < MOST_CHANGES {
        let wanted = STEP.min(limit - entries.len());
        let found = call.state.context.store.history(after, wanted).await?;
        let is_last = found.len() < wanted;
        after = found.last().map_or(after, |entry| entry.revision);
        changes += found.iter().map(|entry| entry.changes.len()).sum::<usize>();
        entries.extend(found);
        if is_last {
            return Ok((entries, None));
        }
    }
    Ok((entries, Some(after)))
}

/// `GET /changelog/{revision}`
pub(crate) async fn get(call: Call) -> Reply {
    let entry = entry(&call).await?;
    let (state, who) = (call.state, call.who);
    apart(move || {
        let mut summary = summary(&who, &entry);
        let visible: Vec<_> = entry.changes.iter().filter(|changed| sees(&who, &changed.key)).collect();
        for (shown, changed) in summary.changes.iter_mut().zip(&visible) {
            shown.diff = diff(&state, changed);
        }
        let resources = visible.iter().map(|changed| BeforeAfter {
            resource: changed.key.to_string(),
            before: changed.before.as_ref().map(|stored| state.show(stored)),
            after: changed.after.as_ref().map(|stored| state.show(stored)),
        });
        let shown = ChangelogEntry { resources: resources.collect(), summary };
        Answer::new(shown, state.live().revision).into_response()
    })
    .await
}

/// `POST /changelog/{revision}/rollback`
pub(crate) async fn rollback(mut call: Call) -> Reply {
    if call.who.namespaces.is_some() {
        return Err(Failure::forbidden("a rollback changes all namespaces"));
    }
    let target = revision(&call)?;
    let wish: Rollback = match call.json() {
        Some(value) => dgate_core::decode(value)?,
        None => Rollback::default(),
    };
    let dry_run = call.query.flag("dry_run")?;
    let current = call.state.live().revision;
    if target > current {
        return Err(Failure::not_found(format!("revision {target}")));
    }
    if let Some(expected) = wish.expect_revision.filter(|expected| *expected != current) {
        return Err(StoreError::Conflict { expected, actual: current }.into());
    }
    let changes = undo(&call, target, current, wish.documents).await?;
    let message = wish.message.unwrap_or_else(|| format!("rollback to revision {target}"));
    let changes = ChangeSet {
        changes,
        dry_run,
        expect_revision: Some(current),
        author: call.author(Some(message)),
        ..ChangeSet::new()
    };
    let applied = call.state.context.applier.apply(changes).await?;
    let plan = plan(&call.state, &applied, dry_run);
    Ok(Answer::new(plan, applied.revision).warnings(applied.warnings).into_response())
}

/// What leads from the current revision back to another one.
async fn undo(
    call: &Call,
    target: Revision,
    current: Revision,
    documents: bool,
) -> Result<Vec<Wish>, Failure> {
    let mut first: BTreeMap<Key, Changed> = BTreeMap::new();
    let mut after = target;
    while after < current {
        let page = call.state.context.store.history(after, PAGE).await?;
        if page.first().is_none_or(|entry| entry.revision != after + 1) {
            let text = format!("the changelog does not go back to revision {target} any more");
            return Err(Failure::new(StatusCode::GONE, "gone", text));
        }
        after = page.last().map_or(after, |entry| entry.revision);
        first = apart(move || {
            for entry in &page {
                collect(&mut first, entry, documents);
            }
            first
        })
        .await?;
    }
    let wish = |(key, changed): (Key, Changed)| match changed.before {
        Some(before) => Some(Wish::Put(before.spec)),
        // It is there without being stored, and cannot go.
        None if key.kind == Kind::Namespace && *key.name == *DEFAULT_NAMESPACE => None,
        None => Some(Wish::Delete(key)),
    };
    Ok(first.into_iter().filter_map(wish).collect())
}

/// Keeps what a revision changed, unless something is kept already: the earliest change after the target knows what was
/// there at the target.
fn collect(first: &mut BTreeMap<Key, Changed>, entry: &Entry, documents: bool) {
    for changed in &entry.changes {
        if documents || changed.key.kind != Kind::Document || goes_with_its_collection(changed, entry) {
            first.entry(changed.key.clone()).or_insert_with(|| changed.clone());
        }
    }
}

/// Whether a document was deleted only because its collection was.
fn goes_with_its_collection(document: &Changed, entry: &Entry) -> bool {
    let collection = document.key.name.split_once('/').map(|(collection, _)| collection);
    document.after.is_none()
        && entry.changes.iter().any(|other| {
            other.after.is_none()
                && other.key.kind == Kind::Collection
                && other.key.namespace == document.key.namespace
                && Some(&*other.key.name) == collection
        })
}

fn revision(call: &Call) -> Result<Revision, Failure> {
    let text = call.segment("revision");
    text.parse().map_err(|_| Failure::bad_request(format!("`{text}` is no revision: it is a number")))
}

async fn entry(call: &Call) -> Result<Arc<Entry>, Failure> {
    let wanted = revision(call)?;
    let missing = || Failure::not_found(format!("revision {wanted} (in the changelog)"));
    let before = wanted.checked_sub(1).ok_or_else(missing)?;
    let found = call.state.context.store.history(before, 1).await?;
    let found = found.into_iter().find(|entry| entry.revision == wanted).ok_or_else(missing)?;
    let is_visible = found.changes.iter().any(|changed| sees(&call.who, &changed.key));
    is_visible.then_some(found).ok_or_else(missing)
}

/// Whether whoever calls may know of a resource.
pub(crate) fn sees(who: &Identity, key: &Key) -> bool {
    who.may_see(if key.kind == Kind::Namespace { &key.name } else { &key.namespace })
}

/// A revision in short, with what whoever calls may know of it.
pub(crate) fn summary(who: &Identity, entry: &Entry) -> ChangelogSummary {
    let visible = entry.changes.iter().filter(|changed| sees(who, &changed.key));
    ChangelogSummary {
        revision: entry.revision,
        at: entry.at,
        author: entry.author.clone(),
        changes: visible.map(|changed| change(&changed.key, outcome_of(changed))).collect(),
    }
}

/// Whether something is left of a revision for whoever calls.
pub(crate) fn is_worth_showing(summary: &ChangelogSummary) -> bool {
    !summary.changes.is_empty()
}
