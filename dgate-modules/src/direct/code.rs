//! What a hook that needs no engine is translated to: a tree that is walked once for each call.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};

use crate::thrown::ErrorClass;
use crate::typescript::Place;

/// A hook, or a function that a hook calls.
#[derive(Debug)]
pub(crate) struct Function {
    /// Its name, as traces show it.
    pub(crate) name: Arc<str>,
    /// How many variables it has; its parameters are the first ones.
    pub(crate) slots: usize,
    pub(crate) body: Vec<Statement>,
    pub(crate) needs: Needs,
}

/// What a hook has to do with, as far as it matters to whoever calls it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// It looks at the request, or changes it.
    pub(crate) request: bool,
    /// It writes an answer of its own.
    pub(crate) answer: bool,
}

/// A statement.
#[derive(Debug)]
pub(crate) enum Statement {
    /// Computes something, for its effect.
    Run(Node),
    If {
        test: Node,
        then: Vec<Self>,
        otherwise: Vec<Self>,
    },
    Return(Node),
    Throw {
        class: ErrorClass,
        message: Node,
        place: Place,
    },
}

/// A value that is known beforehand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constant {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    Text(Arc<str>),
}

/// An expression.
#[derive(Debug)]
pub(crate) enum Node {
    Constant(Constant),
    /// A variable.
    Slot(usize),
    /// Gives a variable a value, which is that of the expression.
    Assign(usize, Box<Self>),
    /// Texts, one after the other: a template.
    Template(Vec<Self>, Place),
    Add(Box<[Self; 2]>, Place),
    Arithmetic(Arithmetic, Box<[Self; 2]>),
    Compare(Relation, Box<[Self; 2]>),
    /// `===`.
    Same(Box<[Self; 2]>),
    /// `== null`.
    IsNullish(Box<Self>),
    Not(Box<Self>),
    /// `-x`.
    Negate(Box<Self>),
    /// `+x`, `Number(x)`.
    ToNumber(Box<Self>),
    TypeOf(Box<Self>),
    And(Box<[Self; 2]>),
    Or(Box<[Self; 2]>),
    /// `??`.
    Coalesce(Box<[Self; 2]>),
    /// `a ? b : c`.
    Choose(Box<[Self; 3]>),
    /// The first for its effect, the second for its value.
    Then(Box<[Self; 2]>),
    /// `String(x)`.
    ToText(Box<Self>),
    /// `encodeURIComponent(x)`.
    Encode(Box<Self>, Place),
    /// `JSON.stringify(x)`.
    Json(Box<Json>, Place),
    /// `[…].includes(x)` of values that are known beforehand.
    OneOf(Arc<[Constant]>, Box<Self>),
    /// A method or the length of a text.
    Text(Box<TextCall>),
    /// A function of the module.
    Call(Box<Call>),
    /// Something of the request.
    Read(Read),
    /// Something that is done with the request or an answer.
    Operation(Box<Operation>, Place),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A call of a function of the module.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) function: Arc<Function>,
    pub(crate) arguments: Vec<Node>,
    pub(crate) place: Place,
}

/// A call of a text's method.
#[derive(Debug)]
pub(crate) struct TextCall {
    pub(crate) method: TextMethod,
    pub(crate) receiver: Node,
    pub(crate) arguments: Vec<Node>,
    /// `?.`: nothing comes of nothing.
    pub(crate) optional: bool,
    pub(crate) place: Place,
}

/// What texts can do here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextMethod {
    Length,
    ToLowerCase,
    ToUpperCase,
    Trim,
    StartsWith,
    EndsWith,
    Includes,
    IndexOf,
    Concat,
    ToString,
}

impl TextMethod {
    /// The method of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "toLowerCase" => Self::ToLowerCase,
            "toUpperCase" => Self::ToUpperCase,
            "trim" => Self::Trim,
            "startsWith" => Self::StartsWith,
            "endsWith" => Self::EndsWith,
            "includes" => Self::Includes,
            "indexOf" => Self::IndexOf,
            "concat" => Self::Concat,
            "toString" => Self::ToString,
            _ => return None,
        })
    }

    /// How many arguments it takes here.
    pub(crate) fn takes(self, arguments: usize) -> bool {
        match self {
            Self::Length | Self::ToLowerCase | Self::ToUpperCase | Self::Trim | Self::ToString => {
                arguments == 0
            }
            Self::StartsWith | Self::EndsWith | Self::Includes | Self::IndexOf => arguments == 1,
            Self::Concat => true,
        }
    }
}

/// What is written as JSON.
#[derive(Debug)]
pub(crate) enum Json {
    /// As it stands.
    Ready(Arc<str>),
    Value(Node),
    /// Written into a variable when the object was made.
    Slot(usize),
    /// Members, each with its key as JSON, colon included.
    Object(Vec<(Box<str>, Self)>),
    Array(Vec<Self>),
}

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
    PathParameter(Node),
    DomainParameter(Node),
    Query(Node),
    HasQuery(Node),
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

impl Node {
    pub(crate) fn undefined() -> Self {
        Self::Constant(Constant::Undefined)
    }
}
