//! `ctx`.

mod values;

use std::rc::Rc;

use boa_engine::{Context, JsData, JsError, JsNativeError, JsObject, JsResult, JsString, JsValue};
use boa_gc::{Finalize, GcRefCell, Trace};
use dgate_core::pattern::normalize::decode;
use dgate_core::resource::EnvValue;
use serde_json::{Map, Value, json};

use super::define::{Member, prototype as define};
use super::query::{self, QueryData};
use super::state::RequestState;
use super::{prototypes, request, response, upstream};
use crate::engine::host::Host;
use crate::engine::values::{argument, latin1, needs};

/// What is behind a `ctx`.
#[derive(Trace, Finalize, JsData)]
pub(in crate::engine) struct ContextData {
    #[unsafe_ignore_trace]
    pub(super) state: Rc<RequestState>,
    request: GcRefCell<Option<JsObject>>,
    response: GcRefCell<Option<JsObject>>,
    upstream: GcRefCell<Option<JsObject>>,
    query: GcRefCell<Option<JsObject>>,
    /// Values that hooks share and that only the engine has.
    values: GcRefCell<Vec<(JsString, JsValue)>>,
    /// Whose `env` it shows.
    #[unsafe_ignore_trace]
    module: usize,
    /// The first `ctx` of the request, which holds everything that its modules share.
    first: Option<JsObject>,
}

impl ContextData {
    /// The query, when the module wrote to it.
    pub(super) fn changed_query(&self) -> Option<String> {
        let query = self.query.borrow().clone()?;
        let data = query.downcast_ref::<QueryData>()?;
        data.take_changed()
    }

    fn own(slot: &GcRefCell<Option<JsObject>>, make: impl FnOnce() -> JsObject) -> JsObject {
        if let Some(known) = &*slot.borrow() {
            return known.clone();
        }
        let object = make();
        *slot.borrow_mut() = Some(object.clone());
        object
    }
}

/// A new `ctx`.
pub(in crate::engine) fn context_object(
    state: Rc<RequestState>,
    module: usize,
    context: &mut Context,
) -> JsObject {
    make(state, module, None, context)
}

/// The same request's `ctx` for a module: no module sees the `env` of another, not even later.
pub(in crate::engine) fn context_for(first: &JsObject, module: usize, context: &mut Context) -> JsObject {
    let state = match first.downcast_ref::<ContextData>() {
        Some(data) if data.module != module => data.state.clone(),
        _ => return first.clone(),
    };
    make(state, module, Some(first.clone()), context)
}

fn make(state: Rc<RequestState>, module: usize, first: Option<JsObject>, context: &Context) -> JsObject {
    let data = ContextData {
        state,
        request: GcRefCell::default(),
        response: GcRefCell::default(),
        upstream: GcRefCell::default(),
        query: GcRefCell::default(),
        values: GcRefCell::default(),
        module,
        first,
    };
    prototypes(context).context.instance(data)
}

pub(super) fn prototype(context: &mut Context) -> JsResult<JsObject> {
    define(
        &[
            Member::Get("id", |this, _, _| {
                with(this, |data| latin1(data.state.info.id.as_header().as_bytes()).into())
            }),
            Member::Get("env", env),
            Member::Method("namespace", 0, |this, _, context| json_of(this, namespace, context)),
            Member::Method("route", 0, |this, _, context| json_of(this, route, context)),
            Member::Method("service", 0, |this, _, context| json_of(this, service, context)),
            Member::Method("pathParam", 1, path_parameter),
            Member::Method("pathParams", 0, |this, _, context| json_of(this, path_parameters, context)),
            Member::Method("domainParam", 1, domain_parameter),
            Member::Method("domainParams", 0, |this, _, context| json_of(this, domain_parameters, context)),
            Member::Method("query", 0, |this, _, context| Ok(query_object(this, context)?.into())),
            Member::Method("set", 2, values::set),
            Member::Method("get", 1, values::get),
            Member::Method("tags", 0, |this, _, context| json_of(this, tags, context)),
            Member::Method("node", 0, |_, _, context| {
                let node = Host::of(context).capabilities.node.to_json();
                JsValue::from_json(&node, context)
            }),
            Member::Method("request", 0, |this, _, context| {
                let owner = shared(this)?;
                let data = owner.downcast_ref::<ContextData>().ok_or_else(foreign)?;
                let make = || request::object(&data.state, owner.clone(), &prototypes(context).request);
                Ok(ContextData::own(&data.request, make).into())
            }),
            Member::Method("response", 0, |this, _, context| {
                let make = |data: &ContextData| response::object(&data.state, &prototypes(context).response);
                with(this, |data| ContextData::own(&data.response, || make(data)).into())
            }),
            Member::Method("upstream", 0, |this, _, context| {
                let make = |data: &ContextData| upstream::object(&data.state, &prototypes(context).upstream);
                let object = with(this, |data| {
                    let answered = data.state.exchange()?.upstream.is_some();
                    Ok::<_, JsError>(answered.then(|| ContextData::own(&data.upstream, || make(data))))
                })??;
                Ok(object.map_or(JsValue::null(), JsValue::from))
            }),
            Member::Method("toJSON", 0, |this, _, context| json_of(this, whole, context)),
        ],
        context,
    )
}

