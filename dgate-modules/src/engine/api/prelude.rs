//! `prelude.js` and what it borrows.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use boa_engine::object::builtins::{
    JsArray, JsArrayBuffer, JsDataView, JsDate, JsFunction, JsMap, JsPromise, JsRegExp, JsSet, JsTypedArray,
};
use boa_engine::property::PropertyDescriptor;
use boa_engine::{
    Context, JsData, JsError, JsNativeError, JsObject, JsResult, JsString, JsValue, Source, js_string,
};
use boa_gc::{Finalize, Trace};
use bytes::Bytes;
use dgate_core::Body;

use super::body::{self, Form};
use super::context;
use super::define::{self, Member};
use super::{harden, prototypes};
use crate::engine::call::Call;
use crate::engine::host::Host;
use crate::engine::ops::{self, Outcome, named_error};
use crate::engine::values::{argument, array_buffer, buffer_bytes, bytes, text};
use crate::exchange::DraftBody;
use crate::hook::Hook;

/// Globals that come from the prelude.
const LAZY: [(&str, define::Native); 7] = [
    ("AbortController", |_, _, context| member("AbortController", context)),
    ("AbortSignal", |_, _, context| member("AbortSignal", context)),
    ("Buffer", |_, _, context| member("Buffer", context)),
    ("DOMException", |_, _, context| member("DOMException", context)),
    ("Request", |_, _, context| member("Request", context)),
    ("Response", |_, _, context| member("Response", context)),
    ("structuredClone", |_, _, context| member("structuredClone", context)),
];

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let realm = context.realm().clone();
    for (name, get) in LAZY {
        let get = boa_engine::NativeFunction::from_fn_ptr(get).to_js_function(&realm);
        let descriptor = PropertyDescriptor::builder().get(get).enumerable(false).configurable(false);
        context.global_object().define_property_or_throw(JsString::from(name), descriptor, context)?;
    }
    Ok(())
}

/// A member of the prelude, which is evaluated if it was not yet.
pub(super) fn member(name: &str, context: &mut Context) -> JsResult<JsValue> {
    let known = prototypes(context).prelude.get().cloned();
    let prelude = match known {
        Some(prelude) => prelude,
        None => {
            // Not on the module's account.
            let began = Instant::now();
            let make = context.eval(Source::from_bytes(include_str!("prelude.js")))?;
            let native = lent(context)?;
            let made = make
                .as_callable()
                .ok_or_else(|| JsNativeError::error().with_message("the prelude is a function"))?
                .call(&JsValue::undefined(), &[native.into()], context)?
                .to_object(context)?;
            harden::freeze_all(vec![made.clone()], context)?;
            let _ = prototypes(context).prelude.set(made.clone());
            Host::of(context).forgive(began.elapsed());
            made
        }
    };
    prelude.get(JsString::from(name), context)
}

/// A function of the prelude.
pub(super) fn function(name: &str, context: &mut Context) -> JsResult<JsFunction> {
    let function = member(name, context)?.as_function();
    function.ok_or_else(|| JsNativeError::error().with_message("the prelude is incomplete").into())
}

/// A `DOMException`.
pub(super) fn dom_error(name: &str, message: &str, context: &mut Context) -> JsError {
    let made = member("DOMException", context).and_then(|class| {
        let class =
            class.as_object().ok_or_else(|| JsNativeError::error().with_message(message.to_owned()))?;
        class.construct(&[JsString::from(message).into(), JsString::from(name).into()], None, context)
    });
    made.map_or_else(|error| error, |made| JsError::from_opaque(made.into()))
}

/// What an object is, whatever its prototype says; as `structuredClone` asks.
fn tag_of(value: &JsValue) -> &'static str {
    let Some(object) = value.as_object() else { return "value" };
    if object.is_ordinary() {
        return "Object";
    }
    if object.is_array() {
        return "Array";
    }
    let is: [(&str, fn(&JsObject) -> bool); 12] = [
        ("Error", |object| object.is::<boa_engine::builtins::error::Error>()),
        ("Date", |object| JsDate::from_object(object.clone()).is_ok()),
        ("RegExp", |object| JsRegExp::from_object(object.clone()).is_ok()),
        ("Map", |object| JsMap::from_object(object.clone()).is_ok()),
        ("Set", |object| JsSet::from_object(object.clone()).is_ok()),
        ("ArrayBuffer", |object| JsArrayBuffer::from_object(object.clone()).is_ok()),
        ("TypedArray", |object| JsTypedArray::from_object(object.clone()).is_ok()),
        ("DataView", |object| JsDataView::from_object(object.clone()).is_ok()),
        ("Boolean", |object| object.is::<bool>()),
        ("Number", |object| object.is::<f64>()),
        ("String", |object| object.is::<JsString>()),
        ("Promise", |object| JsPromise::from_object(object.clone()).is_ok()),
    ];
    is.into_iter().find(|(_, is)| is(&object)).map_or("object of the platform", |(name, _)| name)
}

