//! `RegExp.prototype.exec`, through which all matching goes, made to look at the clock. See [`crate::engine::regexp`].

use std::collections::HashMap;
use std::rc::Rc;

use boa_engine::object::builtins::{JsArray, JsFunction, JsRegExp};
use boa_engine::property::PropertyDescriptor;
use boa_engine::string::JsStrVariant;
use boa_engine::{
    Context, JsError, JsNativeError, JsObject, JsResult, JsString, JsValue, NativeFunction, js_string,
};
use boa_gc::{Finalize, Trace};

use super::define;
use super::guard::unguarded;
use crate::engine::depth::look;
use crate::engine::host::Host;
use crate::engine::regexp::{Captures, Flags, Halt, Pattern, Unknown};
use crate::engine::values::argument;

/// How many patterns are remembered.
const MOST: usize = 256;

/// The built-ins as they were before anything was wrapped.
#[derive(Clone, Trace, Finalize)]
struct Originals {
    exec: JsFunction,
    source: JsFunction,
    unicode_sets: JsFunction,
}

/// Patterns that were used before; nothing for one that cannot be matched here.
pub(in crate::engine) type Patterns = HashMap<(JsString, Flags), Result<Rc<Pattern>, Unknown>>;

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let prototype = context.intrinsics().constructors().regexp().prototype();
    define::mend_getter(&prototype, js_string!("source"), source, context)?;
    let missing = || JsNativeError::error().with_message("the engine has no regular expressions");
    let getter = |name| -> JsResult<JsFunction> {
        let property = prototype.borrow().properties().get(&js_string!(name).into());
        let get = property.and_then(|property| property.get().and_then(JsValue::as_function));
        Ok(unguarded(&get.ok_or_else(missing)?, context))
    };
    let (source, unicode_sets) = (getter("source")?, getter("unicodeSets")?);
    let exec = prototype.get(js_string!("exec"), context)?.as_function().ok_or_else(missing)?;
    let exec = unguarded(&exec, context);
    let wrapped = NativeFunction::from_copy_closure_with_captures(
        |this, arguments, originals: &Originals, context| {
            look(context)?;
            if let Some(object) = this.as_object()
                && let Ok(regexp) = JsRegExp::from_object(object.clone())
            {
                let text = argument(arguments, 0).to_string(context)?;
                return execute(&regexp, &object, text, originals, context);
            }
            originals.exec.call(this, arguments, context)
        },
        Originals { exec, source, unicode_sets },
    );
    let function = boa_engine::object::FunctionObjectBuilder::new(context.realm(), wrapped)
        .name(js_string!("exec"))
        .length(1)
        .build();
    let descriptor =
        PropertyDescriptor::builder().value(function).writable(true).enumerable(false).configurable(true);
    prototype.define_property_or_throw(js_string!("exec"), descriptor, context)?;
    Ok(())
}

/// The engine puts a `\` before each `/`, also where there is one already: `\/` would become an escaped `\` and a `/`.
#[allow(clippy::unnecessary_wraps, reason = "what mends a getter has one signature")]
fn source(_: &JsValue, engines: JsValue, _: &mut Context) -> JsResult<JsValue> {
    const BACKSLASH: u16 = b'\\' as u16;
    const SLASH: u16 = b'/' as u16;
    let Some(engines) = engines.as_string() else { return Ok(engines) };
    let mut plain: Vec<u16> = Vec::with_capacity(engines.len());
    for unit in &engines {
        if unit == SLASH && plain.last() == Some(&BACKSLASH) {
            plain.pop();
        }
        plain.push(unit);
    }
    let (mut source, mut escaped, mut in_class) = (Vec::with_capacity(plain.len() + 8), false, false);
    for unit in plain {
        if unit == SLASH && !escaped && !in_class {
            source.push(BACKSLASH);
        }
        source.push(unit);
        match unit {
            _ if escaped => escaped = false,
            BACKSLASH => escaped = true,
            0x5b => in_class = true,
            0x5d => in_class = false,
            _ => {}
        }
    }
    Ok(JsString::from(source.as_slice()).into())
}

