//! `dgate/state`: documents and collections of the namespace.

use std::sync::Arc;

use boa_engine::{Context, JsNativeError, JsObject, JsResult, JsValue, js_string};
use dgate_core::apply::{ApplyError, ChangeSet};
use dgate_core::capability::Documents;
use dgate_core::resource::{Collection, Document};
use dgate_core::store::{Author, DocumentQuery, StoreError};
use dgate_core::stored::Stored;
use dgate_core::{Key, Kind};
use serde_json::{Value, json};

use super::system::unavailable;
use super::{Function, field, granted, ttl, whole};
use crate::engine::api::body::settled;
use crate::engine::depth::json;
use crate::engine::host::Host;
use crate::engine::ops::{self, Outcome, named_error};
use crate::engine::values::{argument, needs, optional_text, text};

const READ: &str = "resource:document:read";
const WRITE: &str = "resource:document:write";
/// How many documents are listed when no limit is given, and at most.
const PAGE: usize = 100;
const LARGEST_PAGE: usize = 1_000;
/// How often a write that others overtook is tried again.
const ATTEMPTS: usize = 16;

pub(super) fn function(export: &str) -> Option<Function> {
    Some(match export {
        "getDocument" => get_document,
        "getDocuments" => get_documents,
        "addDocument" => add_document,
        "deleteDocument" => delete_document,
        "getCollection" => get_collection,
        "addCollection" => add_collection,
        "deleteCollection" => delete_collection,
        _ => return None,
    })
}

fn documents(context: &Context) -> JsResult<(Arc<dyn Documents>, Arc<str>)> {
    let host = Host::of(context);
    let documents = host.capabilities.documents.get().cloned().ok_or_else(|| unavailable("store"))?;
    Ok((documents, host.program.namespace.clone()))
}

fn key(namespace: &Arc<str>, collection: &str, id: &str) -> Key {
    Key::new(Kind::Document, namespace.clone(), format!("{collection}/{id}"))
}

/// A document as modules see it.
fn to_json(document: &Stored<Document>) -> Value {
    let (spec, meta) = (&document.spec, &document.meta);
    json!({
        "id": spec.id, "namespace": spec.namespace, "collection": spec.collection, "data": spec.data,
        "revision": meta.revision,
        "createdAt": meta.created_at.to_string(), "updatedAt": meta.updated_at.to_string(),
    })
}

fn get_document(importer: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let id = text(&argument(arguments, 0), context)?;
    let collection = text(&argument(arguments, 1), context)?;
    let _granted = granted(importer, READ, Some(&collection), context)?;
    let (documents, namespace) = documents(context)?;
    let found = documents.document(key(&namespace, &collection, &id));
    ops::promise(
        async move {
            let found = found.await;
            Box::new(move |context: &mut Context| match found {
                Ok(Some(document)) => JsValue::from_json(&to_json(&document), context),
                Ok(None) => Ok(JsValue::null()),
                Err(error) => Err(JsNativeError::error().with_message(error.to_string()).into()),
            }) as Outcome
        },
        context,
    )
}

fn get_documents(importer: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let options = argument(arguments, 0).to_object(context)?;
    let collection = field("getDocuments", &options, "collection", context)?;
    let _granted = granted(importer, READ, Some(&collection), context)?;
    let limit = whole(&options, "limit", context)?.map_or(PAGE, |limit| limit as usize).min(LARGEST_PAGE);
    let offset = whole(&options, "offset", context)?.unwrap_or(0) as usize;
    let prefix = optional_text(&options.get(js_string!("prefix"), context)?, context)?.unwrap_or_default();
    let after = optional_text(&options.get(js_string!("after"), context)?, context)?;
    let (documents, namespace) = documents(context)?;
    let query = DocumentQuery {
        namespace,
        collection: collection.into(),
        prefix,
        after,
        limit: limit.saturating_add(offset.min(LARGEST_PAGE * 100)),
    };
    let found = documents.documents(query);
    ops::promise(
        async move {
            let found = found.await;
            Box::new(move |context: &mut Context| {
                let found = found.map_err(|error| JsNativeError::error().with_message(error.to_string()))?;
                let page: Vec<Value> =
                    found.iter().skip(offset).take(limit).map(|document| to_json(document)).collect();
                JsValue::from_json(&page.into(), context)
            }) as Outcome
        },
        context,
    )
}

/// A change set in the name of a module.
fn change(context: &Context, importer: usize) -> ChangeSet {
    let host = Host::of(context);
    let mut change = ChangeSet::new();
    change.author = Author {
        request_id: host.current().map(|call| call.state.info.id.to_string()),
        ..Author::internal(format!("module/{}", host.program.modules[importer].name))
    };
    change
}

/// What a written document has to be, to be replaced.
#[derive(Clone, Copy)]
enum Expected {
    Anything,
    Revision(u64),
}

