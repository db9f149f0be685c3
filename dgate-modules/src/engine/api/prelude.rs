//! `prelude.js` and what it borrows.

use std::time::{Duration, Instant};

use boa_engine::object::builtins::{
    JsArrayBuffer, JsDataView, JsDate, JsFunction, JsMap, JsPromise, JsRegExp, JsSet, JsTypedArray,
};
use boa_engine::property::PropertyDescriptor;
use boa_engine::{Context, JsError, JsNativeError, JsObject, JsResult, JsString, JsValue, Source, js_string};

use super::body::{Form, convert};
use super::context;
use super::define::{self, Member};
use super::{harden, prototypes};
use crate::bytes_text::{decode_text, encode_text};
use crate::engine::host::Host;
use crate::engine::values::{argument, array_buffer, buffer_bytes, bytes, text};
use crate::hook::Hook;

/// Globals that come from the prelude.
const LAZY: [(&str, define::Native); 6] = [
    ("AbortController", |_, _, context| member("AbortController", context)),
    ("AbortSignal", |_, _, context| member("AbortSignal", context)),
    ("Buffer", |_, _, context| member("Buffer", context)),
    ("DOMException", |_, _, context| member("DOMException", context)),
    ("Request", |_, _, context| member("Request", context)),
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

/// Whether it was evaluated: before that, nothing of its classes is there.
pub(super) fn is_loaded(context: &Context) -> bool {
    prototypes(context).prelude.get().is_some()
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

/// What the prelude borrows.
fn lent(context: &mut Context) -> JsResult<JsObject> {
    let native = define::prototype(
        &[
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
                convert(&bytes, Form::Text, context)
            }),
            Member::Method("bytesOf", 2, |_, arguments, context| {
                let (value, encoding) =
                    (text(&argument(arguments, 0), context)?, text(&argument(arguments, 1), context)?);
                let bytes = decode_text(&value, &encoding).ok_or_else(|| {
                    JsNativeError::typ().with_message(format!("unknown encoding `{encoding}`"))
                })?;
                array_buffer(&bytes, context)
            }),
            Member::Method("textOf", 2, |_, arguments, context| {
                let bytes = buffer_bytes(&argument(arguments, 0), context)?.unwrap_or_default();
                let encoding = text(&argument(arguments, 1), context)?;
                let text = encode_text(&bytes, &encoding).ok_or_else(|| {
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

/// A number of milliseconds; what is no number is none.
pub(super) fn milliseconds(value: f64) -> Duration {
    let value = if value.is_nan() { 0.0 } else { value };
    Duration::from_secs_f64(value.clamp(0.0, f64::from(i32::MAX)) / 1e3)
}
