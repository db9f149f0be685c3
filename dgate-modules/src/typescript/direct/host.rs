//! What a hook reaches by way of `ctx`: what its members are, and what their calls do.

use oxc::ast::ast::{Expression, ObjectPropertyKind, PropertyKind};
use oxc::span::GetSpan;

use super::expression::after;
use super::function::{Kind, Translator, Typed};
use super::{Result, refuse};
use crate::cookies::SetCookie;
use crate::direct::code::{Constant, Cookie, Name, Node, Operation, Read, Side, Value};
use crate::hook::Hook;
use crate::message;

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
        Ok(Node::Operation(Box::new(operation), self.place(offset)))
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
    fn done(&self, operation: Operation, offset: u32) -> Typed {
        Typed::value(Node::Operation(Box::new(operation), self.place(offset)))
    }

    /// An operation that returns the object it is one of.
    fn itself(&self, host: Host, operation: Operation, offset: u32) -> Typed {
        let node = Node::Operation(Box::new(operation), self.place(offset));
        after(node, Typed::host(host))
    }

    fn context_call(&mut self, name: &str, arguments: &[&'p Expression<'a>], offset: u32) -> Result<Typed> {
        let operation = match (name, arguments) {
            ("request", []) => {
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
        let name = match self.value(name)? {
            Node::Constant(Constant::Text(text)) => match message::header_name(Some(text.as_bytes()), "") {
                Ok(name) => Name::Known(name),
                Err(_) => Name::Made(Node::Constant(Constant::Text(text))),
            },
            node => Name::Made(node),
        };
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

    fn response_call(&mut self, name: &str, arguments: &[&'p Expression<'a>], offset: u32) -> Result<Typed> {
        let side = Side::Response;
        let operation = match (name, arguments) {
            ("status", [code]) => Operation::Status(side, self.value(code)?),
            ("json", [body]) => Operation::AnswerJson(self.json_of(body)?),
            ("send" | "end", []) => sent(name, Typed::value(Node::undefined()), offset)?,
            ("send" | "end" | "write", [body]) => {
                let body = self.expression(body)?;
                sent(name, body, offset)?
            }
            ("redirect", [url]) => Operation::Redirect(side, self.value(url)?, None),
            ("redirect", [url, code]) => Operation::Redirect(side, self.value(url)?, Some(self.value(code)?)),
            ("redirectPermanent", [url]) => Operation::RedirectPermanently(side, self.value(url)?),
            ("location", [url]) => Operation::Location(self.value(url)?),
            ("cookie", [name, value, options @ ..]) => {
                Operation::Cookie(side, Box::new(self.cookie(name, value, options, offset)?))
            }
            ("getCookie", [name]) => {
                let name = self.value(name)?;
                self.needs.request = true;
                return Ok(self.done(Operation::GetCookie(name), offset));
            }
            _ => return refuse(offset, format!("`response().{name}`")),
        };
        Ok(self.itself(Host::Response, operation, offset))
    }

    fn upstream_call(&mut self, name: &str, arguments: &[&'p Expression<'a>], offset: u32) -> Result<Typed> {
        let side = Side::Upstream;
        let operation = match (name, arguments) {
            ("status", [code]) => Operation::Status(side, self.value(code)?),
            ("writeJson", [body]) => Operation::WriteJson(side, self.json_of(body)?),
            ("writeBody", [body]) => self.written_to(side, body)?,
            ("redirect", [url]) => Operation::Redirect(side, self.value(url)?, None),
            ("redirect", [url, code]) => Operation::Redirect(side, self.value(url)?, Some(self.value(code)?)),
            ("redirectPermanent", [url]) => Operation::RedirectPermanently(side, self.value(url)?),
            ("cookie", [name, value, options @ ..]) => {
                Operation::Cookie(side, Box::new(self.cookie(name, value, options, offset)?))
            }
            _ => return refuse(offset, format!("`upstream().{name}`")),
        };
        Ok(self.itself(Host::Upstream, operation, offset))
    }

    /// `writeBody` of a text.
    fn written_to(&mut self, side: Side, body: &'p Expression<'a>) -> Result<Operation> {
        Ok(Operation::WriteText(side, self.value(body)?))
    }

    fn cookie(
        &mut self,
        name: &'p Expression<'a>,
        value: &'p Expression<'a>,
        options: &[&'p Expression<'a>],
        offset: u32,
    ) -> Result<Cookie> {
        let mut cookie = Cookie { name: self.value(name)?, value: self.value(value)?, options: Vec::new() };
        let object = match options {
            [] => return Ok(cookie),
            [Expression::ObjectExpression(object)] => object,
            _ => return refuse(offset, "options that do not stand in the call"),
        };
        for property in &object.properties {
            let ObjectPropertyKind::ObjectProperty(property) = property else {
                return refuse(property.span().start, "`...`");
            };
            let offset = property.span.start;
            let name = property.key.static_name().filter(|_| !property.computed);
            let Some(name) = name.filter(|_| property.kind == PropertyKind::Init && !property.method) else {
                return refuse(offset, "an option whose name is computed, or that is a function");
            };
            let is_option = SetCookie::TEXTS.iter().chain(&SetCookie::FLAGS).any(|(known, _)| *known == name);
            if !is_option && name != "expires" || cookie.options.iter().any(|(known, _)| **known == *name) {
                return refuse(offset, format!("the option `{name}`"));
            }
            cookie.options.push((name.into(), self.value(&property.value)?));
        }
        Ok(cookie)
    }
}

/// `send`, `end` and `write`.
fn sent(name: &str, body: Typed, offset: u32) -> Result<Operation> {
    Ok(match (body.kind, body.node, name) {
        (Kind::Json, node, "write") => Operation::WriteMoreJson(json(node)),
        (Kind::Json, node, _) => Operation::AnswerJson(json(node)),
        (Kind::Value, node, "send") => Operation::Send(node),
        (Kind::Value, node, "end") => Operation::End(node),
        (Kind::Value, node, _) => Operation::WriteMore(node),
        _ => return refuse(offset, "an object of the gateway's as a body"),
    })
}

fn json(node: Node) -> crate::direct::code::Json {
    match node {
        Node::Json(json, _) => *json,
        Node::Slot(slot) => crate::direct::code::Json::Slot(slot),
        node => crate::direct::code::Json::Value(node),
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
