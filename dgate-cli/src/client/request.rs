//! One request, from its parts to its answer.

use std::time::Instant;

use bytes::Bytes;
use dgate_core::Body;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, LOCATION, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use hyper::body::Incoming;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::address::Address;
use super::connect::{RequestBody, connect};
use super::{Answer, Client, Events, problem};
use crate::exit::Exit;
use crate::failure::Failure;

/// What stands for itself in paths and queries (RFC 3986, section 2.3).
pub(super) const UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The largest answer that is read.
const LARGEST: usize = 256 << 20;

/// How often a redirect is followed.
const MOST_REDIRECTS: usize = 10;

/// A request that has not been sent yet.
#[derive(Debug)]
#[must_use = "a request does nothing until it is sent"]
pub(crate) struct Request<'a> {
    client: &'a Client,
    method: Method,
    path: String,
    query: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl<'a> Request<'a> {
    pub(super) fn new(client: &'a Client, method: Method, path: String) -> Self {
        Self { client, method, path, query: String::new(), headers: Vec::new(), body: Bytes::new() }
    }

    /// Adds a query parameter.
    pub(crate) fn query(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.query.push(if self.query.is_empty() { '?' } else { '&' });
        self.query.extend([name, "="]);
        self.query.extend(utf8_percent_encode(value.as_ref(), UNRESERVED));
        self
    }

    /// Adds a query parameter if there is a value.
    pub(crate) fn query_if(self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Adds a query parameter `name=true` if a flag is set.
    pub(crate) fn flag(self, name: &str, is_set: bool) -> Self {
        if is_set { self.query(name, "true") } else { self }
    }

    /// Adds a header. The value is a revision or another word that a header may hold.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        let value = HeaderValue::try_from(value).unwrap_or_else(|_| HeaderValue::from_static(""));
        self.headers.push((name, value));
        self
    }

    /// Sends a JSON value along.
    pub(crate) fn json(self, value: &Value) -> Self {
        self.body("application/json", value.to_string())
    }

    /// Sends a body of any type along.
    pub(crate) fn body(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.headers.push((CONTENT_TYPE, HeaderValue::from_static(content_type)));
        self.body = body.into();
        self
    }

    /// Sends it, and reads the whole answer.
    ///
    /// # Errors
    /// When the server cannot be reached, does not answer in time, or answers with an error.
    pub(crate) async fn send(self) -> Result<Answer, Failure> {
        let timeout = self.client.settings.timeout;
        let whole = async {
            let response = self.exchange().await?;
            let (head, body) = response.into_parts();
            let body = Body::new(body)
                .collect_limited(LARGEST)
                .await
                .map_err(|error| Failure::new(Exit::Unreachable, format!("the answer broke off: {error}")))?;
            Ok(Answer::new(head, body.bytes))
        };
        let answer = tokio::time::timeout(timeout, whole).await.map_err(|_| self.too_slow())??;
        if answer.status.is_success() { Ok(answer) } else { Err(problem::failure(&answer, &self.target())) }
    }

    /// Sends it, and reads the answer event by event.
    ///
    /// # Errors
    /// When the server cannot be reached, does not begin to answer in time, or answers with an error.
    pub(crate) async fn events(mut self) -> Result<Events, Failure> {
        self.headers.push((ACCEPT, HeaderValue::from_static("text/event-stream")));
        let timeout = self.client.settings.timeout;
        let response =
            tokio::time::timeout(timeout, self.exchange()).await.map_err(|_| self.too_slow())??;
        let (head, body) = response.into_parts();
        if head.status.is_success() {
            return Ok(Events::new(Body::new(body)));
        }
        let body = tokio::time::timeout(timeout, Body::new(body).collect_limited(LARGEST)).await;
        let bytes = body.ok().and_then(Result::ok).map(|body| body.bytes).unwrap_or_default();
        Err(problem::failure(&Answer::new(head, bytes), &self.target()))
    }

    /// What is asked for, for people.
    fn target(&self) -> String {
        format!("{} {}{}", self.method, self.client.address, self.path)
    }

    fn too_slow(&self) -> Failure {
        let timeout = dgate_core::units::HumanDuration::from(self.client.settings.timeout);
        Failure::new(Exit::Unreachable, format!("{}: no answer within {timeout}", self.target()))
            .with_help("`--timeout` says how long to wait")
    }

    async fn exchange(&self) -> Result<Response<Incoming>, Failure> {
        let origin = &self.client.address;
        let mut address = origin.clone();
        let mut target = format!("{}{}{}", origin.path, self.path, self.query);
        let mut method = self.method.clone();
        for _ in 0..=MOST_REDIRECTS {
            let begun = Instant::now();
            let response = self.send_to(&address, &target, &method).await?;
            let status = response.status();
            if self.client.settings.verbose {
                let origin = Address { path: String::new(), ..address.clone() };
                let took = begun.elapsed().as_secs_f64() * 1_000.0;
                let output = self.client.settings.output;
                output.say(format!("HTTP/1.1 {method} {origin}{target} - {status} {took:.1}ms"));
            }
            if !status.is_redirection() || status == StatusCode::NOT_MODIFIED {
                return Ok(response);
            }
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let Some(location) = location else { return Ok(response) };
            if !self.client.settings.follow {
                let message = format!("{} is redirected to {location}", self.target());
                let help = "give `--follow` before the command, or set DGATE_FOLLOW_REDIRECTS=true";
                return Err(Failure::new(Exit::Failed, message).with_help(help));
            }
            if status == StatusCode::SEE_OTHER {
                method = Method::GET;
            }
            (address, target) = redirected(&address, location)?;
        }
        let message = format!("{} is redirected more than {MOST_REDIRECTS} times", self.target());
        Err(Failure::new(Exit::Failed, message))
    }

    async fn send_to(
        &self,
        address: &Address,
        target: &str,
        method: &Method,
    ) -> Result<Response<Incoming>, Failure> {
        let unreachable = |error: &dyn std::fmt::Display| {
            let place = Address { path: String::new(), ..address.clone() };
            Failure::new(Exit::Unreachable, format!("{place} cannot be reached: {error}"))
                .with_help("is the gateway running? `--admin URL` or DGATE_ADMIN_API say where it is")
        };
        let mut request = http::Request::builder()
            .method(method)
            .uri(target)
            .header(HOST, address.authority())
            .header(USER_AGENT, concat!("dgate-cli/", env!("CARGO_PKG_VERSION")));
        let body = if method == self.method { self.body.clone() } else { Bytes::new() };
        if let Some(headers) = request.headers_mut() {
            headers.extend(self.headers.iter().cloned().map(|(name, value)| (Some(name), value)));
            if address.is_same_origin(&self.client.address) {
                headers.extend(self.client.credentials.clone());
            }
        }
        let request = request
            .body(RequestBody::new(body))
            .map_err(|error| Failure::usage(format!("`{target}` cannot be asked for: {error}")))?;
        let mut connection =
            connect(address, self.client.tls.as_ref()).await.map_err(|error| unreachable(&error))?;
        connection.send_request(request).await.map_err(|error| unreachable(&error))
    }
}

/// Where a `Location` leads: another server, or another path on the same one.
fn redirected(from: &Address, location: &str) -> Result<(Address, String), Failure> {
    if location.starts_with('/') && !location.starts_with("//") {
        return Ok((from.clone(), location.to_owned()));
    }
    let uri: http::Uri = location
        .parse()
        .map_err(|_| Failure::new(Exit::Failed, format!("the redirect to `{location}` makes no sense")))?;
    let address = Address::parse(location)?;
    let target = uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    Ok((address, target))
}
