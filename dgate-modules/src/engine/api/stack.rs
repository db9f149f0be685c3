//! `error.stack`, which speaks of the module's own source.

use boa_engine::{Context, JsResult, JsString, JsValue, js_string};

use super::define;
use crate::engine::errors;
use crate::engine::values::text;

/// Puts places of the written source in the place of those of the compiled one.
pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let prototype = context.intrinsics().constructors().error().prototype();
    define::mend_getter(&prototype, js_string!("stack"), written, context)
}

fn written(this: &JsValue, stack: JsValue, context: &mut Context) -> JsResult<JsValue> {
    if !stack.is_string() {
        return Ok(stack);
    }
    let stack = text(&stack, context)?;
    let mut written = text(this, context).unwrap_or_default();
    for line in errors::mapped(&stack, context) {
        written.push_str("\n    at ");
        written.push_str(&line);
    }
    Ok(JsString::from(written).into())
}
