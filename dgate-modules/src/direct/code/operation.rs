//! What a hook reads of a request, and does with it and with answers.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};

use super::{Json, Node, Reply};
use crate::typescript::Place;

/// A name of a header.
#[derive(Debug)]
pub(crate) enum Name {
    Known(HeaderName),
    Made(Node),
}

/// A value of a header.
#[derive(Debug)]
pub(crate) enum Value {
    Known(HeaderValue),
    Made(Node),
}

/// Whose headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Upstream,
    Response,
}

/// What can be read without more ado.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Read {
    Id,
    Namespace,
    Route,
    /// The service's name, `undefined` without one; not so, an error, when it was not asked with `?.`.
    Service {
        optional: bool,
        place: Place,
    },
    /// A variable of the module's environment.
    Env(Arc<str>),
    NodeId,
    NodeVersion,
    Method,
    Path,
    Url,
    Host,
    RequestProtocol,
    RemoteAddress,
    /// The `URL` of the `Request` of a fetch-style handler, and its method.
    FetchUrl,
    FetchMethod,
    RequestLength,
    HeadersSent,
    StatusCode,
    StatusText,
    UpstreamProtocol,
    UpstreamLength,
    ErrorName,
    ErrorMessage,
    ErrorCode,
    ErrorStatus,
}

/// What can be done with a request, or an answer.
#[derive(Debug)]
pub(crate) enum Operation {
    /// `ctx.get` and `ctx.set`.
    Shared(Node),
    Share(Node, Node),
    PathParameter(Node),
    DomainParameter(Node),
    Query(Node),
    HasQuery(Node),
    /// A parameter of the query of the `URL` that is in a variable.
    UrlQuery(usize, Node),
    HasUrlQuery(usize, Node),
    GetHeader(Side, Name),
    HasHeader(Side, Name),
    SetHeader(Side, Name, Value),
    AppendHeader(Side, Name, Value),
    DeleteHeader(Side, Name),
    SetMethod(Node),
    SetPath(Node),
    /// `writeJson` of a request, or of an upstream's answer.
    WriteJson(Side, Json),
    /// `writeBody`, likewise.
    WriteText(Side, Node),
    Status(Side, Node),
    Redirect(Side, Node, Option<Node>),
    RedirectPermanently(Side, Node),
    Cookie(Side, Box<Cookie>),
    GetCookie(Node),
    Location(Node),
    /// A `Response` that a hook returns.
    Reply(Box<Reply>),
    /// `json(…)`, and `send` and `end` of objects.
    AnswerJson(Json),
    /// `send` of a text.
    Send(Node),
    /// `end`, with a text or without.
    End(Node),
    /// `write` of a text.
    WriteMore(Node),
    WriteMoreJson(Json),
}

/// A cookie that is set.
#[derive(Debug)]
pub(crate) struct Cookie {
    pub(crate) name: Node,
    pub(crate) value: Node,
    /// In the order of [`SetCookie`](crate::cookies::SetCookie): the option's own name, and its value.
    pub(crate) options: Vec<(Box<str>, Node)>,
}

impl Operation {
    /// Whether something is not as before.
    pub(crate) fn changes(&self) -> bool {
        !matches!(
            self,
            Self::Shared(_)
                | Self::PathParameter(_)
                | Self::DomainParameter(_)
                | Self::Query(_)
                | Self::HasQuery(_)
                | Self::UrlQuery(..)
                | Self::HasUrlQuery(..)
                | Self::GetHeader(..)
                | Self::HasHeader(..)
                | Self::GetCookie(_)
        )
    }
}
