//! Built-ins that may call one another without a function of the module between, made to look at the stack first.
//!
//! The engine counts calls of the module's functions only: `Array.prototype.toString` of what has it as its `join` would go
//! on until the thread's stack ends, and with it the process. Those that `caps.rs`, `search.rs` and `regexp.rs` replace look
//! there.

use boa_engine::property::PropertyKey;
use boa_engine::{Context, JsObject, JsResult, JsString, JsSymbol, js_string};

use super::{caps, define};
use crate::engine::values::argument;

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let constructors = context.intrinsics().constructors();
    let (string, regexp) = (constructors.string().prototype(), constructors.regexp().prototype());
    let (function, date) = (constructors.function().prototype(), constructors.date().prototype());
    let objects = context.intrinsics().objects();
    let iterators = objects.iterator_prototypes();
    let methods: [(JsObject, &[&str]); 14] = [
        (constructors.array().prototype(), &["toLocaleString", "toString"]),
        (date.clone(), &["toJSON"]),
        (constructors.error().prototype(), &["toString"]),
        (function.clone(), &["call"]),
        (
            constructors.iterator().prototype(),
            &[
                "drop", "every", "filter", "find", "flatMap", "forEach", "map", "reduce", "some", "take",
                "toArray",
            ],
        ),
        (iterators.iterator_helper(), &["next", "return"]),
        (iterators.wrap_for_valid_iterator(), &["next", "return"]),
        (constructors.map().prototype(), &["forEach"]),
        (constructors.object().prototype(), &["toLocaleString"]),
        (constructors.promise().prototype(), &["catch", "finally", "then"]),
        (regexp.clone(), &["test", "toString"]),
        (constructors.set().prototype(), &["forEach"]),
        (string, &["match", "matchAll", "search"]),
        (objects.reflect(), &["get", "set"]),
    ];
    for (object, names) in methods {
        for name in names {
            look_first(&object, JsString::from(*name), context)?;
        }
    }
    let reflect = context.intrinsics().objects().reflect();
    for (object, name, which) in [(&function, "apply", 1), (&reflect, "apply", 2), (&reflect, "construct", 1)]
    {
        look_at_length(object, name, which, context)?;
    }
    for symbol in [
        JsSymbol::r#match(),
        JsSymbol::match_all(),
        JsSymbol::replace(),
        JsSymbol::search(),
        JsSymbol::split(),
    ] {
        look_first(&regexp, symbol, context)?;
    }
    look_first(&date, JsSymbol::to_primitive(), context)?;
    define::mend_getter(&regexp, js_string!("flags"), |_, flags, _| Ok(flags), context)
}

/// `apply` and its like make a list of what they are given, however long that says it is.
fn look_at_length(object: &JsObject, name: &str, which: usize, context: &mut Context) -> JsResult<()> {
    define::instead(
        object,
        JsString::from(name),
        move |this, arguments, own, context| {
            caps::look_at_length(&argument(arguments, which), context)?;
            own.call(this, arguments, context)
        },
        context,
    )
}

fn look_first(object: &JsObject, key: impl Into<PropertyKey>, context: &mut Context) -> JsResult<()> {
    define::instead(object, key, |this, arguments, own, context| own.call(this, arguments, context), context)
}
