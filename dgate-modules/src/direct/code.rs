//! What a hook that needs no engine is translated to: a tree that is walked once for each call.

mod list;
mod math;
mod native;
mod operation;
mod reply;
mod text;
mod url;

use std::sync::Arc;

pub(crate) use self::list::{ListCall, ListMethod};
pub(crate) use self::math::MathFunction;
pub(crate) use self::native::{Digest, NativeCall, NativeFunction};
pub(crate) use self::operation::{Cookie, Name, Operation, Read, Side, Value};
pub(crate) use self::reply::{Reply, ReplyBody, ReplyOption};
pub(crate) use self::text::{TextCall, TextMethod};
pub(crate) use self::url::{MadeUrl, UrlPart};
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
    pub(crate) doubt: Doubt,
}

/// What a hook has to do with, as far as it matters to whoever calls it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// It looks at the request, or changes it.
    pub(crate) request: bool,
    /// It writes an answer of its own.
    pub(crate) answer: bool,
    /// It uses the cache, and so has the permission.
    pub(crate) cache: bool,
}

/// Whether it may turn out in a call that only the engine can have a value. The call then begins anew there, so that is
/// possible only as long as it has not changed anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Doubt {
    /// It asks for a value of [`SharedValues`](crate::shared::SharedValues), which only the engine may have.
    pub(crate) shares: bool,
    /// It does so when it may have changed something.
    pub(crate) shares_late: bool,
    /// It may come to half of a character, or the like. It has changed nothing by then.
    pub(crate) values: bool,
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
    /// The second where the first is `undefined`.
    Default(Box<[Self; 2]>),
    /// `a ? b : c`.
    Choose(Box<[Self; 3]>),
    /// The first for its effect, the second for its value.
    Then(Box<[Self; 2]>),
    /// `String(x)`.
    ToText(Box<Self>),
    /// A function of `Math`.
    Math(MathFunction, Vec<Self>),
    /// `Date.now()`: milliseconds since 1970.
    Now,
    /// `encodeURIComponent(x)`.
    Encode(Box<Self>, Place),
    /// `JSON.stringify(x)`.
    Json(Box<Json>, Place),
    /// `[…].includes(x)` of values that are known beforehand.
    OneOf(Arc<[Constant]>, Box<Self>),
    /// A list.
    List(Vec<Self>),
    /// One of values that are known beforehand.
    ConstantList(Arc<[Constant]>),
    /// An element of a list, `undefined` where there is none.
    Element(Box<Self>, usize),
    /// The elements of a list from there on.
    Rest(Box<Self>, usize),
    /// `x[number]` of a list or a text.
    Index(Box<[Self; 2]>, Place),
    /// A method or the length of a list.
    ListCall(Box<ListCall>),
    /// A method or the length of a text.
    Text(Box<TextCall>),
    /// A function of the module.
    Call(Box<Call>),
    /// `atob(x)`, `btoa(x)`.
    FromBase64(Box<Self>),
    ToBase64(Box<Self>),
    /// A function of the gateway's own modules.
    Native(Box<NativeCall>, Place),
    Digest(Box<Digest>),
    /// `new URL(…)`.
    MakeUrl(Box<MadeUrl>, Place),
    /// A part of the `URL` that is in a variable.
    UrlPart(usize, UrlPart),
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
    BitAnd,
    BitOr,
    BitXor,
    ShiftLeft,
    ShiftRight,
    ShiftRightUnsigned,
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

impl Node {
    pub(crate) fn undefined() -> Self {
        Self::Constant(Constant::Undefined)
    }
}
