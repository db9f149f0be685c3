//! `TextEncoder` and `TextDecoder`.

use std::cell::RefCell;

use boa_engine::object::builtins::JsUint8Array;
use boa_engine::property::PropertyKey;
use boa_engine::{Context, JsData, JsNativeError, JsObject, JsResult, JsString, JsValue, js_string};
use boa_gc::{Finalize, Trace};
use encoding_rs::{CoderResult, DecoderResult, Encoding, UTF_8};

use super::define::{self, Member};
use super::encoding::uint8_array;
use crate::engine::values::{argument, array_bytes_mut, at_least, buffer_bytes, text};

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let encoder = define::prototype(
        &[
            Member::Get("encoding", |_, _, _| Ok(js_string!("utf-8").into())),
            Member::Method("encode", 0, |_, arguments, context| {
                let value = argument(arguments, 0);
                let text = if value.is_undefined() { String::new() } else { text(&value, context)? };
                uint8_array(text.as_bytes(), context)
            }),
            Member::Method("encodeInto", 2, encode_into),
        ],
        context,
    )?;
    // Instances have no state: the prototype is as good as any.
    define::class(
        "TextEncoder",
        0,
        |new_target, _, context| {
            Ok(JsObject::from_proto_and_data(Some(prototype_of(new_target, context)?), ()).into())
        },
        &encoder,
        context,
    )?;
    let decoder = define::prototype(
        &[
            Member::Get("encoding", |this, _, _| {
                with(this, |decoder| JsString::from(decoder.encoding.name().to_ascii_lowercase()).into())
            }),
            Member::Get("fatal", |this, _, _| with(this, |decoder| decoder.fatal.into())),
            Member::Get("ignoreBOM", |this, _, _| with(this, |decoder| decoder.keep_mark.into())),
            Member::Method("decode", 0, decode),
        ],
        context,
    )?;
    define::class("TextDecoder", 0, construct, &decoder, context)?;
    Ok(())
}

/// What instances inherit from; an error without `new`.
fn prototype_of(new_target: &JsValue, context: &mut Context) -> JsResult<JsObject> {
    let without = || JsNativeError::typ().with_message("text encoders and decoders are made with `new`");
    let class = new_target.as_object().ok_or_else(without)?;
    class.get(js_string!("prototype"), context)?.as_object().ok_or_else(|| without().into())
}

/// `encodeInto(text, array)`: as many whole characters as fit.
fn encode_into(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    at_least("encodeInto", 2, arguments)?;
    let source = argument(arguments, 0).to_string(context)?;
    let no_array = || JsNativeError::typ().with_message("`encodeInto` needs a `Uint8Array`");
    let target = argument(arguments, 1).as_object().ok_or_else(no_array)?;
    JsUint8Array::from_object(target.clone()).map_err(|_| no_array())?;
    let (mut read, mut written) = (0_usize, 0_usize);
    array_bytes_mut(&target, context, |bytes| {
        for character in char::decode_utf16(source.iter()) {
            let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
            let Some(place) = bytes.get_mut(written..written + character.len_utf8()) else { break };
            character.encode_utf8(place);
            written += character.len_utf8();
            read += character.len_utf16();
        }
    })?;
    let object = JsObject::with_object_proto(context.intrinsics());
    for (name, count) in [(js_string!("read"), read), (js_string!("written"), written)] {
        object.create_data_property_or_throw(
            PropertyKey::from(name),
            JsValue::from(count as f64),
            context,
        )?;
    }
    Ok(object.into())
}

/// What is behind a `TextDecoder`.
#[derive(Trace, Finalize, JsData)]
struct Decoder {
    #[unsafe_ignore_trace]
    encoding: &'static Encoding,
    #[unsafe_ignore_trace]
    fatal: bool,
    #[unsafe_ignore_trace]
    keep_mark: bool,
    /// In the middle of a text.
    #[unsafe_ignore_trace]
    stream: RefCell<Option<encoding_rs::Decoder>>,
}

fn with<R>(this: &JsValue, work: impl FnOnce(&Decoder) -> R) -> JsResult<R> {
    let object = this.as_object();
    let data = object.as_ref().and_then(|object| object.downcast_ref::<Decoder>());
    let data = data.ok_or_else(|| JsNativeError::typ().with_message("this is no `TextDecoder`"))?;
    Ok(work(&data))
}

fn construct(new_target: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let prototype = prototype_of(new_target, context)?;
    let label = argument(arguments, 0);
    let encoding = if label.is_undefined() {
        UTF_8
    } else {
        let label = text(&label, context)?;
        let found = Encoding::for_label_no_replacement(label.as_bytes());
        found.ok_or_else(|| JsNativeError::range().with_message(format!("there is no encoding `{label}`")))?
    };
    let mut decoder = Decoder { encoding, fatal: false, keep_mark: false, stream: RefCell::default() };
    if let Some(options) = options(&argument(arguments, 1))? {
        decoder.fatal = options.get(js_string!("fatal"), context)?.to_boolean();
        decoder.keep_mark = options.get(js_string!("ignoreBOM"), context)?.to_boolean();
    }
    Ok(JsObject::from_proto_and_data(Some(prototype), decoder).into())
}

/// Options, if there are any.
fn options(value: &JsValue) -> JsResult<Option<JsObject>> {
    match value.as_object() {
        None if !value.is_null_or_undefined() => {
            Err(JsNativeError::typ().with_message("options are an object").into())
        }
        options => Ok(options),
    }
}

/// `decode(bytes, { stream })`.
fn decode(this: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    with(this, |_| ())?;
    let value = argument(arguments, 0);
    let bytes = match buffer_bytes(&value, context)? {
        Some(bytes) => bytes,
        None if value.is_undefined() => Vec::new(),
        None => return Err(JsNativeError::typ().with_message("`decode` needs a buffer").into()),
    };
    let goes_on = match options(&argument(arguments, 1))? {
        Some(options) => options.get(js_string!("stream"), context)?.to_boolean(),
        None => false,
    };
    with(this, |decoder| decoder.decode(&bytes, goes_on))?
        .map(|text| JsString::from(text).into())
        .ok_or_else(|| JsNativeError::typ().with_message("the bytes are not in this encoding").into())
}

impl Decoder {
    /// The text of some bytes, nothing when it must be right and is not. `goes_on`: more will come.
    fn decode(&self, bytes: &[u8], goes_on: bool) -> Option<String> {
        let mut decoder = self.stream.take().unwrap_or_else(|| {
            if self.keep_mark {
                self.encoding.new_decoder_without_bom_handling()
            } else {
                self.encoding.new_decoder_with_bom_removal()
            }
        });
        let mut text = String::with_capacity(bytes.len() + 16);
        let mut rest = bytes;
        loop {
            let read = if self.fatal {
                match decoder.decode_to_string_without_replacement(rest, &mut text, !goes_on) {
                    (DecoderResult::InputEmpty, _) => break,
                    (DecoderResult::OutputFull, read) => read,
                    (DecoderResult::Malformed(..), _) => return None,
                }
            } else {
                match decoder.decode_to_string(rest, &mut text, !goes_on) {
                    (CoderResult::InputEmpty, ..) => break,
                    (CoderResult::OutputFull, read, _) => read,
                }
            };
            rest = &rest[read..];
            text.reserve(rest.len() * 2 + 16);
        }
        if goes_on {
            *self.stream.borrow_mut() = Some(decoder);
        }
        Some(text)
    }
}
