//! `dgate/upstream`: the endpoints of services.

use std::sync::Arc;

use boa_engine::{Context, JsNativeError, JsResult, JsValue};
use dgate_core::capability::{EndpointStatus, UpstreamError, Upstreams};
use serde_json::{Value, json};

use super::system::unavailable;
use super::{Function, granted};
use crate::engine::host::Host;
use crate::engine::values::{argument, text};

const PERMISSION: &str = "resource:service:health";

pub(super) fn function(export: &str) -> Option<Function> {
    Some(match export {
        "endpoints" => endpoints,
        "setHealth" => set_health,
        "setWeight" => set_weight,
        _ => return None,
    })
}

fn upstreams(context: &Context) -> JsResult<(Arc<dyn Upstreams>, Arc<str>)> {
    let host = Host::of(context);
    let upstreams = host.capabilities.upstreams.get().cloned();
    Ok((upstreams.ok_or_else(|| unavailable("upstreams"))?, host.program.namespace.clone()))
}

fn failed(error: &UpstreamError) -> boa_engine::JsError {
    JsNativeError::error().with_message(error.to_string()).into()
}

fn to_json(endpoint: &EndpointStatus) -> Value {
    json!({
        "url": endpoint.url, "weight": endpoint.weight, "priority": endpoint.priority,
        "healthy": endpoint.healthy, "inFlight": endpoint.in_flight,
        "latency": endpoint.latency.map(|latency| latency.as_secs_f64() * 1e3),
    })
}

fn endpoints(importer: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let service = text(&argument(arguments, 0), context)?;
    let _granted = granted(importer, PERMISSION, Some(&service), context)?;
    let (upstreams, namespace) = upstreams(context)?;
    let found = upstreams.endpoints(&namespace, &service).map_err(|error| failed(&error))?;
    JsValue::from_json(&found.iter().map(to_json).collect(), context)
}

fn set_health(importer: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let service = text(&argument(arguments, 0), context)?;
    let _granted = granted(importer, PERMISSION, Some(&service), context)?;
    let url = text(&argument(arguments, 1), context)?;
    let healthy = argument(arguments, 2);
    let healthy = match healthy.as_boolean() {
        None if !healthy.is_null() => {
            let message = "`healthy` must be true, false, or null to leave it to the checks";
            return Err(JsNativeError::typ().with_message(message).into());
        }
        healthy => healthy,
    };
    let (upstreams, namespace) = upstreams(context)?;
    upstreams.set_health(&namespace, &service, &url, healthy).map_err(|error| failed(&error))?;
    Ok(JsValue::undefined())
}

fn set_weight(importer: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let service = text(&argument(arguments, 0), context)?;
    let _granted = granted(importer, PERMISSION, Some(&service), context)?;
    let url = text(&argument(arguments, 1), context)?;
    let weight = argument(arguments, 2);
    let whole = |number: f64| number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    let weight = match weight.as_number() {
        Some(number) if whole(number) => Some(number as u32),
        None if weight.is_null() => None,
        _ => {
            let message = "`weight` must be a whole number from 0, or null for the written one";
            return Err(JsNativeError::typ().with_message(message).into());
        }
    };
    let (upstreams, namespace) = upstreams(context)?;
    upstreams.set_weight(&namespace, &service, &url, weight).map_err(|error| failed(&error))?;
    Ok(JsValue::undefined())
}
