//! Everything that is configured, in the form of a configuration file.

use dgate_core::Kind;
use dgate_core::store::DocumentQuery;
use dgate_core::stored::StoredAny;
use serde_json::{Map, Value};

use super::answer::Answer;
use super::call::Call;
use super::endpoint::Reply;

/// How many documents are read at a time.
const PAGE: usize = 1_000;

/// `GET /export`
pub(crate) async fn export(call: Call) -> Reply {
    let (namespace, owner) = (call.query.get("namespace"), call.query.get("owner"));
    if let Some(namespace) = namespace {
        call.check_namespace(&dgate_core::Key::new(Kind::Namespace, "", namespace))?;
    }
    let with_documents = call.query.flag("documents")?;
    let live = call.state.live();
    let mut lists: Map<String, Value> = Map::new();
    lists.insert("version".to_owned(), "v1".into());
    let mut add = |stored: &StoredAny| {
        // The namespace `default` is there without being stored.
        let is_implicit = stored.meta.revision == 0;
        if is_implicit || owner.is_some_and(|owner| stored.meta.owner.as_deref() != Some(owner)) {
            return;
        }
        let list = lists.entry(stored.spec.kind().plural()).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(call.state.show_spec(stored));
        }
    };
    for (name, stored, tables) in live.resources.namespaces() {
        if !call.who.may_see(name) || namespace.is_some_and(|wanted| *wanted != **name) {
            continue;
        }
        add(&stored.erase());
        tables.iter().for_each(|stored| add(&stored));
        if with_documents {
            for (collection, _) in tables.collections.iter() {
                let mut after = None;
                loop {
                    let query = DocumentQuery {
                        namespace: name.clone(),
                        collection: collection.clone(),
                        prefix: String::new(),
                        after: after.take(),
                        limit: PAGE,
                    };
                    let page = call.state.context.store.documents(query).await?;
                    page.iter().for_each(|document| add(&document.erase()));
                    if page.len() < PAGE {
                        break;
                    }
                    after = page.last().map(|document| document.spec.id.clone());
                }
            }
        }
    }
    Ok(Answer::new(lists, live.revision).tagged(live.revision).into_response())
}
