//! Sends a request through the gateway itself.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use dgate_core::Body;
use http::header::HOST;
use http::{HeaderName, HeaderValue, Request};

use crate::api::call::Call;
use crate::api::failure::Failure;
use crate::api::fixture::Fixture;
use crate::api::model::{Explain, SentAnswer};

/// How much of an answer's body is told.
const LARGEST_BODY: usize = 64 << 10;
/// How long an answer's body may take.
const LONGEST_BODY: Duration = Duration::from_secs(10);
/// Where answers of canary tags are forced.
const FORCED: HeaderName = HeaderName::from_static("x-dgate-canary");

/// Sends the request through the gateway itself, and tells what the answer was.
pub(super) async fn send(call: &Call, wish: &Explain) -> Result<SentAnswer, Failure> {
    let request = request(wish)?;
    let began = Instant::now();
    let (parts, mut body) = call.state.context.server.send(request).await.into_parts();
    let took_ms = began.elapsed().as_secs_f64() * 1e3;
    let (mut bytes, mut truncated) = (Vec::new(), false);
    let until = tokio::time::Instant::now() + LONGEST_BODY;
    // An endless stream is told as far as it has come.
    while !truncated {
        match tokio::time::timeout_at(until, body.frame()).await {
            Ok(Some(Ok(frame))) => bytes.extend(frame.into_data().iter().flatten()),
            Ok(Some(Err(_))) | Err(_) => truncated = true,
            Ok(None) => break,
        }
        truncated |= bytes.len() > LARGEST_BODY;
    }
    bytes.truncate(LARGEST_BODY);
    let mut shown: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let known = shown.entry(name.to_string()).or_default();
        *known = if known.is_empty() { value } else { format!("{known}, {value}") };
    }
    let body = String::from_utf8_lossy(&bytes).into_owned();
    Ok(SentAnswer { status: parts.status.as_u16(), headers: shown, body, truncated, took_ms })
}

fn request(wish: &Explain) -> Result<Request<Body>, Failure> {
    let fixture = Fixture::read(&wish.method, &wish.path, &wish.headers)?;
    let mut request = Request::builder().method(fixture.method.clone()).uri(fixture.target());
    if let Some(headers) = request.headers_mut() {
        *headers = fixture.headers;
        let host = HeaderValue::from_str(&wish.host);
        headers.entry(HOST).or_insert(host.map_err(|_| Failure::bad_request("`host` is no host"))?);
        if !wish.forced.is_empty() {
            let forced = HeaderValue::from_str(&wish.forced.join(", "));
            headers.insert(FORCED, forced.map_err(|_| Failure::bad_request("`forced` holds no tags"))?);
        }
    }
    let body = wish.body.clone().map_or_else(Body::empty, Body::full);
    let request = request.body(body);
    request.map_err(|error| Failure::bad_request(format!("the request cannot be sent: {error}")))
}
