//! `fetch`.
//!
//! Each hop of a redirect is checked like a request of its own: its host needs a permission, and its address is looked at
//! where it connects.

mod send;

use std::time::Duration;

use ::url::Url;
use boa_engine::object::FunctionObjectBuilder;
use boa_engine::object::builtins::{JsArray, JsFunction};
use boa_engine::{Context, JsNativeError, JsResult, JsString, JsValue, NativeFunction, js_string};
use boa_gc::{Finalize, GcRefCell, Trace};
use bytes::Bytes;
use dgate_core::Body;
use dgate_core::capability::FetchError;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Response};

use self::send::{Hop, Redirect, Refusal, follow, scope};
use super::granted;
use super::system::unavailable;
use crate::engine::api::{body, fetch_response, headers, prelude, testing, url};
use crate::engine::host::Host;
use crate::engine::ops::{self, Outcome, named_error};
use crate::engine::values::{argument, at_least, bytes, text};
use crate::permission::HTTP;

/// How long an answer's head may take when nothing else is said.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What `fetch` knows of its importer.
#[derive(Trace, Finalize)]
struct Importer {
    #[unsafe_ignore_trace]
    index: usize,
    /// The prelude's `fetch`, once it was needed.
    with_request: GcRefCell<Option<JsFunction>>,
}

/// `fetch` for an importer.
pub(super) fn fetch(importer: usize, context: &mut Context) -> JsValue {
    let native = NativeFunction::from_copy_closure_with_captures(
        |_, arguments, importer: &Importer, context| {
            if let Some(mock) = testing::mock(context) {
                return mocked(importer.index, mock, arguments, context);
            }
            match Plain::read(arguments, context) {
                Ok(Some(plain)) => {
                    let begun = begin(importer.index, plain, context);
                    begun.map(|(_, promise)| promise).or_else(|error| body::settled(Err(error), context))
                }
                Ok(None) => with_request(importer, arguments, context),
                Err(error) => body::settled(Err(error), context),
            }
        },
        Importer { index: importer, with_request: GcRefCell::default() },
    );
    let realm = context.realm().clone();
    let function = FunctionObjectBuilder::new(&realm, native).name(js_string!("fetch")).length(1).build();
    function.into()
}

/// `fetch` of a `Request`, or with a signal.
fn with_request(importer: &Importer, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let known = importer.with_request.borrow().clone();
    let fetch = match known {
        Some(fetch) => fetch,
        None => {
            let make = prelude::function("makeFetch", context)?;
            let send = NativeFunction::from_copy_closure_with_captures(
                |_, arguments, importer: &usize, context| send(*importer, arguments, context),
                importer.index,
            );
            let send = send.to_js_function(context.realm());
            let made = make.call(&JsValue::undefined(), &[send.into()], context)?;
            let made = made.as_function().ok_or_else(|| unavailable("fetch"))?;
            *importer.with_request.borrow_mut() = Some(made.clone());
            made
        }
    };
    fetch.call(&JsValue::undefined(), arguments, context)
}

/// The same, answered by a test.
fn mocked(
    importer: usize,
    mock: JsFunction,
    arguments: &[JsValue],
    context: &mut Context,
) -> JsResult<JsValue> {
    let make = prelude::function("makeMockedFetch", context)?;
    let check = NativeFunction::from_copy_closure_with_captures(
        |_, arguments, importer: &usize, context| {
            let url = text(&argument(arguments, 0), context)?;
            let url =
                Url::parse(&url).map_err(|error| JsNativeError::typ().with_message(error.to_string()))?;
            let scope = scope(&url)?;
            let _granted = granted(*importer, HTTP, Some(&scope), context)?;
            Ok(JsValue::undefined())
        },
        importer,
    );
    let check = check.to_js_function(context.realm());
    let fetch = make.call(&JsValue::undefined(), &[check.into(), mock.into()], context)?;
    let fetch = fetch.as_callable().ok_or_else(|| unavailable("fetch"))?;
    fetch.call(&JsValue::undefined(), arguments, context)
}

/// What is to be sent, as a module said it.
struct Plain {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
    redirect: Redirect,
    timeout: Duration,
}