/// Whether a hook returned a `Response`.
pub(in crate::engine) fn is_response(value: &JsValue, context: &mut Context) -> bool {
    // Without the prelude there are none.
    if !value.is_object() || prototypes(context).prelude.get().is_none() {
        return false;
    }
    let Ok(is) = function("isResponse", context) else { return false };
    is.call(&JsValue::undefined(), std::slice::from_ref(value), context).is_ok_and(|is| is.to_boolean())
}

/// Makes a `Response` the module's answer.
pub(in crate::engine) fn apply_response(
    call: &Call,
    value: &JsValue,
    context: &mut Context,
) -> JsResult<JsValue> {
    let object = call.context.borrow().clone().map_or(JsValue::undefined(), JsValue::from);
    function("applyResponse", context)?.call(&JsValue::undefined(), &[object, value.clone()], context)
}

/// Calls a fetch-style handler.
pub(in crate::engine) fn call_fetch(
    this: &JsObject,
    fetch: &JsFunction,
    object: &JsValue,
    context: &mut Context,
) -> JsResult<JsValue> {
    let arguments = [this.clone().into(), fetch.clone().into(), object.clone()];
    function("callFetch", context)?.call(&JsValue::undefined(), &arguments, context)
}

/// Calls a hook in the script dialect.
pub(in crate::engine) fn run_script(
    hook: Hook,
    script: &JsFunction,
    object: &JsValue,
    error: Option<JsValue>,
    context: &mut Context,
) -> JsResult<JsValue> {
    let name = JsString::from(hook.name());
    let arguments = [name.into(), script.clone().into(), object.clone(), error.unwrap_or_default()];
    function("runScript", context)?.call(&JsValue::undefined(), &arguments, context)
}

/// `JSON.stringify`.
pub(super) fn stringify(value: &JsValue, context: &mut Context) -> JsResult<JsString> {
    let json = context.global_object().get(js_string!("JSON"), context)?.to_object(context)?;
    let stringify = json.get(js_string!("stringify"), context)?;
    let stringify =
        stringify.as_callable().ok_or_else(|| JsNativeError::typ().with_message("no `JSON.stringify`"))?;
    let text = stringify.call(&json.into(), std::slice::from_ref(value), context)?;
    text.as_string().ok_or_else(|| {
        JsNativeError::typ().with_message(format!("{} cannot be written as JSON", value.display())).into()
    })
}

/// A body that is not read yet, such as that of a fetched response.
#[derive(Default, Trace, Finalize, JsData)]
pub(super) struct BodyData {
    #[unsafe_ignore_trace]
    body: RefCell<Option<Body>>,
    #[unsafe_ignore_trace]
    limit: Cell<usize>,
}

/// A body of the gateway's as an object.
pub(super) fn body_object(body: Body, limit: usize, context: &Context) -> JsObject {
    let data = BodyData { body: RefCell::new(Some(body)), limit: Cell::new(limit) };
    prototypes(context).body.instance(data)
}

/// Takes the body out of an object; nothing when it is another value.
pub(super) fn take_body(value: &JsValue) -> Option<Body> {
    let object = value.as_object()?;
    let data = object.downcast_ref::<BodyData>()?;
    data.body.take()
}

pub(super) fn body_prototype(context: &mut Context) -> JsResult<JsObject> {
    define::prototype(
        &[
            Member::Method("text", 0, |this, _, context| read(this, Form::Text, context)),
            Member::Method("arrayBuffer", 0, |this, _, context| read(this, Form::Buffer, context)),
        ],
        context,
    )
}

fn read(this: &JsValue, form: Form, context: &mut Context) -> JsResult<JsValue> {
    let limit = this.as_object().and_then(|o| o.downcast_ref::<BodyData>().map(|data| data.limit.get()));
    let limit = limit.unwrap_or_default();
    let Some(body) = take_body(this) else {
        return body::settled(
            Err(JsNativeError::typ().with_message("the body was read already").into()),
            context,
        );
    };
    ops::promise(
        async move {
            let read = body.collect_limited(limit).await;
            Box::new(move |context: &mut Context| match read {
                Ok(read) => body::convert(&read.bytes, form, context),
                Err(dgate_core::body::CollectError::TooLarge) => Err(JsNativeError::range()
                    .with_message(format!("the body is larger than the module may read ({limit} bytes)"))
                    .into()),
                Err(error) => Err(named_error("TypeError", &error.to_string(), context)),
            }) as Outcome
        },
        context,
    )
}

