//! Defining native objects.

use boa_engine::object::builtins::JsFunction;
use boa_engine::object::{ConstructorBuilder, FunctionObjectBuilder};
use boa_engine::property::{PropertyDescriptor, PropertyKey};
use boa_engine::{Context, JsNativeError, JsObject, JsResult, JsString, JsValue, NativeFunction};

use super::bounds::{Most, text_length};
use super::guard::{described, unguarded};
use crate::engine::depth::look;
use crate::engine::host::Host;

/// What is shorter need not be measured.
const LONG: f64 = 4096.0;

/// A native function.
pub(in crate::engine) type Native = fn(&JsValue, &[JsValue], &mut Context) -> JsResult<JsValue>;

/// A member of a prototype.
pub(super) enum Member {
    Method(&'static str, usize, Native),
    Get(&'static str, Native),
    GetSet(&'static str, Native, Native),
}

/// A prototype that nobody can change.
pub(super) fn prototype(members: &[Member], context: &mut Context) -> JsResult<JsObject> {
    let object = JsObject::with_object_proto(context.intrinsics());
    add(&object, members, context)?;
    Ok(object)
}

/// Adds members to an object.
pub(super) fn add(object: &JsObject, members: &[Member], context: &mut Context) -> JsResult<()> {
    let realm = context.realm().clone();
    for member in members {
        let build = |name: &str, length, native| {
            FunctionObjectBuilder::new(&realm, looking(native))
                .name(JsString::from(name))
                .length(length)
                .build()
        };
        let (name, descriptor) = match *member {
            Member::Method(name, length, native) => {
                let value = build(name, length, native);
                (name, PropertyDescriptor::builder().value(value).writable(false).build())
            }
            Member::Get(name, get) => (name, PropertyDescriptor::builder().get(build(name, 0, get)).build()),
            Member::GetSet(name, get, set) => {
                let (get, set) = (build(name, 0, get), build(name, 1, set));
                (name, PropertyDescriptor::builder().get(get).set(set).build())
            }
        };
        let descriptor = PropertyDescriptor::builder()
            .maybe_get(descriptor.get().cloned())
            .maybe_set(descriptor.set().cloned())
            .maybe_value(descriptor.value().cloned())
            .maybe_writable(descriptor.writable())
            .enumerable(false)
            .configurable(false)
            .build();
        object.define_property_or_throw(JsString::from(name), descriptor, context)?;
    }
    Ok(())
}

/// A function that looks at the stack first: it may be called by itself, through whatever it converts to a text or a number.
/// Where it is given a long text it looks at the clock, too, since most make a copy of it.
fn looking(native: Native) -> NativeFunction {
    NativeFunction::from_copy_closure(move |this, arguments, context| {
        look(context)?;
        if arguments.iter().any(|argument| text_length(argument) > LONG) {
            Host::of(context).look_at_clock()?;
        }
        let result = native(this, arguments, context)?;
        let length = text_length(&result);
        if length > LONG {
            Most::text(&Host::of(context)).bounds(length, context)?;
        }
        Ok(result)
    })
}

/// Puts something of the gateway's own in the place of a method of the engine's. It is given that method, and begins only
/// while there is room on the stack.
pub(super) fn instead<F>(
    object: &JsObject,
    key: impl Into<PropertyKey>,
    run: F,
    context: &mut Context,
) -> JsResult<()>
where
    F: Fn(&JsValue, &[JsValue], &JsFunction, &mut Context) -> JsResult<JsValue> + Copy + 'static,
{
    let key = key.into();
    let own = object.get(key.clone(), context)?.as_function();
    let own = own.ok_or_else(|| {
        JsNativeError::typ().with_message(format!("the engine has no built-in called {key}"))
    })?;
    let own = unguarded(&own, context);
    let (name, length) = described(&own, context)?;
    let function = NativeFunction::from_copy_closure_with_captures(
        move |this, arguments, own: &JsFunction, context| {
            look(context)?;
            run(this, arguments, own, context)
        },
        own,
    );
    let function = FunctionObjectBuilder::new(context.realm(), function).name(name).length(length).build();
    let descriptor =
        PropertyDescriptor::builder().value(function).writable(true).enumerable(false).configurable(true);
    object.define_property_or_throw(key, descriptor, context)?;
    Ok(())
}

/// What is made of the value of a getter: `this`, and what the engine's own says.
pub(super) type Mend = fn(&JsValue, JsValue, &mut Context) -> JsResult<JsValue>;

/// Puts something between an engine's getter and whoever asks.
pub(super) fn mend_getter(
    prototype: &JsObject,
    name: JsString,
    mend: Mend,
    context: &mut Context,
) -> JsResult<()> {
    let known = prototype.borrow().properties().get(&name.clone().into());
    let missing = || JsNativeError::typ().with_message("the engine lacks a getter");
    let known = known.ok_or_else(missing)?;
    let get = known.get().and_then(JsValue::as_function).ok_or_else(missing)?;
    let get = unguarded(&get, context);
    let (own_name, _) = described(&get, context)?;
    let mended = NativeFunction::from_copy_closure_with_captures(
        move |this, _, get: &JsFunction, context| {
            look(context)?;
            let value = get.call(this, &[], context)?;
            mend(this, value, context)
        },
        get,
    );
    let mended = FunctionObjectBuilder::new(context.realm(), mended).name(own_name).build();
    let descriptor = PropertyDescriptor::builder()
        .get(mended)
        .maybe_set(known.set().cloned())
        .enumerable(false)
        .configurable(true);
    prototype.define_property_or_throw(name, descriptor, context)?;
    Ok(())
}

/// A global function.
pub(super) fn function(
    name: &'static str,
    length: usize,
    native: Native,
    context: &mut Context,
) -> JsResult<()> {
    let realm = context.realm().clone();
    let function =
        FunctionObjectBuilder::new(&realm, looking(native)).name(JsString::from(name)).length(length).build();
    global(name, function.into(), context)
}

/// A global value that nobody can change.
pub(super) fn global(name: &'static str, value: JsValue, context: &mut Context) -> JsResult<()> {
    let descriptor =
        PropertyDescriptor::builder().value(value).writable(false).enumerable(false).configurable(false);
    context.global_object().define_property_or_throw(JsString::from(name), descriptor, context)?;
    Ok(())
}

/// A global class with a native constructor; `prototype` is what its instances inherit from.
pub(super) fn class(
    name: &'static str,
    length: usize,
    constructor: Native,
    prototype: &JsObject,
    context: &mut Context,
) -> JsResult<JsObject> {
    let mut builder = ConstructorBuilder::new(context, looking(constructor));
    builder.name(name).length(length).has_prototype_property(false);
    let constructor = builder.build().constructor();
    let fixed = |value: JsValue| {
        PropertyDescriptor::builder().value(value).writable(false).enumerable(false).configurable(false)
    };
    constructor.define_property_or_throw(
        boa_engine::js_string!("prototype"),
        fixed(prototype.clone().into()),
        context,
    )?;
    prototype.define_property_or_throw(
        boa_engine::js_string!("constructor"),
        fixed(constructor.clone().into()),
        context,
    )?;
    prototype.define_property_or_throw(
        boa_engine::JsSymbol::to_string_tag(),
        fixed(JsString::from(name).into()),
        context,
    )?;
    global(name, constructor.clone().into(), context)?;
    Ok(constructor)
}
