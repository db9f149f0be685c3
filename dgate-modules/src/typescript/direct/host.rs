//! What a hook reaches by way of `ctx`: what its members are, and what their calls do.

use oxc::ast::ast::Expression;

use super::expression::after;
use super::function::{Translator, Typed};
use super::url::url_member;
use super::{Result, refuse};
use crate::direct::code::{Constant, Name, Node, Operation, Read, Side, Value};
use crate::hook::Hook;
use crate::message;

/// The variable of a fetch-style handler that has the `URL` of its request.
pub(super) const FETCH_URL: usize = 0;

/// Something of the gateway's, known by what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host {
    Context,
    Namespace,
    Route,
    Service,
    Node,
    Env,
    Query,
    Request,
    /// `ctx.response()`.
    Response,
    Upstream,
    Headers(Side),
    /// What an error handler is told.
    Error,
    /// The `Request` of a fetch-style handler, and its headers, which are its own.
    FetchRequest,
    FetchHeaders,
    /// The `URL` in a variable of the function, and its query.
    Url(usize),
    UrlQuery(usize),
}

impl Host {
    /// Whether another function can have it.
    pub(super) fn can_be_given(self) -> bool {
        !matches!(self, Self::FetchRequest | Self::Url(_) | Self::UrlQuery(_))
    }
}

