//! `dgate/util`.

use boa_engine::{Context, JsNativeError, JsObject, JsResult, JsString, JsValue};

use super::Function;
use crate::bytes_text::{base64, decode_text};
use crate::engine::values::{argument, array_buffer, data, text};
use crate::random::{hex, uuid};

pub(super) fn function(export: &str) -> Option<Function> {
    Some(match export {
        "base64Encode" => |_, arguments, context| {
            let bytes = data(&argument(arguments, 0), context)?;
            Ok(JsString::from(base64(&bytes)).into())
        },
        "base64Decode" => |_, arguments, context| decode(arguments, "base64", context),
        "hexEncode" => |_, arguments, context| {
            let bytes = data(&argument(arguments, 0), context)?;
            Ok(JsString::from(hex(&bytes)).into())
        },
        "hexDecode" => |_, arguments, context| decode(arguments, "hex", context),
        "uuid" => |_, _, _| Ok(JsString::from(uuid()).into()),
        "parseCookies" => parse_cookies,
        "ipInRange" => ip_in_range,
        _ => return None,
    })
}

fn decode(arguments: &[JsValue], encoding: &str, context: &mut Context) -> JsResult<JsValue> {
    let value = text(&argument(arguments, 0), context)?;
    let bytes = decode_text(&value, encoding)
        .ok_or_else(|| JsNativeError::typ().with_message(format!("this is not {encoding}")))?;
    array_buffer(&bytes, context)
}

fn parse_cookies(_: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let line = text(&argument(arguments, 0), context)?;
    let object = JsObject::with_object_proto(context.intrinsics());
    for (name, value) in crate::cookies::parse(&line) {
        object.create_data_property_or_throw(JsString::from(name), JsString::from(value), context)?;
    }
    Ok(object.into())
}

fn ip_in_range(_: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let (ip, range) = (text(&argument(arguments, 0), context)?, text(&argument(arguments, 1), context)?);
    Ok(crate::ip_range::contains(&range, &ip)?.into())
}
