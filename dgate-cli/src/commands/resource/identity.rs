//! Which resource is meant.

use dgate_core::Kind;

use super::assignment::{Operand, Word};
use crate::client::segment;
use crate::context::Context;
use crate::failure::Failure;

/// Kind, namespace and name of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) kind: Kind,
    /// Empty for namespaces.
    pub(crate) namespace: String,
    /// For documents only.
    pub(crate) collection: String,
    pub(crate) name: String,
}

impl Identity {
    /// What words name: `NAME`, `NAMESPACE/NAME`, `name=… namespace=…`; documents also `COLLECTION/ID`,
    /// `id=… collection=…`.
    ///
    /// # Errors
    /// When something is missing, or is no part of a name.
    pub(crate) fn of_words(
        kind: Kind,
        words: &[String],
        collection: Option<&str>,
        context: &Context,
    ) -> Result<Self, Failure> {
        let mut parts = Parts { collection: collection.map(str::to_owned), ..Parts::default() };
        for word in words {
            match Word::parse(word)? {
                Word::Bare(path) => parts.path(kind, path)?,
                Word::Assignment(assignment) => {
                    let Operand::Text(value) = assignment.operand else {
                        return Err(Failure::usage(format!("`{word}`: a name is given as `key=value`")));
                    };
                    parts.part(kind, assignment.key, value)?;
                }
            }
        }
        parts.finish(kind, context)
    }

    /// As it stands in plans and in `-o name`: `route/default/hello`.
    pub(crate) fn slashed(&self) -> String {
        let Self { kind, namespace, collection, name } = self;
        match kind {
            Kind::Namespace => format!("namespace/{name}"),
            Kind::Document => format!("document/{namespace}/{collection}/{name}"),
            kind => format!("{kind}/{namespace}/{name}"),
        }
    }

    /// Where it is in the Admin API.
    pub(crate) fn path(&self) -> String {
        let Self { kind, namespace, collection, name } = self;
        let (namespace, collection, name) = (segment(namespace), segment(collection), segment(name));
        match kind {
            Kind::Namespace => format!("/api/v1/namespace/{name}"),
            Kind::Document => format!("/api/v1/document/{namespace}/{collection}/{name}"),
            kind => format!("/api/v1/{kind}/{namespace}/{name}"),
        }
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, namespace, collection, name } = self;
        match kind {
            Kind::Namespace => write!(f, "namespace {name}"),
            Kind::Document => write!(f, "document {namespace}/{collection}/{name}"),
            kind => write!(f, "{kind} {namespace}/{name}"),
        }
    }
}

/// The identity of a resource that the server sent: `route/default/hello`.
pub(super) fn slashed(kind: Kind, resource: &serde_json::Value) -> String {
    let text = |field: &str| resource[field].as_str().unwrap_or_default().to_owned();
    let name = if kind == Kind::Document { text("id") } else { text("name") };
    Identity { kind, namespace: text("namespace"), collection: text("collection"), name }.slashed()
}

/// The parts of an identity, as far as they are known.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    pub(super) namespace: Option<String>,
    pub(super) collection: Option<String>,
    pub(super) name: Option<String>,
}

impl Parts {
    /// Takes a bare word: parts with slashes between them, the name last.
    pub(super) fn path(&mut self, kind: Kind, path: &str) -> Result<(), Failure> {
        let mut parts = path.rsplit('/');
        self.put("name", parts.next())?;
        if kind == Kind::Document {
            self.put("collection", parts.next())?;
        }
        if kind != Kind::Namespace {
            self.put("namespace", parts.next())?;
        }
        match parts.next() {
            None => Ok(()),
            Some(_) => Err(Failure::usage(format!("`{path}` has too many parts for the name of a {kind}"))),
        }
    }

    fn part(&mut self, kind: Kind, key: &str, value: &str) -> Result<(), Failure> {
        match (key, kind) {
            ("id", Kind::Document) => self.put("name", Some(value)),
            ("collection", Kind::Document) => self.put("collection", Some(value)),
            ("name", _) if kind != Kind::Document => self.put("name", Some(value)),
            ("namespace", _) if kind != Kind::Namespace => self.put("namespace", Some(value)),
            _ => {
                let known: &[&str] = match kind {
                    Kind::Namespace => &["name"],
                    Kind::Document => &["id", "collection", "namespace"],
                    _ => &["name", "namespace"],
                };
                let help = format!("a {kind} is named by {}", known.join(", "));
                Err(Failure::usage(format!("`{key}` is no part of its name")).with_help(help))
            }
        }
    }

    fn put(&mut self, what: &str, value: Option<&str>) -> Result<(), Failure> {
        let slot = match what {
            "name" => &mut self.name,
            "collection" => &mut self.collection,
            _ => &mut self.namespace,
        };
        let Some(value) = value else { return Ok(()) };
        if value.is_empty() {
            return Err(Failure::usage(format!("the {what} is empty")));
        }
        match slot {
            Some(other) if other != value => {
                Err(Failure::usage(format!("the {what} is given twice, as `{other}` and as `{value}`")))
            }
            _ => {
                *slot = Some(value.to_owned());
                Ok(())
            }
        }
    }

    pub(super) fn finish(self, kind: Kind, context: &Context) -> Result<Identity, Failure> {
        let missing = |what: &str, example: &str| {
            Err(Failure::usage(format!("the {what} is missing"))
                .with_help(format!("write it like `{example}`")))
        };
        let is_document = kind == Kind::Document;
        let Some(name) = self.name else {
            return if is_document { missing("id", "id=7") } else { missing("name", "name=hello") };
        };
        if is_document && self.collection.is_none() {
            return missing("collection", "collection=users");
        }
        let namespace = match kind {
            Kind::Namespace => String::new(),
            _ => self.namespace.unwrap_or_else(|| context.namespace().to_owned()),
        };
        Ok(Identity { kind, namespace, collection: self.collection.unwrap_or_default(), name })
    }
}