/// What the prelude borrows.
fn lent(context: &mut Context) -> JsResult<JsObject> {
    let native = define::prototype(
        &[
            Member::Method("isBody", 1, |_, arguments, _| {
                Ok(argument(arguments, 0).as_object().is_some_and(|o| o.is::<BodyData>()).into())
            }),
            Member::Method("copy", 1, |_, arguments, context| {
                let bytes = bytes(&argument(arguments, 0), context)?;
                array_buffer(&bytes, context)
            }),
            Member::Method("encode", 1, |_, arguments, context| {
                let text = text(&argument(arguments, 0), context)?;
                array_buffer(text.as_bytes(), context)
            }),
            Member::Method("decode", 1, |_, arguments, context| {
                let bytes = buffer_bytes(&argument(arguments, 0), context)?.unwrap_or_default();
                body::convert(&bytes, Form::Text, context)
            }),
            Member::Method("bytesOf", 2, |_, arguments, context| {
                let (value, encoding) =
                    (text(&argument(arguments, 0), context)?, text(&argument(arguments, 1), context)?);
                let bytes = super::modules::decode_text(&value, &encoding).ok_or_else(|| {
                    JsNativeError::typ().with_message(format!("unknown encoding `{encoding}`"))
                })?;
                array_buffer(&bytes, context)
            }),
            Member::Method("textOf", 2, |_, arguments, context| {
                let bytes = buffer_bytes(&argument(arguments, 0), context)?.unwrap_or_default();
                let encoding = text(&argument(arguments, 1), context)?;
                let text = super::modules::encode_text(&bytes, &encoding).ok_or_else(|| {
                    JsNativeError::typ().with_message(format!("unknown encoding `{encoding}`"))
                })?;
                Ok(JsString::from(text).into())
            }),
            Member::Method("tagOf", 1, |_, arguments, _| {
                Ok(JsString::from(tag_of(&argument(arguments, 0))).into())
            }),
            Member::Method("isDetached", 1, |_, arguments, _| {
                let buffer = argument(arguments, 0).as_object().map(JsArrayBuffer::from_object);
                Ok(buffer.transpose()?.is_none_or(|buffer| buffer.data().is_none()).into())
            }),
            Member::Method("detach", 1, |_, arguments, _| {
                if let Some(buffer) = argument(arguments, 0).as_object() {
                    JsArrayBuffer::from_object(buffer)?.detach(&JsValue::undefined())?;
                }
                Ok(JsValue::undefined())
            }),
            Member::Method("tee", 1, tee),
            Member::Method("answer", 2, answer),
            Member::Method("forget", 1, |_, arguments, context| {
                if let Some(id) = argument(arguments, 0).as_number() {
                    Host::of(context).operations.forget(id as u64);
                }
                Ok(JsValue::undefined())
            }),
            Member::Method("milliseconds", 1, |_, arguments, context| {
                let duration = super::modules::duration(&argument(arguments, 0), context)?;
                Ok((duration.as_secs_f64() * 1e3).into())
            }),
            Member::Method("setTimeout", 2, |_, arguments, context| {
                let set = context.global_object().get(js_string!("setTimeout"), context)?;
                let set = set.as_callable().ok_or_else(|| JsNativeError::typ().with_message("no timers"))?;
                set.call(&JsValue::undefined(), arguments, context)
            }),
            Member::Method("state", 1, |_, arguments, context| {
                let module = context::module_of(&argument(arguments, 0))?;
                super::modules::object("dgate/state", module, context).map(JsValue::from)
            }),
        ],
        context,
    )?;
    Ok(native)
}

/// A body that is still to come cannot be had twice without reading it; what is at hand can.
fn tee(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let value = argument(arguments, 0);
    let whole = take_body(&value).and_then(|body| body.bytes());
    let Some(bytes) = whole else {
        return Err(JsNativeError::typ()
            .with_message("a body that is still on its way cannot be cloned; read it first")
            .into());
    };
    let limit = Host::of(context).current().map_or(0, |call| call.limits.body);
    let one = body_object(Body::full(bytes.clone()), limit, context);
    let other = body_object(Body::full(bytes), limit, context);
    Ok(JsArray::from_iter([one.into(), other.into()], context).into())
}

/// The body of an answer: `(ctx, text, buffer or body)`.
fn answer(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let value = argument(arguments, 1);
    let body = if let Some(body) = take_body(&value) {
        DraftBody::Passed(body)
    } else if value.is_null_or_undefined() {
        DraftBody::Empty
    } else {
        DraftBody::Whole(Bytes::from(bytes(&value, context)?))
    };
    context::with(&argument(arguments, 0), |data| {
        data.state.draft(|draft| {
            draft.body = body;
            draft.ended = true;
        })
    })??;
    Ok(JsValue::undefined())
}

/// A number of milliseconds; what is no number is none.
pub(super) fn milliseconds(value: f64) -> Duration {
    let value = if value.is_nan() { 0.0 } else { value };
    Duration::from_secs_f64(value.clamp(0.0, f64::from(i32::MAX)) / 1e3)
}
