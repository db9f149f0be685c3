//! `dgate/crypto`.

use boa_engine::object::builtins::JsArray;
use boa_engine::{Context, JsNativeError, JsObject, JsResult, JsString, JsValue, NativeFunction, js_string};

use super::Function;
use crate::bytes_text::encode_text;
use crate::engine::values::{argument, array_buffer, data, text};
use crate::hash;
use crate::random::{self, hex, uuid};

pub(super) fn function(export: &str) -> Option<Function> {
    Some(match export {
        "md5" => |_, a, c| digest("md5", a, c),
        "sha1" => |_, a, c| digest("sha1", a, c),
        "sha256" => |_, a, c| digest("sha256", a, c),
        "sha384" => |_, a, c| digest("sha384", a, c),
        "sha512" => |_, a, c| digest("sha512", a, c),
        "sha512_224" => |_, a, c| digest("sha512_224", a, c),
        "sha512_256" => |_, a, c| digest("sha512_256", a, c),
        "hmac" => hmac,
        "createHash" => |_, arguments, context| {
            let name = name(&argument(arguments, 0), context)?;
            builder(name, None, context)
        },
        "createHmac" => |_, arguments, context| {
            let name = name(&argument(arguments, 0), context)?;
            let key = data(&argument(arguments, 1), context)?;
            builder(name, Some(key), context)
        },
        "getHashes" => |_, _, context| {
            let names = hash::NAMES.map(|name| JsValue::from(JsString::from(name)));
            Ok(JsArray::from_iter(names, context).into())
        },
        "randomBytes" => random_bytes,
        "randomInt" => random_int,
        "randomUUID" => |_, _, _| Ok(JsString::from(uuid()).into()),
        "hexEncode" => |_, arguments, context| {
            let bytes = data(&argument(arguments, 0), context)?;
            Ok(JsString::from(hex(&bytes)).into())
        },
        "timingSafeEqual" => |_, arguments, context| {
            let (a, b) = (data(&argument(arguments, 0), context)?, data(&argument(arguments, 1), context)?);
            Ok(hash::is_same(&a, &b).into())
        },
        _ => return None,
    })
}

/// The name of a hash, as it is known here.
fn name(value: &JsValue, context: &mut Context) -> JsResult<&'static str> {
    let wanted = text(value, context)?;
    hash::named(&wanted)
        .ok_or_else(|| JsNativeError::typ().with_message(format!("there is no hash `{wanted}`")).into())
}

/// A digest in the encoding that is wanted, or as a buffer.
fn encoded(digest: &[u8], encoding: &JsValue, context: &mut Context) -> JsResult<JsValue> {
    if encoding.is_undefined() {
        return array_buffer(digest, context);
    }
    let encoding = text(encoding, context)?;
    match encode_text(digest, &encoding) {
        Some(text) => Ok(JsString::from(text).into()),
        None => {
            let message = format!(
                "there is no encoding `{encoding}`: it is hex, base64, base64raw, base64url or base64rawurl, or none for a buffer"
            );
            Err(JsNativeError::typ().with_message(message).into())
        }
    }
}

fn digest(name: &str, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let bytes = data(&argument(arguments, 0), context)?;
    let digest = hash::digest(name, &bytes).unwrap_or_default();
    encoded(&digest, &argument(arguments, 1), context)
}

fn hmac(_: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let name = name(&argument(arguments, 0), context)?;
    let key = data(&argument(arguments, 1), context)?;
    let message = data(&argument(arguments, 2), context)?;
    let digest = hash::keyed(name, &key, &message).unwrap_or_default();
    encoded(&digest, &argument(arguments, 3), context)
}

/// An object with `update(data)` and `digest(encoding)`.
fn builder(name: &'static str, key: Option<Vec<u8>>, context: &mut Context) -> JsResult<JsValue> {
    type State = (usize, boa_gc::GcRefCell<Vec<u8>>, Option<Vec<u8>>);
    let number = hash::NAMES.iter().position(|known| *known == name).unwrap_or_default();
    let state: boa_gc::Gc<State> = boa_gc::Gc::new((number, boa_gc::GcRefCell::default(), key));
    let object = JsObject::with_object_proto(context.intrinsics());
    let realm = context.realm().clone();
    let update = NativeFunction::from_copy_closure_with_captures(
        |this, arguments, state: &boa_gc::Gc<State>, context| {
            let more = data(&argument(arguments, 0), context)?;
            state.1.borrow_mut().extend_from_slice(&more);
            Ok(this.clone())
        },
        state.clone(),
    );
    let digest = NativeFunction::from_copy_closure_with_captures(
        |_, arguments, state: &boa_gc::Gc<State>, context| {
            let data = state.1.borrow().clone();
            let name = hash::NAMES[state.0];
            let digest = match &state.2 {
                Some(key) => hash::keyed(name, key, &data),
                None => hash::digest(name, &data),
            };
            encoded(&digest.unwrap_or_default(), &argument(arguments, 0), context)
        },
        state,
    );
    object.create_data_property_or_throw(js_string!("update"), update.to_js_function(&realm), context)?;
    object.create_data_property_or_throw(js_string!("digest"), digest.to_js_function(&realm), context)?;
    Ok(object.into())
}

fn random_bytes(_: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let count = argument(arguments, 0);
    let whole = count.as_number().filter(|count| count.fract() == 0.0 && (0.0..=65_536.0).contains(count));
    let count = whole.ok_or_else(|| {
        JsNativeError::range().with_message("`randomBytes` needs a whole number from 0 to 65536")
    })?;
    let mut random = vec![0; count as usize];
    random::fill(&mut random);
    array_buffer(&random, context)
}

/// `randomInt(max)` and `randomInt(min, max)`: at least `min`, less than `max`.
fn random_int(_: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let first = argument(arguments, 0).to_number(context)?;
    let second = argument(arguments, 1);
    let (min, max) = if second.is_undefined() { (0.0, first) } else { (first, second.to_number(context)?) };
    let range = max - min;
    let whole = |number: f64| number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_991.0;
    if !whole(min) || !whole(max) || !(1.0..=281_474_976_710_655.0).contains(&range) {
        return Err(JsNativeError::range().with_message("`randomInt` needs whole numbers, min < max").into());
    }
    let range = range as u64;
    // Values above the last multiple of the range would favour small results.
    let limit = u64::MAX - u64::MAX % range;
    loop {
        let mut bytes = [0; 8];
        random::fill(&mut bytes);
        let value = u64::from_le_bytes(bytes);
        if value < limit {
            return Ok((min + (value % range) as f64).into());
        }
    }
}
