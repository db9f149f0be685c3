//! The test server: an upstream that answers every request with what it saw.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use dgate_core::body::{Body, CollectError};
use http::header::HOST;
use http::{HeaderName, HeaderValue, Request, StatusCode};
use hyper::body::Incoming;
use serde_json::{Map, Value, json};

use crate::config::TestServer;
use crate::small_http::{Answer, SmallResponse, json as json_response};

/// The most bytes of a body that are shown.
const MOST: usize = 1 << 20;

/// The longest wait that can be asked for.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

impl Answer for TestServer {
    type Body = http_body_util::Full<bytes::Bytes>;

    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> SmallResponse {
        let mut response = match self.describe(request, peer).await {
            Ok(data) => json_response(StatusCode::OK, &json!({ "status_code": 200, "data": data })),
            Err((status, error)) => {
                json_response(status, &json!({ "status_code": status.as_u16(), "error": error }))
            }
        };
        for (name, value) in &self.global_headers {
            // Their syntax was checked when the configuration was read.
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

impl TestServer {
    async fn describe(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Value, (StatusCode, String)> {
        let (head, body) = request.into_parts();
        let wait = wait(head.uri.query()).map_err(|error| (StatusCode::BAD_REQUEST, error))?;
        if let Some(wait) = wait {
            tokio::time::sleep(wait).await;
        }
        let body = Body::new(body).collect_limited(MOST).await.map_err(|error| {
            let status = match error {
                CollectError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                CollectError::Failed(_) => StatusCode::BAD_REQUEST,
            };
            (status, format!("the body was not read: {error}"))
        })?;
        let mut headers: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for (name, value) in &head.headers {
            headers.entry(name.as_str()).or_default().push(String::from_utf8_lossy(value.as_bytes()));
        }
        let host = head.uri.authority().map(|authority| authority.as_str().to_owned());
        let host =
            host.or_else(|| head.headers.get(HOST)?.to_str().ok().map(str::to_owned)).unwrap_or_default();
        let mut data = Map::new();
        data.insert("method".to_owned(), head.method.as_str().into());
        let path = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        data.insert("path".to_owned(), path.into());
        data.insert("host".to_owned(), host.into());
        data.insert("remote_addr".to_owned(), peer.to_string().into());
        data.insert("req_headers".to_owned(), json!(headers));
        data.insert("body".to_owned(), shown(&body.bytes));
        data.insert("global_headers".to_owned(), json!(self.global_headers));
        if self.enable_env_vars {
            let variables: BTreeMap<_, _> =
                std::env::vars_os().map(|(name, value)| (lossy(&name), lossy(&value))).collect();
            data.insert("env".to_owned(), json!(variables));
        }
        if let Some(wait) = wait {
            data.insert("waited".to_owned(), humantime::format_duration(wait).to_string().into());
        }
        Ok(Value::Object(data))
    }
}

/// The body as text; what is no text is shown as well as it goes.
fn shown(body: &Bytes) -> Value {
    String::from_utf8_lossy(body).into()
}

fn lossy(text: &std::ffi::OsStr) -> String {
    text.to_string_lossy().into_owned()
}

/// The value of `?wait=`.
fn wait(query: Option<&str>) -> Result<Option<Duration>, String> {
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let Some((_, text)) = pairs.into_iter().find(|(name, _)| *name == "wait") else { return Ok(None) };
    let wait = humantime::parse_duration(text)
        .map_err(|error| format!("`{text}` is no duration ({error}); write `250ms` or `2s`"))?;
    if wait > LONGEST_WAIT {
        return Err(format!("`{text}` is too long; the most is 5m"));
    }
    Ok(Some(wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_durations() {
        assert_eq!(wait(None), Ok(None));
        assert_eq!(wait(Some("a=b&wait=250ms")), Ok(Some(Duration::from_millis(250))));
        assert!(wait(Some("wait=soon")).unwrap_err().contains("`soon` is no duration"));
        assert!(wait(Some("wait=1h")).unwrap_err().contains("too long"));
    }
}
