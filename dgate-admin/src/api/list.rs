//! Lists of resources: filtered, page by page.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dgate_core::store::DocumentQuery;
use dgate_core::stored::StoredAny;
use dgate_core::{Key, Kind};

use super::answer::Answer;
use super::call::Call;
use super::endpoint::Reply;
use super::failure::Failure;

/// How many are listed when nobody says.
const USUAL: usize = 100;
/// How many are listed at most.
const MOST: usize = 1_000;
/// How many documents are read at a time while looking for those that fit.
const PAGE: usize = 500;

/// Which resources are wanted.
struct Filter<'q> {
    namespace: Option<&'q str>,
    collection: Option<&'q str>,
    tag: Option<&'q str>,
    /// A part of the name, in any case.
    text: Option<String>,
    after: Option<(String, String)>,
    limit: usize,
}

/// `GET /{kind}`
pub(crate) async fn list(call: Call) -> Reply {
    let filter = Filter::of(&call)?;
    if let Some(namespace) = filter.namespace {
        call.check_namespace(&Key::new(Kind::Namespace, "", namespace))?;
    }
    let revision = call.state.live().revision;
    let found = if call.kind() == Kind::Document {
        documents(&call, &filter).await?
    } else {
        resources(&call, &filter)
    };
    let more = found.len() > filter.limit;
    let next =
        more.then(|| found.get(filter.limit.saturating_sub(1)).map(|last| cursor(&last.key()))).flatten();
    let shown = found.iter().take(filter.limit).map(|stored| call.state.show(stored)).collect();
    Ok(Answer::list(shown, next, revision).into_response())
}

impl<'q> Filter<'q> {
    fn of(call: &'q Call) -> Result<Self, Failure> {
        let query = &call.query;
        let limit = query.parsed("limit", "a number from 1 to 1000")?.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(Failure::bad_request(format!("`limit` must be between 1 and {MOST}")));
        }
        Ok(Self {
            namespace: query.get("namespace"),
            collection: query.get("collection"),
            tag: query.get("tag"),
            text: query.get("q").map(str::to_lowercase),
            after: query.get("cursor").map(position).transpose()?,
            limit,
        })
    }

    fn fits(&self, key: &Key, stored: &StoredAny) -> bool {
        let tag = |wanted: &str| stored.spec.tags().iter().any(|tag| tag == wanted);
        self.tag.is_none_or(tag)
            && self.text.as_deref().is_none_or(|text| key.name.to_lowercase().contains(text))
    }

    fn comes_after(&self, key: &Key) -> bool {
        let place = (&*key.namespace, &*key.name);
        self.after.as_ref().is_none_or(|(namespace, name)| place > (namespace.as_str(), name.as_str()))
    }
}

/// One more than is wanted, if there are so many: who asks learns that there is more.
fn resources(call: &Call, filter: &Filter<'_>) -> Vec<StoredAny> {
    let live = call.state.live();
    let kind = call.kind();
    let of_namespaces = |(name, namespace, tables): (&Arc<str>, &Arc<_>, &dgate_core::stored::Tables)| {
        if !call.who.may_see(name) || filter.namespace.is_some_and(|wanted| *wanted != **name) {
            return Vec::new();
        }
        let namespace: &Arc<dgate_core::stored::Stored<dgate_core::resource::Namespace>> = namespace;
        if kind == Kind::Namespace { vec![namespace.erase()] } else { tables.of_kind(kind) }
    };
    let all = live.resources.namespaces().flat_map(of_namespaces);
    let fitting = all.filter(|stored| {
        let key = stored.key();
        filter.comes_after(&key) && filter.fits(&key, stored)
    });
    fitting.take(filter.limit + 1).collect()
}

async fn documents(call: &Call, filter: &Filter<'_>) -> Result<Vec<StoredAny>, Failure> {
    let mut found = Vec::new();
    for (namespace, collection) in collections(call, filter) {
        // Cursors are in the order of collections and identifiers, not of the texts that both make together.
        let mut after = None;
        if let Some((at, name)) = &filter.after {
            let (at_collection, at_id) = name.split_once('/').unwrap_or((name, ""));
            match (&*namespace, &*collection).cmp(&(at.as_str(), at_collection)) {
                std::cmp::Ordering::Less => continue,
                std::cmp::Ordering::Equal => after = Some(at_id.to_owned()),
                std::cmp::Ordering::Greater => {}
            }
        }
        loop {
            let query = DocumentQuery {
                namespace: namespace.clone(),
                collection: collection.clone(),
                prefix: String::new(),
                after: after.take(),
                limit: PAGE,
            };
            let page = call.state.context.store.documents(query).await?;
            let is_last = page.len() < PAGE;
            after = page.last().map(|document| document.spec.id.clone());
            for document in page {
                let stored = document.erase();
                if filter.fits(&stored.key(), &stored) {
                    found.push(stored);
                }
                if found.len() > filter.limit {
                    return Ok(found);
                }
            }
            if is_last {
                break;
            }
        }
    }
    Ok(found)
}

/// The collections whose documents are wanted.
fn collections(call: &Call, filter: &Filter<'_>) -> Vec<(Arc<str>, Arc<str>)> {
    let live = call.state.live();
    let mut found = Vec::new();
    for (namespace, _, tables) in live.resources.namespaces() {
        if call.who.may_see(namespace) && filter.namespace.is_none_or(|wanted| *wanted == **namespace) {
            let names = tables.collections.iter().map(|(name, _)| name);
            let wanted = names.filter(|name| filter.collection.is_none_or(|wanted| *wanted == ***name));
            found.extend(wanted.map(|name| (namespace.clone(), name.clone())));
        }
    }
    found
}

fn cursor(key: &Key) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}\0{}", key.namespace, key.name))
}

fn position(cursor: &str) -> Result<(String, String), Failure> {
    let text = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let parts = text.as_deref().and_then(|text| text.split_once('\0'));
    let (namespace, name) =
        parts.ok_or_else(|| Failure::bad_request("`cursor` is none that this server has given out"))?;
    Ok((namespace.to_owned(), name.to_owned()))
}
