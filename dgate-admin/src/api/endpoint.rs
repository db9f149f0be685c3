//! What one method of one path does: its handler, who may use it, and its description.

use dgate_core::{BoxFuture, Kind};
use http::{Method, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::call::Call;
use super::failure::Failure;
use crate::auth::Role;

/// What comes of a call.
pub(crate) type Reply = Result<Response<axum::body::Body>, Failure>;

/// Handles calls.
pub(crate) type Handler = fn(Call) -> BoxFuture<'static, Reply>;

/// Describes a value.
pub(crate) type Describe = fn(&mut SchemaGenerator) -> Schema;

/// Who may use an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody, from everywhere: it tells nothing.
    Open,
    /// Who has at least this role, and changes nothing with it.
    Read(Role),
    /// Who has at least this role; changes something.
    Write(Role),
}

/// A parameter of a query string.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) kind: ParameterKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParameterKind {
    Text,
    Flag,
    Number,
}

impl Parameter {
    pub(crate) const fn text(name: &'static str, about: &'static str) -> Self {
        Self { name, about, kind: ParameterKind::Text }
    }

    pub(crate) const fn flag(name: &'static str, about: &'static str) -> Self {
        Self { name, about, kind: ParameterKind::Flag }
    }

    pub(crate) const fn number(name: &'static str, about: &'static str) -> Self {
        Self { name, about, kind: ParameterKind::Number }
    }
}

/// What an answer carries.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Carries {
    /// An envelope around a value.
    Data(Describe),
    /// An envelope around a list of values.
    List(Describe),
    /// An envelope around a resource of the endpoint's kind.
    Resource,
    /// An envelope around a list of them.
    Resources,
    /// An envelope around what a write does, or would do when it is a dry run.
    ResourceOrPlan,
    /// The same, around what is deleted.
    DeletedOrPlan,
    /// Something else, of this type.
    Other(&'static str),
    /// Nothing.
    Nothing,
}

/// What a body is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Takes {
    /// A resource of the endpoint's kind.
    Resource,
    /// A merge patch (RFC 7396) for one.
    Patch,
    /// A value.
    Value(Describe),
    /// A value, or nothing.
    Optional(Describe),
}

/// What one method of one path does.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// Its name in the OpenAPI document: `list_routes`.
    pub(crate) id: String,
    pub(crate) summary: &'static str,
    pub(crate) group: &'static str,
    pub(crate) access: Access,
    /// The kind of resource it is about, if it is about one.
    pub(crate) kind: Option<Kind>,
    pub(crate) query: Vec<Parameter>,
    /// Whether it heeds `If-Match` and `If-None-Match`.
    pub(crate) conditional: bool,
    pub(crate) takes: Option<Takes>,
    /// What it answers: status, meaning, content.
    pub(crate) answers: Vec<(u16, &'static str, Carries)>,
    /// With which failures, besides those that every endpoint can have.
    pub(crate) failures: Vec<u16>,
    pub(crate) handler: Handler,
}

impl Endpoint {
    pub(crate) fn new(
        method: Method,
        path: impl Into<String>,
        id: impl Into<String>,
        handler: Handler,
    ) -> Self {
        let is_read = matches!(method, Method::GET);
        Self {
            method,
            path: path.into(),
            id: id.into(),
            summary: "",
            group: "gateway",
            access: if is_read { Access::Read(Role::Viewer) } else { Access::Write(Role::Editor) },
            kind: None,
            query: Vec::new(),
            conditional: false,
            takes: None,
            answers: Vec::new(),
            failures: Vec::new(),
            handler,
        }
    }

    pub(crate) fn summary(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    pub(crate) fn group(mut self, group: &'static str) -> Self {
        self.group = group;
        self
    }

    pub(crate) fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    pub(crate) fn about(mut self, kind: Kind) -> Self {
        (self.kind, self.group) = (Some(kind), kind.as_str());
        self
    }

    pub(crate) fn query(mut self, parameters: &[Parameter]) -> Self {
        self.query.extend_from_slice(parameters);
        self
    }

    pub(crate) fn conditional(mut self) -> Self {
        self.conditional = true;
        self
    }

    pub(crate) fn takes(mut self, takes: Takes) -> Self {
        self.takes = Some(takes);
        self
    }

    pub(crate) fn answers(mut self, status: u16, meaning: &'static str, carries: Carries) -> Self {
        self.answers.push((status, meaning, carries));
        self
    }

    pub(crate) fn fails(mut self, statuses: &[u16]) -> Self {
        self.failures.extend_from_slice(statuses);
        self
    }
}

/// Describes values of a type.
pub(crate) fn described<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}
