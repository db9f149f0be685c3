//! `Proxy`, whose traps look at the stack and at the clock.
//!
//! The engine goes from a proxy to its trap and to its target, and from there to whatever they are, without anything of the
//! module between: traps may be built-ins, a proxy may be its own trap, or inherit from itself. So the engine is given a
//! handler of the gateway's: for each trap a getter, which looks, and then gets the trap from the module's handler.
//!
//! A *view* is a proxy that changes nothing: it looks at the clock for whatever walks through an object.

use boa_engine::builtins::function::BoundFunction;
use boa_engine::builtins::proxy::Proxy;
use boa_engine::object::FunctionObjectBuilder;
use boa_engine::object::builtins::JsArray;
use boa_engine::property::PropertyDescriptor;
use boa_engine::{
    Context, JsData, JsNativeError, JsObject, JsResult, JsString, JsValue, NativeFunction, js_string,
};
use boa_gc::{Finalize, Trace};

use super::{Class, define, lists, prototypes};
use crate::engine::depth::look;
use crate::engine::host::{Host, PROXIES};
use crate::engine::limits::refused;
use crate::engine::values::argument;
use crate::failure::LimitKind;

/// All there are. ECMA-262, 10.5.
const TRAPS: [&str; 13] = [
    "apply",
    "construct",
    "defineProperty",
    "deleteProperty",
    "get",
    "getOwnPropertyDescriptor",
    "getPrototypeOf",
    "has",
    "isExtensible",
    "ownKeys",
    "preventExtensions",
    "set",
    "setPrototypeOf",
];

/// What the engine takes for the handler of a proxy: the module's is in it.
#[derive(Trace, Finalize, JsData)]
struct Handler(JsObject);

/// What handlers inherit from, and the handler of views.
pub(super) struct Handlers {
    class: Class,
    view: JsObject,
    proxy: JsObject,
}

impl Handlers {
    pub(super) fn new(context: &mut Context) -> JsResult<Self> {
        let getters = JsObject::with_null_proto();
        for name in TRAPS {
            let get = NativeFunction::from_copy_closure(move |this, _, context| trap(name, this, context));
            let get = get.to_js_function(context.realm());
            let descriptor = PropertyDescriptor::builder().get(get);
            getters.define_property_or_throw(JsString::from(name), descriptor, context)?;
        }
        let view = JsObject::with_null_proto();
        let members: [define::Member; 2] =
            [define::Member::Method("get", 3, viewed), define::Member::Method("set", 4, change_viewed)];
        define::add(&view, &members, context)?;
        let proxy = context.intrinsics().constructors().proxy().constructor();
        Ok(Self { class: Class::new(getters, context), view, proxy })
    }

    fn handler(&self, of: JsObject) -> JsObject {
        self.class.instance(Handler(of))
    }
}

/// The trap of a handler of the module's, if it has one.
fn trap(name: &'static str, this: &JsValue, context: &mut Context) -> JsResult<JsValue> {
    look(context)?;
    let object = this.as_object();
    let handler = object.as_ref().and_then(|object| object.downcast_ref::<Handler>().map(|of| of.0.clone()));
    // Nobody else gets at these getters.
    let handler = handler.ok_or_else(|| JsNativeError::typ().with_message("no handler of a proxy"))?;
    let trap = handler.get(JsString::from(name), context)?;
    let Some(function) = trap.as_object().filter(JsObject::is_callable) else { return Ok(trap) };
    if name == "ownKeys" {
        let listed = NativeFunction::from_copy_closure_with_captures(
            |_, arguments, (trap, handler): &(JsObject, JsObject), context| {
                let keys = trap.call(&handler.clone().into(), arguments, context)?;
                // The engine makes room for as many as that says.
                let Some(keys) = lists::elements(&keys, context)? else { return Ok(keys) };
                Ok(JsArray::from_iter(keys, context).into())
            },
            (function, handler),
        );
        return Ok(listed.to_js_function(context.realm()).into());
    }
    Ok(BoundFunction::create(function, handler.into(), Vec::new(), context)?.into())
}

/// A view of an object.
pub(super) fn view(object: &JsObject, context: &mut Context) -> JsResult<JsObject> {
    let traps = prototypes(context).handlers.view.clone();
    proxy(object, traps, context)
}

/// A proxy of the gateway's own.
pub(super) fn proxy(target: &JsObject, traps: JsObject, context: &mut Context) -> JsResult<JsObject> {
    let prototypes = prototypes(context);
    let handler = prototypes.handlers.handler(traps);
    prototypes.handlers.proxy.construct(&[target.clone().into(), handler.into()], None, context)
}

/// Getters of what is viewed see the object itself, which alone has its private fields.
fn viewed(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let Some(object) = argument(arguments, 0).as_object() else { return Ok(JsValue::undefined()) };
    let key = argument(arguments, 1).to_property_key(context)?;
    object.get(key, context)
}

fn change_viewed(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let Some(object) = argument(arguments, 0).as_object() else { return Ok(false.into()) };
    let key = argument(arguments, 1).to_property_key(context)?;
    object.set(key, argument(arguments, 2), false, context).map(JsValue::from)
}

/// Puts it in the place of the engine's.
pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let own = context.intrinsics().constructors().proxy().constructor();
    let make = NativeFunction::from_copy_closure_with_captures(
        |new_target, arguments, own: &JsObject, context| {
            if new_target.is_undefined() {
                return Err(JsNativeError::typ().with_message("`Proxy` needs `new`").into());
            }
            let arguments = looked_after(arguments, context)?;
            Ok(own.construct(&arguments, None, context)?.into())
        },
        own.clone(),
    );
    let proxy = FunctionObjectBuilder::new(context.realm(), make)
        .name(js_string!("Proxy"))
        .length(2)
        .constructor(true)
        .build();
    let revocable = own.get(js_string!("revocable"), context)?;
    let hidden = PropertyDescriptor::builder().writable(true).enumerable(false).configurable(true);
    proxy.define_property_or_throw(js_string!("revocable"), hidden.clone().value(revocable), context)?;
    define::instead(
        &proxy,
        js_string!("revocable"),
        |this, arguments, own, context| {
            let arguments = looked_after(arguments, context)?;
            own.call(this, &arguments, context)
        },
        context,
    )?;
    let global = context.global_object();
    global.define_property_or_throw(js_string!("Proxy"), hidden.value(proxy), context)?;
    Ok(())
}

/// The arguments with a handler of the gateway's.
///
/// # Errors
/// When a runtime has made too many proxies of proxies: the engine goes through all of them for `Array.isArray`, calling
/// itself.
fn looked_after(arguments: &[JsValue], context: &Context) -> JsResult<Vec<JsValue>> {
    let (target, handler) = (argument(arguments, 0), argument(arguments, 1));
    let is_behind = target.as_object().is_some_and(|target| target.is::<Proxy>());
    if is_behind && !Host::of(context).count_proxy() {
        let message = format!("more proxies of proxies than a runtime may make ({PROXIES})");
        return Err(refused(LimitKind::Recursion, message, context));
    }
    let handler = match handler.as_object() {
        Some(handler) => prototypes(context).handlers.handler(handler).into(),
        None => handler,
    };
    Ok(vec![target, handler])
}
