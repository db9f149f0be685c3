//! Reading the body of a `Response`.

use std::future::Future as _;
use std::task::{Context as TaskContext, Poll, Waker};

use boa_engine::object::builtins::JsUint8Array;
use boa_engine::{Context, JsResult, JsString, JsValue};
use dgate_core::Body;
use dgate_core::body::{CollectError, Collected};

use super::{FetchResponse, Held, with};
use crate::engine::api::body::{self, Form};
use crate::engine::host::Host;
use crate::engine::limits::refused;
use crate::engine::ops::{self, Outcome, named_error};
use crate::failure::LimitKind;

/// What a module reads a body as.
#[derive(Clone, Copy)]
pub(super) enum As {
    Text,
    Json,
    Buffer,
    Bytes,
}

/// A promise of the body.
pub(super) fn read(this: &JsValue, wanted: As, context: &mut Context) -> JsResult<JsValue> {
    let taken = with(this, FetchResponse::take).and_then(|taken| taken);
    let value = match taken {
        Ok(Held::Stream(body)) => return collect(body, wanted, context),
        Ok(Held::Text(text)) => as_text(text, wanted, context),
        Ok(Held::Bytes(bytes)) => as_bytes(&bytes, wanted, context),
        Ok(Held::Nothing) => as_bytes(b"", wanted, context),
        Err(error) => Err(error),
    };
    body::settled(value, context)
}

/// Reads a body that may have to be waited for. What has come already costs no task and no turn of its own.
fn collect(body: Body, wanted: As, context: &mut Context) -> JsResult<JsValue> {
    let limit = Host::of(context).current().map_or(0, |call| call.limits().body);
    let mut reading = Box::pin(body.collect_limited(limit));
    if let Poll::Ready(read) = reading.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())) {
        let value = collected(read, wanted, limit, context);
        return body::settled(value, context);
    }
    let read = async move {
        let read = reading.await;
        Box::new(move |context: &mut Context| collected(read, wanted, limit, context)) as Outcome
    };
    ops::promise(read, context)
}

fn collected(
    read: Result<Collected, CollectError>,
    wanted: As,
    limit: usize,
    context: &mut Context,
) -> JsResult<JsValue> {
    match read {
        Ok(read) => as_bytes(&read.bytes, wanted, context),
        Err(CollectError::TooLarge) => {
            let message = format!("the body is larger than the module may read ({limit} bytes)");
            Err(refused(LimitKind::Body, message, context))
        }
        Err(error) => Err(named_error("TypeError", &error.to_string(), context)),
    }
}

fn as_bytes(bytes: &[u8], wanted: As, context: &mut Context) -> JsResult<JsValue> {
    match wanted {
        As::Text => body::convert(bytes, Form::Text, context),
        As::Json => body::convert(bytes, Form::Json, context),
        As::Buffer => body::convert(bytes, Form::Buffer, context),
        As::Bytes => Ok(JsUint8Array::from_iter(bytes.iter().copied(), context)?.into()),
    }
}

/// Text that was not sent is read as if it had been.
fn as_text(text: JsString, wanted: As, context: &mut Context) -> JsResult<JsValue> {
    match wanted {
        // Most texts are their own bytes.
        As::Text if text.iter().all(|unit| unit < 0x80) => Ok(text.into()),
        As::Text | As::Json | As::Buffer | As::Bytes => {
            as_bytes(text.to_std_string_lossy().as_bytes(), wanted, context)
        }
    }
}
