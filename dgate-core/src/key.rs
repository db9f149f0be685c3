//! Resource identity: names and keys.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::Kind;

/// The longest resource name, in bytes.
pub const MAX_NAME: usize = 128;

/// What a resource without `namespace` belongs to.
pub const DEFAULT_NAMESPACE: &str = "default";

/// Says why `name` is not a resource name, or nothing when it is one.
///
/// A name is `[A-Za-z0-9][A-Za-z0-9_.-]{0,127}`.
///
/// ```
/// assert_eq!(dgate_core::key::name_fault("img-proxy_2.1"), None);
/// assert_eq!(dgate_core::key::name_fault("-x"), Some("must start with a letter or a digit"));
/// ```
pub fn name_fault(name: &str) -> Option<&'static str> {
    let bytes = name.as_bytes();
    match bytes.first() {
        None => Some("must not be empty"),
        Some(first) if !first.is_ascii_alphanumeric() => Some("must start with a letter or a digit"),
        _ if bytes.len() > MAX_NAME => Some("must not be longer than 128 characters"),
        _ if !bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')) => {
            Some("may hold only letters, digits, `_`, `.` and `-`")
        }
        _ => None,
    }
}

/// Whether a text is `[A-Za-z_][A-Za-z0-9_]*`, as names in programs are.
pub(crate) fn is_identifier(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && text.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

/// The identity of a resource: kind, namespace and name (documents: `collection/id`).
///
/// Displayed and serialised as `route/default/hello`, namespaces as `namespace/shop`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What it is.
    pub kind: Kind,
    /// Where it is; empty for namespaces.
    pub namespace: Arc<str>,
    /// What it is called there.
    pub name: Arc<str>,
}

impl Key {
    /// The key of a resource in a namespace.
    pub fn new(kind: Kind, namespace: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind == Kind::Namespace {
            write!(f, "namespace/{}", self.name)
        } else {
            write!(f, "{}/{}/{}", self.kind, self.namespace, self.name)
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Key {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
