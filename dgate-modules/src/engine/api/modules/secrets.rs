//! `dgate/secrets`.

use boa_engine::{Context, JsNativeError, JsResult, JsString, JsValue};

use super::{Function, granted};
use crate::engine::api::body::settled;
use crate::engine::host::Host;
use crate::engine::values::{argument, text};

pub(super) fn function(export: &str) -> Option<Function> {
    (export == "getSecret").then_some(get as Function)
}

/// A promise, so that secrets may come from elsewhere one day.
fn get(importer: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let name = text(&argument(arguments, 0), context)?;
    let _granted = granted(importer, "resource:secret:read", Some(&name), context)?;
    let call = Host::of(context)
        .current()
        .ok_or_else(|| JsNativeError::error().with_message("secrets are at hand only while a hook runs"))?;
    let secrets = &call.state.info.matched.namespace.resources.secrets;
    let value =
        secrets.get(&name).map_or(JsValue::null(), |secret| JsString::from(&*secret.spec.data).into());
    settled(Ok(value), context)
}