/// Applies a change; with a revision only if the document still has it (0: is not there).
async fn apply(
    documents: Arc<dyn Documents>,
    key: Key,
    change: ChangeSet,
    expected: Expected,
) -> Result<u64, (&'static str, String)> {
    let failed = |error: &dyn std::fmt::Display| ("Error", error.to_string());
    let Expected::Revision(wanted) = expected else {
        return documents.apply(change).await.map(|a| a.revision).map_err(|error| failed(&error));
    };
    for _ in 0..ATTEMPTS {
        let at = documents.revision();
        let now = documents.document(key.clone()).await.map_err(|error| failed(&error))?;
        let now = now.map_or(0, |document| document.meta.revision);
        if now != wanted {
            return Err(("ConflictError", format!("the document is at revision {now}, not at {wanted}")));
        }
        let mut change = change.clone();
        change.expect_revision = Some(at);
        match documents.apply(change).await {
            Ok(applied) => return Ok(applied.revision),
            // Somebody changed something, perhaps something else.
            Err(ApplyError::Store(StoreError::Conflict { .. })) => {}
            Err(error) => return Err(failed(&error)),
        }
    }
    Err(("ConflictError", "the configuration changes too fast".to_owned()))
}

fn applied(
    documents: Arc<dyn Documents>,
    key: Key,
    change: ChangeSet,
    expected: Expected,
    context: &mut Context,
) -> JsResult<JsValue> {
    ops::promise(
        async move {
            let applied = apply(documents, key, change, expected).await;
            Box::new(move |context: &mut Context| match applied {
                Ok(revision) => {
                    let object = JsObject::with_object_proto(context.intrinsics());
                    object.create_data_property_or_throw(js_string!("revision"), revision as f64, context)?;
                    Ok(object.into())
                }
                Err((name, message)) => Err(named_error(name, &message, context)),
            }) as Outcome
        },
        context,
    )
}

fn expected(options: &JsObject, context: &mut Context) -> JsResult<Expected> {
    let revision = whole(options, "revision", context)?;
    Ok(revision.map_or(Expected::Anything, Expected::Revision))
}

fn add_document(importer: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let options = argument(arguments, 0).to_object(context)?;
    let collection = field("addDocument", &options, "collection", context)?;
    let _granted = granted(importer, WRITE, Some(&collection), context)?;
    let id = field("addDocument", &options, "id", context)?;
    let data = options.get(js_string!("data"), context)?;
    needs("addDocument", &["data?"], std::slice::from_ref(&data))?;
    let data = json(&data, context)?;
    let ttl = ttl(&options.clone().into(), context)?;
    let expected = expected(&options, context)?;
    let (documents, namespace) = documents(context)?;
    let key = key(&namespace, &collection, &id);
    let document =
        Document { id, namespace: namespace.to_string(), collection, data, ttl: ttl.map(Into::into) };
    let change = change(context, importer).put(document);
    applied(documents, key, change, expected, context)
}

fn delete_document(importer: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let options = argument(arguments, 0).to_object(context)?;
    let collection = field("deleteDocument", &options, "collection", context)?;
    let _granted = granted(importer, WRITE, Some(&collection), context)?;
    let id = field("deleteDocument", &options, "id", context)?;
    let expected = expected(&options, context)?;
    let (documents, namespace) = documents(context)?;
    let key = key(&namespace, &collection, &id);
    let change = change(context, importer).delete(key.clone());
    applied(documents, key, change, expected, context)
}

fn get_collection(importer: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let name = text(&argument(arguments, 0), context)?;
    let _granted = granted(importer, "resource:collection:read", Some(&name), context)?;
    let call = Host::of(context).current().ok_or_else(|| {
        JsNativeError::error().with_message("collections are at hand only while a hook runs")
    })?;
    let collections = &call.state.info.matched.namespace.resources.collections;
    let found = match collections.get(&name) {
        Some(found) => {
            let json = serde_json::to_value(&*found.spec).unwrap_or(Value::Null);
            JsValue::from_json(&json, context)?
        }
        None => JsValue::null(),
    };
    settled(Ok(found), context)
}

fn add_collection(importer: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let value = argument(arguments, 0);
    let (documents, namespace) = documents(context)?;
    let mut json = json(&value, context)?;
    if let Some(object) = json.as_object_mut() {
        object.insert("namespace".to_owned(), namespace.to_string().into());
    }
    let collection: Collection = serde_json::from_value(json)
        .map_err(|error| JsNativeError::typ().with_message(format!("this is no collection: {error}")))?;
    let _granted = granted(importer, "resource:collection:write", Some(&collection.name), context)?;
    let key = Key::new(Kind::Collection, namespace, collection.name.clone());
    let change = change(context, importer).put(collection);
    applied(documents, key, change, Expected::Anything, context)
}

fn delete_collection(importer: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let value = argument(arguments, 0);
    let name = match value.as_object() {
        Some(object) => object.get(js_string!("name"), context)?,
        None => value,
    };
    let name = text(&name, context)?;
    let _granted = granted(importer, "resource:collection:write", Some(&name), context)?;
    let (documents, namespace) = documents(context)?;
    let key = Key::new(Kind::Collection, namespace, name);
    let change = change(context, importer).delete(key.clone()).cascade();
    applied(documents, key, change, Expected::Anything, context)
}
