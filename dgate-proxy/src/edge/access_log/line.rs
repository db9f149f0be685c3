//! One line of the access log.

use std::borrow::Cow;
use std::fmt::Write as _;

use dgate_core::context::{RequestContext, RequestRecord};
use http::header::{HOST, REFERER, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Request, Uri, Version};
use jiff::Timestamp;
use serde::Serialize;

use super::redact::redacted;
use crate::metrics::Answered;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What the log wants to know of a request, kept until it is over.
#[derive(Debug)]
pub(crate) struct RequestLine {
    method: Method,
    uri: Uri,
    version: Version,
    host: Option<HeaderValue>,
    user_agent: Option<HeaderValue>,
    referer: Option<HeaderValue>,
    traceparent: Option<HeaderValue>,
}

#[derive(Serialize)]
struct Json<'a> {
    ts: String,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    client: String,
    method: &'a str,
    host: &'a str,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<Cow<'a, str>>,
    protocol: &'static str,
    status: u16,
    bytes: u64,
    namespace: &'a str,
    route: &'a str,
    service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'a str>,
    attempts: u32,
    variant: &'a str,
    duration_ms: f64,
    upstream_ms: f64,
    module_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    user_agent: &'a str,
}

impl RequestLine {
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        let header = |name| request.headers().get(name).cloned();
        let matched =
            request.extensions().get::<RequestContext>().and_then(|context| context.matched.as_ref());
        let uri = matched.map_or_else(|| request.uri().clone(), |matched| Uri::from(matched.path.clone()));
        Self {
            method: request.method().clone(),
            uri,
            version: request.version(),
            host: header(HOST),
            user_agent: header(USER_AGENT),
            referer: header(REFERER),
            traceparent: header(TRACEPARENT),
        }
    }

    /// What was sent in place of a request.
    pub(crate) fn unreadable() -> Self {
        Self {
            method: Method::from_bytes(b"-").unwrap_or_default(),
            uri: Uri::from_static("/"),
            version: Version::HTTP_11,
            host: None,
            user_agent: None,
            referer: None,
            traceparent: None,
        }
    }

    pub(super) fn json(&self, answered: &Answered<'_>, record: &RequestRecord, sent: u64) -> String {
        let route = record.route();
        let millis = |duration: std::time::Duration| (duration.as_secs_f64() * 1e6).round() / 1e3;
        let line = Json {
            ts: Timestamp::now().to_string(),
            request_id: record.id.as_str(),
            trace_id: self.trace_id(),
            client: record.client.ip.to_string(),
            method: self.method.as_str(),
            host: text(self.host.as_ref()),
            path: self.uri.path(),
            query: self.uri.query().map(redacted),
            protocol: protocol(self.version),
            status: answered.status.as_u16(),
            bytes: sent,
            namespace: route.map_or("-", |names| &names.namespace),
            route: route.map_or("-", |names| &names.route),
            service: route.map_or("-", |names| &names.service),
            endpoint: record.endpoint().map(|endpoint| &**endpoint),
            attempts: record.attempts(),
            variant: record.variant().map_or("-", |variant| variant),
            duration_ms: millis(answered.took),
            upstream_ms: millis(record.upstream_time()),
            module_ms: millis(record.module_time()),
            error: answered.error.map(dgate_core::ErrorKind::code),
            user_agent: text(self.user_agent.as_ref()),
        };
        let mut text = serde_json::to_string(&line).unwrap_or_default();
        text.push('\n');
        text
    }

    pub(super) fn common(&self, answered: &Answered<'_>, record: &RequestRecord, sent: u64) -> String {
        let mut line = String::with_capacity(256);
        let time = jiff::fmt::strtime::format(
            "%d/%b/%Y:%H:%M:%S %z",
            &Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC),
        );
        let _ = writeln!(
            line,
            "{} - - [{}] \"{} {} {}\" {} {sent} \"{}\" \"{}\"",
            record.client.ip,
            time.unwrap_or_default(),
            self.method,
            self.target(),
            protocol(self.version),
            answered.status.as_u16(),
            quoted(&self.referer()),
            quoted(text(self.user_agent.as_ref())),
        );
        line
    }

    /// Path and query. A quote is a valid part of neither, but some clients send it.
    fn target(&self) -> String {
        let path = self.uri.path();
        let target = match self.uri.query() {
            Some(query) => format!("{path}?{}", redacted(query)),
            None => path.to_owned(),
        };
        target.replace('"', "%22").replace('\\', "%5C")
    }

    fn referer(&self) -> Cow<'_, str> {
        let referer = text(self.referer.as_ref());
        match referer.split_once('?') {
            Some((page, query)) => format!("{page}?{}", redacted(query)).into(),
            None => referer.into(),
        }
    }

    /// The trace's identifier (W3C Trace Context, section 3.2).
    fn trace_id(&self) -> Option<&str> {
        let trace = text(self.traceparent.as_ref()).split('-').nth(1)?;
        let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (trace.len() == 32 && trace.bytes().all(is_hex)).then_some(trace)
    }
}

fn text(value: Option<&HeaderValue>) -> &str {
    value.and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// A text between quotes: what would end them is taken out.
fn quoted(text: &str) -> String {
    match text {
        "" => "-".to_owned(),
        text => text.replace(['"', '\\'], "'"),
    }
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2",
        Version::HTTP_3 => "HTTP/3",
        _ => "HTTP/1.1",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dgate_core::context::{ClientInfo, RequestId};
    use http::StatusCode;

    use super::*;

    fn line(target: &str, headers: &[(&str, &str)]) -> RequestLine {
        let mut request = Request::get(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        RequestLine::of(&request.body(()).unwrap())
    }

    fn written(
        line: &RequestLine,
        write: fn(&RequestLine, &Answered<'_>, &RequestRecord, u64) -> String,
    ) -> String {
        let client = ClientInfo { ip: "1.2.3.4".parse().unwrap(), trusted: false, tls: false };
        let record = RequestRecord::new(RequestId::generate(), client);
        let took = Duration::from_millis(7);
        let answered =
            Answered { method: &Method::GET, status: StatusCode::OK, took, error: None, variant: None };
        write(line, &answered, &record, 12)
    }

    #[test]
    fn nothing_ends_a_quoted_text_before_its_end() {
        let line =
            line("/a\"b?c=d", &[("user-agent", "x\" 200 \\"), ("referer", "http://r/\"?token=s3cret")]);
        let text = written(&line, RequestLine::common);
        assert!(
            text.contains("\"GET /a%22b?c=d HTTP/1.1\" 200 12 \"http://r/'?token=***\" \"x' 200 '\"\n"),
            "{text}"
        );
    }

    #[test]
    fn secrets_are_not_written() {
        let headers = [("authorization", "Bearer s3cret"), ("cookie", "id=s3cret"), ("x-api-key", "s3cret")];
        let line = line("/a?page=2&access_token=s3cret&api%5Fkey=s3cret", &headers);
        for write in [RequestLine::json, RequestLine::common] {
            let text = written(&line, write);
            assert!(!text.contains("s3cret"), "{text}");
            assert!(text.contains("page=2&access_token=***&api%5Fkey=***"), "{text}");
        }
    }

    #[test]
    fn only_a_trace_is_a_trace() {
        for (traceparent, expected) in [
            (
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                Some("0af7651916cd43dd8448eb211c80319c"),
            ),
            ("00-short-b7ad6b7169203331-01", None),
            ("nonsense", None),
        ] {
            assert_eq!(line("/", &[("traceparent", traceparent)]).trace_id(), expected, "{traceparent}");
        }
    }
}