/// Works on what is behind a `ctx`, the same for all modules of a request.
pub(super) fn with<R>(this: &JsValue, work: impl FnOnce(&ContextData) -> R) -> JsResult<R> {
    let object = shared(this)?;
    let data = object.downcast_ref::<ContextData>().ok_or_else(foreign)?;
    Ok(work(&data))
}

/// The module that a `ctx` was made for.
pub(super) fn module_of(this: &JsValue) -> JsResult<usize> {
    let object = this.as_object().ok_or_else(foreign)?;
    let module = object.downcast_ref::<ContextData>().ok_or_else(foreign)?.module;
    Ok(module)
}

/// The first `ctx` of the request.
fn shared(this: &JsValue) -> JsResult<JsObject> {
    let object = this.as_object().ok_or_else(foreign)?;
    let first = object.downcast_ref::<ContextData>().ok_or_else(foreign)?.first.clone();
    Ok(first.unwrap_or(object))
}

fn foreign() -> JsNativeError {
    JsNativeError::typ().with_message("this is no `ctx`")
}

fn json_of(this: &JsValue, make: fn(&RequestState) -> Value, context: &mut Context) -> JsResult<JsValue> {
    let value = with(this, |data| make(&data.state))?;
    JsValue::from_json(&value, context)
}

/// The object of the query, one for `ctx.query()` and `ctx.request().query`.
pub(super) fn query_object(this: &JsValue, context: &mut Context) -> JsResult<JsObject> {
    with(this, |data| {
        if let Some(known) = &*data.query.borrow() {
            return Ok(known.clone());
        }
        let text = data.state.request(|part| part.head.uri.query().unwrap_or_default().to_owned())?;
        let object = query::of_text(&text, &prototypes(context).query);
        *data.query.borrow_mut() = Some(object.clone());
        Ok(object)
    })?
}

/// The request has another query now.
pub(super) fn forget_query(context: &JsObject) {
    if let Some(data) = context.downcast_ref::<ContextData>() {
        *data.query.borrow_mut() = None;
    }
}

fn env(this: &JsValue, _: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let index = module_of(this)?;
    let state = with(this, |data| data.state.clone())?;
    let secrets = &state.info.matched.namespace.resources.secrets;
    let host = Host::of(context);
    let object = JsObject::with_object_proto(context.intrinsics());
    for (key, value) in &host.program.modules[index].env {
        let value = match value {
            EnvValue::Text(text) => Some(text.as_str()),
            EnvValue::Secret(name) => secrets.get(name).map(|secret| secret.spec.data.as_str()),
        };
        if let Some(value) = value {
            object.create_data_property_or_throw(
                JsString::from(key.as_str()),
                JsString::from(value),
                context,
            )?;
        }
    }
    Ok(object.into())
}

fn namespace(state: &RequestState) -> Value {
    let matched = &state.info.matched;
    json!({ "name": *matched.namespace.name })
}

fn route(state: &RequestState) -> Value {
    let spec = &state.info.matched.route.spec.spec;
    json!({
        "name": spec.name, "namespace": spec.namespace, "paths": spec.paths, "methods": spec.methods,
        "service": spec.service, "modules": spec.modules, "tags": spec.tags,
        "stripPath": spec.strip_path, "preserveHost": spec.preserve_host,
    })
}

fn service(state: &RequestState) -> Value {
    let matched = &state.info.matched;
    let name = matched.route.spec.spec.service.as_deref();
    let Some(service) = name.and_then(|name| matched.namespace.services().by_name(name)) else {
        return Value::Null;
    };
    let spec = &service.spec.spec;
    let urls: Vec<String> = service
        .urls
        .iter()
        .map(|url| format!("{}://{}{}", url.scheme.as_str(), url.authority(), url.path))
        .collect();
    json!({
        "name": spec.name, "namespace": spec.namespace, "urls": urls, "retries": spec.retries,
        "tags": spec.tags,
    })
}

fn path_parameters(state: &RequestState) -> Value {
    let parameters = state.info.matched.path_parameters();
    Value::Object(parameters.map(|(name, value)| (name.to_owned(), decode(value).into())).collect())
}

fn domain_parameters(state: &RequestState) -> Value {
    let parameters = state.info.matched.domain_parameters.iter();
    Value::Object(parameters.map(|(name, value)| (name.to_string(), (**value).into())).collect())
}

fn tags(state: &RequestState) -> Value {
    state.info.tags.texts().into()
}

fn whole(state: &RequestState) -> Value {
    let mut all = Map::new();
    all.insert("id".into(), state.info.id.as_str().into());
    all.insert("namespace".into(), namespace(state));
    all.insert("route".into(), route(state));
    all.insert("service".into(), service(state));
    all.insert("pathParams".into(), path_parameters(state));
    all.insert("domainParams".into(), domain_parameters(state));
    Value::Object(all)
}

fn path_parameter(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    needs("pathParam", &["name"], arguments)?;
    let name = argument(arguments, 0).to_string(context)?.to_std_string_lossy();
    with(this, |data| {
        let value = data.state.info.matched.path_parameter(&name);
        value.map_or(JsValue::undefined(), |value| JsString::from(&*decode(value)).into())
    })
}

fn domain_parameter(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    needs("domainParam", &["name"], arguments)?;
    let name = argument(arguments, 0).to_string(context)?.to_std_string_lossy();
    with(this, |data| {
        let value = data.state.info.matched.domain_parameter(&name);
        value.map_or(JsValue::undefined(), |value| JsString::from(value).into())
    })
}