impl Plain {
    /// Of `(input, init)`; nothing when that takes a `Request` or a signal.
    fn read(arguments: &[JsValue], context: &mut Context) -> JsResult<Option<Self>> {
        at_least("fetch", 1, arguments)?;
        let (input, init) = (argument(arguments, 0), argument(arguments, 1));
        let object = input.as_object();
        let known = object.as_ref().and_then(url::of);
        if object.is_some() && known.is_none() && prelude::is_loaded(context) {
            return Ok(None);
        }
        let init = fetch_response::options(&init)?;
        let get = |name: JsString, context: &mut Context| match &init {
            Some(init) => init.get(name, context),
            None => Ok(JsValue::undefined()),
        };
        if !get(js_string!("signal"), context)?.is_null_or_undefined() {
            return Ok(None);
        }
        let url = match known {
            Some(url) => url,
            None => url::parse(&text(&input, context)?, None)?,
        };
        if !url.username().is_empty() || url.password().is_some() {
            let message = "a URL of a request holds no credentials";
            return Err(JsNativeError::typ().with_message(message).into());
        }
        let method = match get(js_string!("method"), context)? {
            none if none.is_undefined() => Method::GET,
            method => read_method(&text(&method, context)?)?,
        };
        let body = get(js_string!("body"), context)?;
        let body = fetch_response::bytes_of_body(&body, context)?;
        if body.is_some() && (method == Method::GET || method == Method::HEAD) {
            let message = format!("a {method} request has no body");
            return Err(JsNativeError::typ().with_message(message).into());
        }
        let headers = get(js_string!("headers"), context)?;
        let mut headers =
            if headers.is_null() { HeaderMap::new() } else { headers::read_init(&headers, context)? };
        let body = body.map(|(body, kind)| {
            if let Some(kind) = kind {
                headers.entry(CONTENT_TYPE).or_insert(kind);
            }
            body
        });
        let redirect = match get(js_string!("redirect"), context)? {
            none if none.is_undefined() => Redirect::Follow,
            redirect => Redirect::named(&text(&redirect, context)?)?,
        };
        let timeout = match get(js_string!("timeout"), context)? {
            none if none.is_undefined() => TIMEOUT,
            timeout => super::duration(&timeout, context)?,
        };
        Ok(Some(Self { method, url, headers, body: body.unwrap_or_default(), redirect, timeout }))
    }
}

/// Some methods are known in capitals only.
fn read_method(written: &str) -> JsResult<Method> {
    let upper = written.to_ascii_uppercase();
    let known = matches!(upper.as_str(), "DELETE" | "GET" | "HEAD" | "OPTIONS" | "POST" | "PUT");
    let refused = matches!(upper.as_str(), "CONNECT" | "TRACE" | "TRACK");
    let method = Method::from_bytes(if known { upper.as_bytes() } else { written.as_bytes() });
    method.ok().filter(|_| !refused).ok_or_else(|| {
        JsNativeError::typ().with_message(format!("{written} is no method of a request")).into()
    })
}

/// `(method, url, headers, body, redirect, timeout)` gives `[operation, promise]`.
fn send(importer: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let method = read_method(&text(&argument(arguments, 0), context)?)?;
    let url = url::parse(&text(&argument(arguments, 1), context)?, None)?;
    let headers = headers::copy_of(&argument(arguments, 2)).unwrap_or_default();
    let body = argument(arguments, 3);
    let body = if body.is_null_or_undefined() { Bytes::new() } else { bytes(&body, context)?.into() };
    let redirect = Redirect::named(&text(&argument(arguments, 4), context)?)?;
    let timeout = argument(arguments, 5);
    let timeout =
        if timeout.is_undefined() { TIMEOUT } else { prelude::milliseconds(timeout.to_number(context)?) };
    let plain = Plain { method, url, headers, body, redirect, timeout };
    let (operation, promise) = begin(importer, plain, context)?;
    Ok(JsArray::from_iter([JsValue::from(operation as f64), promise], context).into())
}

/// Begins to send: the number of the operation, and the promise of a `Response`.
fn begin(importer: usize, plain: Plain, context: &mut Context) -> JsResult<(u64, JsValue)> {
    let Plain { method, url, mut headers, body, redirect, timeout } = plain;
    headers
        .entry(USER_AGENT)
        .or_insert(HeaderValue::from_static(concat!("dgate/", env!("CARGO_PKG_VERSION"))));
    let scope = scope(&url)?;
    let granted = granted(importer, HTTP, Some(&scope), context)?;
    let host = Host::of(context);
    let fetch = host.capabilities.fetch.get().cloned().ok_or_else(|| unavailable("client"))?;
    let permissions = host.program.modules[importer].permissions.clone();
    let next = host.operations.next_id();
    let hop = Hop { method, url, headers, body, granted };
    let promise = ops::promise(
        async move {
            let answer = follow(fetch, permissions, hop, redirect, timeout).await;
            Box::new(move |context: &mut Context| answered(importer, answer, context)) as Outcome
        },
        context,
    )?;
    Ok((next, promise))
}

/// The `Response`, or why there is none.
fn answered(
    importer: usize,
    answer: Result<(Response<Body>, Url, bool), Refusal>,
    context: &mut Context,
) -> JsResult<JsValue> {
    let (response, url, redirected) = match answer {
        Ok(answer) => answer,
        Err(Refusal::Denied(message)) => return Err(super::denied(importer, &message, context)),
        Err(Refusal::Failed(FetchError::Timeout(time))) => {
            return Err(named_error("TimeoutError", &format!("fetch: no answer within {time:?}"), context));
        }
        Err(Refusal::Failed(error @ FetchError::AddressRefused(_))) => {
            return Err(super::denied(importer, &format!("fetch: {error}"), context));
        }
        Err(Refusal::Failed(error)) => {
            return Err(named_error("TypeError", &format!("fetch failed: {error}"), context));
        }
    };
    let (head, body) = response.into_parts();
    Ok(fetch_response::fetched(head, body, url, redirected, context).into())
}