impl<'a, 'p> Translator<'a, 'p, '_> {
    /// `object.name`.
    pub(super) fn host_member(
        &mut self,
        host: Host,
        name: &str,
        optional: bool,
        offset: u32,
    ) -> Result<Typed> {
        let place = self.place(offset);
        let read = match (host, name) {
            (Host::Context, "env") => return Ok(Typed::host(Host::Env)),
            (Host::Request, "headers") => return Ok(Typed::host(Host::Headers(Side::Request))),
            (Host::Response, "headers") => return Ok(Typed::host(Host::Headers(Side::Response))),
            (Host::Upstream, "headers") => return Ok(Typed::host(Host::Headers(Side::Upstream))),
            (Host::Request, "query") => return self.query(offset),
            (Host::Url(slot), name) => return url_member(slot, name, offset),
            (Host::FetchRequest, "url") => return url_member(FETCH_URL, "href", offset),
            (Host::FetchRequest, "headers") => return Ok(Typed::host(Host::FetchHeaders)),
            (Host::FetchRequest, "method") => Read::FetchMethod,
            (Host::Context, "id") => Read::Id,
            (Host::Namespace, "name") => Read::Namespace,
            (Host::Route, "name") => Read::Route,
            (Host::Service, "name") => Read::Service { optional, place },
            (Host::Node, "id") => Read::NodeId,
            (Host::Node, "version") => Read::NodeVersion,
            // What all objects inherit is no variable.
            (Host::Env, name) if is_inherited(name) => return refuse(offset, format!("`env.{name}`")),
            (Host::Env, name) => Read::Env(name.into()),
            (Host::Request, "method") => Read::Method,
            (Host::Request, "path") => Read::Path,
            (Host::Request, "url") => Read::Url,
            (Host::Request, "host") => Read::Host,
            (Host::Request, "proto") => Read::RequestProtocol,
            (Host::Request, "remoteAddress") => Read::RemoteAddress,
            (Host::Request, "contentLength") => Read::RequestLength,
            (Host::Response, "headersSent") => Read::HeadersSent,
            (Host::Upstream, "statusCode") => Read::StatusCode,
            (Host::Upstream, "statusText") => Read::StatusText,
            (Host::Upstream, "protocol") => Read::UpstreamProtocol,
            (Host::Upstream, "contentLength") => Read::UpstreamLength,
            (Host::Error, "name") => Read::ErrorName,
            (Host::Error, "message") => Read::ErrorMessage,
            (Host::Error, "code") => Read::ErrorCode,
            (Host::Error, "status") => Read::ErrorStatus,
            _ => return refuse(offset, format!("the member `{name}`")),
        };
        Ok(Typed::value(Node::Read(read)))
    }

    /// The query as it is now. The engine's object remembers it, so that a path may not bring another one meanwhile.
    fn query(&mut self, offset: u32) -> Result<Typed> {
        (self.reads_query, self.needs.request) = (true, true);
        self.check_query(offset)?;
        Ok(Typed::host(Host::Query))
    }

    fn check_query(&self, offset: u32) -> Result<()> {
        if self.reads_query && self.sets_path {
            return refuse(offset, "the query of a request whose path is changed");
        }
        Ok(())
    }

    /// `object.name = value`.
    pub(super) fn host_assign(&mut self, host: Host, name: &str, value: Node, offset: u32) -> Result<Node> {
        let operation = match (host, name) {
            (Host::Request, "method") => Operation::SetMethod(value),
            (Host::Request, "path") => {
                self.sets_path = true;
                self.check_query(offset)?;
                Operation::SetPath(value)
            }
            (Host::Upstream, "statusCode") => Operation::Status(Side::Upstream, value),
            _ => return refuse(offset, format!("an assignment to `{name}`")),
        };
        Ok(self.operation(operation, offset))
    }

    /// `object.name(…)`.
    pub(super) fn host_call(
        &mut self,
        host: Host,
        name: &str,
        arguments: &[&'p Expression<'a>],
        offset: u32,
    ) -> Result<Typed> {
        let refused = || refuse(offset, format!("`{name}` of this"));
        match host {
            Host::Context => self.context_call(name, arguments, offset),
            Host::Query => {
                let name_of = self.value(Self::one(arguments, offset)?)?;
                let operation = match name {
                    "get" => Operation::Query(name_of),
                    "has" => Operation::HasQuery(name_of),
                    _ => return refused(),
                };
                Ok(self.done(operation, offset))
            }
            Host::Headers(side) => self.headers_call(side, name, arguments, offset),
            Host::FetchHeaders if matches!(name, "get" | "has") => {
                self.headers_call(Side::Request, name, arguments, offset)
            }
            Host::Url(_) | Host::UrlQuery(_) => self.url_call(host, name, arguments, offset),
            Host::Request => {
                let body = Self::one(arguments, offset)?;
                let operation = match name {
                    "writeJson" => Operation::WriteJson(Side::Request, self.json_of(body)?),
                    "writeBody" => self.written_to(Side::Request, body)?,
                    _ => return refused(),
                };
                Ok(self.itself(Host::Request, operation, offset))
            }
            Host::Response => self.response_call(name, arguments, offset),
            Host::Upstream => self.upstream_call(name, arguments, offset),
            _ => refused(),
        }
    }

    /// An operation that has a value.
    pub(super) fn done(&mut self, operation: Operation, offset: u32) -> Typed {
        Typed::value(self.operation(operation, offset))
    }

    /// An operation that returns the object it is one of.
    pub(super) fn itself(&mut self, host: Host, operation: Operation, offset: u32) -> Typed {
        let node = self.operation(operation, offset);
        after(node, Typed::host(host))
    }

    /// An operation, now that everything it works with was translated.
    pub(super) fn operation(&mut self, operation: Operation, offset: u32) -> Node {
        if matches!(operation, Operation::Shared(_)) {
            self.doubt.shares = true;
            self.doubt.shares_late |= self.changed;
        }
        self.changed |= operation.changes();
        Node::Operation(Box::new(operation), self.place(offset))
    }

    fn context_call(&mut self, name: &str, arguments: &[&'p Expression<'a>], offset: u32) -> Result<Typed> {
        let operation = match (name, arguments) {
            // The `Request` would not know of what is done with this one.
            ("request", []) if !self.is_fetch => {
                self.needs.request = true;
                return Ok(Typed::host(Host::Request));
            }
            ("response", []) => {
                self.needs.answer = true;
                return Ok(Typed::host(Host::Response));
            }
            ("upstream", []) if self.hook == Hook::ResponseModifier => {
                return Ok(Typed::host(Host::Upstream));
            }
            ("namespace", []) => return Ok(Typed::host(Host::Namespace)),
            ("route", []) => return Ok(Typed::host(Host::Route)),
            ("service", []) => return Ok(Typed::host(Host::Service)),
            ("node", []) => return Ok(Typed::host(Host::Node)),
            ("query", []) => return self.query(offset),
            ("pathParam", [name]) => Operation::PathParameter(self.value(name)?),
            ("domainParam", [name]) => Operation::DomainParameter(self.value(name)?),
            ("get", [key]) => Operation::Shared(self.value(key)?),
            ("set", [key, value]) => {
                let operation = Operation::Share(self.value(key)?, self.value(value)?);
                return Ok(self.itself(Host::Context, operation, offset));
            }
            _ => return refuse(offset, format!("`ctx.{name}`")),
        };
        Ok(self.done(operation, offset))
    }

    fn headers_call(
        &mut self,
        side: Side,
        method: &str,
        arguments: &[&'p Expression<'a>],
        offset: u32,
    ) -> Result<Typed> {
        let Some((name, rest)) = arguments.split_first() else {
            return refuse(offset, format!("`headers.{method}`"));
        };
        let name = Self::header_name(self.value(name)?);
        let operation = match (method, rest) {
            ("get", []) => Operation::GetHeader(side, name),
            ("has", []) => Operation::HasHeader(side, name),
            ("delete" | "del", []) => Operation::DeleteHeader(side, name),
            ("set", [value]) => Operation::SetHeader(side, name, self.header_value(value)?),
            ("append" | "add", [value]) => Operation::AppendHeader(side, name, self.header_value(value)?),
            _ => return refuse(offset, format!("`headers.{method}`")),
        };
        Ok(self.done(operation, offset))
    }

    pub(super) fn header_name(name: Node) -> Name {
        match name {
            Node::Constant(Constant::Text(text)) => match message::header_name(Some(text.as_bytes()), "") {
                Ok(name) => Name::Known(name),
                Err(_) => Name::Made(Node::Constant(Constant::Text(text))),
            },
            node => Name::Made(node),
        }
    }

    fn header_value(&mut self, value: &'p Expression<'a>) -> Result<Value> {
        Ok(match self.value(value)? {
            Node::Constant(Constant::Text(text)) => {
                let bytes = text.is_ascii().then_some(text.as_bytes());
                match message::header_value(bytes, "") {
                    Ok(value) => Value::Known(value),
                    Err(_) => Value::Made(Node::Constant(Constant::Text(text))),
                }
            }
            node => Value::Made(node),
        })
    }
}

/// Whether all objects have a member of this name.
fn is_inherited(name: &str) -> bool {
    const OBJECT: [&str; 12] = [
        "constructor",
        "hasOwnProperty",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "toLocaleString",
        "toString",
        "valueOf",
        "__proto__",
        "__defineGetter__",
        "__defineSetter__",
        "__lookupGetter__",
        "__lookupSetter__",
    ];
    OBJECT.contains(&name)
}
