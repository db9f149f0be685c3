//! `dgate/util`, and text in other clothes.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use boa_engine::{Context, JsNativeError, JsObject, JsResult, JsString, JsValue};

use super::Function;
use crate::engine::values::{argument, array_buffer, data, text};
use crate::random::{hex, uuid};

pub(super) fn function(export: &str) -> Option<Function> {
    Some(match export {
        "base64Encode" => |_, arguments, context| {
            let bytes = data(&argument(arguments, 0), context)?;
            Ok(JsString::from(STANDARD.encode(bytes)).into())
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

/// Bytes as text in an encoding; nothing when there is no such encoding.
pub(in crate::engine::api) fn encode_text(bytes: &[u8], encoding: &str) -> Option<String> {
    Some(match encoding {
        "hex" => hex(bytes),
        "base64" | "b64" => STANDARD.encode(bytes),
        "base64raw" | "b64raw" => STANDARD_NO_PAD.encode(bytes),
        "base64url" | "b64url" => URL_SAFE.encode(bytes),
        "base64rawurl" | "b64rawurl" => URL_SAFE_NO_PAD.encode(bytes),
        "utf8" | "utf-8" => String::from_utf8_lossy(bytes).into_owned(),
        "latin1" | "binary" => bytes.iter().map(|byte| char::from(*byte)).collect(),
        _ => return None,
    })
}

/// The bytes of a text in an encoding.
pub(in crate::engine::api) fn decode_text(text: &str, encoding: &str) -> Option<Vec<u8>> {
    match encoding {
        "hex" => {
            let digits = text.as_bytes();
            if !digits.len().is_multiple_of(2) {
                return None;
            }
            let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
            digits.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
        }
        "base64" | "b64" | "base64raw" | "b64raw" | "base64url" | "b64url" | "base64rawurl" | "b64rawurl" => {
            let plain = text.trim().trim_end_matches('=').replace('-', "+").replace('_', "/");
            STANDARD_NO_PAD.decode(plain).ok()
        }
        "utf8" | "utf-8" => Some(text.as_bytes().to_vec()),
        "latin1" | "binary" => text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect(),
        _ => None,
    }
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
    let bad = |text: &str| JsNativeError::typ().with_message(format!("`{text}` is no address or range"));
    let ip: std::net::IpAddr = ip.parse().map_err(|_| bad(&ip))?;
    let inside = match range.parse::<ipnet::IpNet>() {
        Ok(net) => net.contains(&ip.to_canonical()),
        Err(_) => range.parse::<std::net::IpAddr>().map_err(|_| bad(&range))? == ip,
    };
    Ok(inside.into())
}