fn execute(
    regexp: &JsRegExp,
    object: &JsObject,
    text: JsString,
    originals: &Originals,
    context: &mut Context,
) -> JsResult<JsValue> {
    let host = Host::of(context);
    host.look_at_clock_after(text.len() as f64)?;
    let this = JsValue::from(object.clone());
    let flags = Flags {
        ignore_case: regexp.ignore_case(context)?,
        multiline: regexp.multiline(context)?,
        dot_all: regexp.dot_all(context)?,
        unicode: regexp.unicode(context)?,
        unicode_sets: originals.unicode_sets.call(&this, &[], context)?.to_boolean(),
    };
    let source = originals.source.call(&this, &[], context)?.to_string(context)?;
    let pattern = pattern(&host, source, flags)?;
    if pattern.is_harmless(text.len()) {
        return originals.exec.call(&this, &[text.into()], context);
    }
    // From here on as in `RegExpBuiltinExec` of the standard.
    let last_index = object.get(js_string!("lastIndex"), context)?.to_length(context)?;
    let (global, sticky) = (regexp.global(context)?, regexp.sticky(context)?);
    let from = if global || sticky { usize::try_from(last_index).unwrap_or(usize::MAX) } else { 0 };
    let mut look = || host.look_at_clock().map(|_| ());
    let found = if from > text.len() {
        Ok(None)
    } else {
        match text.as_str().variant() {
            JsStrVariant::Latin1(text) => pattern.find(text, from, sticky, &mut look),
            JsStrVariant::Utf16(text) => pattern.find(text, from, sticky, &mut look),
        }
    };
    let captures = found.map_err(|halt| match halt {
        Halt::Told(error) => error,
        Halt::TooDeep => refused("the regular expression has too much to go back to in this text"),
    })?;
    if global || sticky {
        let end = captures
            .as_ref()
            .and_then(|captures| captures.first().copied().flatten())
            .map_or(0, |(_, end)| end);
        object.set(js_string!("lastIndex"), end as f64, true, context)?;
    }
    match captures {
        None => Ok(JsValue::null()),
        Some(captures) => result(&pattern, &captures, text, regexp.has_indices(context)?, context),
    }
}

/// What was found, as `exec` returns it.
fn result(
    pattern: &Pattern,
    captures: &Captures,
    text: JsString,
    has_indices: bool,
    context: &mut Context,
) -> JsResult<JsValue> {
    let part = |capture: &Option<(usize, usize)>| match capture {
        Some((begin, end)) => text.get(*begin..*end).unwrap_or_default().into(),
        None => JsValue::undefined(),
    };
    let parts: Vec<JsValue> = captures.iter().map(part).collect();
    let groups = groups(pattern, &parts, context)?;
    let array = JsArray::from_iter(parts, context);
    let begin = captures.first().copied().flatten().map_or(0, |(begin, _)| begin);
    array.create_data_property_or_throw(js_string!("index"), begin as f64, context)?;
    array.create_data_property_or_throw(js_string!("input"), text, context)?;
    array.create_data_property_or_throw(js_string!("groups"), groups, context)?;
    if has_indices {
        let mut pairs = Vec::with_capacity(captures.len());
        for capture in captures {
            pairs.push(match capture {
                Some((begin, end)) => {
                    JsArray::from_iter([*begin, *end].map(|at| JsValue::from(at as f64)), context).into()
                }
                None => JsValue::undefined(),
            });
        }
        let groups = self::groups(pattern, &pairs, context)?;
        let indices = JsArray::from_iter(pairs, context);
        indices.create_data_property_or_throw(js_string!("groups"), groups, context)?;
        array.create_data_property_or_throw(js_string!("indices"), indices, context)?;
    }
    Ok(array.into())
}

/// What groups with names captured, by name.
fn groups(pattern: &Pattern, values: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    if pattern.names().iter().all(String::is_empty) {
        return Ok(JsValue::undefined());
    }
    let object = JsObject::with_null_proto();
    for (name, value) in pattern.names().iter().zip(values).filter(|(name, _)| !name.is_empty()) {
        let name = JsString::from(name.as_str());
        // Of groups of one name at most one takes part.
        if !value.is_undefined() || !object.has_own_property(name.clone(), context)? {
            object.create_data_property_or_throw(name, value.clone(), context)?;
        }
    }
    Ok(object.into())
}

fn pattern(host: &Host, source: JsString, flags: Flags) -> JsResult<Rc<Pattern>> {
    let mut patterns = host.patterns.borrow_mut();
    let key = (source, flags);
    let known = match patterns.get(&key) {
        Some(known) => known.clone(),
        None => {
            if patterns.len() >= MOST {
                patterns.clear();
            }
            let text: Vec<u32> = if flags.unicode || flags.unicode_sets {
                key.0.code_points().map(|point| point.as_u32()).collect()
            } else {
                key.0.iter().map(u32::from).collect()
            };
            let made = Pattern::new(&text, flags).map(Rc::new);
            patterns.insert(key, made.clone());
            made
        }
    };
    known.map_err(|Unknown| {
        refused("this regular expression has something that cannot be matched within bounds")
    })
}

fn refused(message: &'static str) -> JsError {
    JsNativeError::range().with_message(message).into()
}
