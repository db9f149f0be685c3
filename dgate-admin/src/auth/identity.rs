//! Who asks, and what they may do.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What somebody may do. Each role may do what those before it may.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Read everything but secrets.
    #[default]
    Viewer,
    /// Change resources.
    Editor,
    /// Create and delete namespaces, roll back, read the log.
    Admin,
}

impl Role {
    /// The name as it stands in configuration files and tokens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The name, as the changelog and the audit log show it.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The namespaces they are limited to; no limit when absent.
    pub namespaces: Option<Arc<[Arc<str>]>>,
}

impl Identity {
    /// Somebody who may do everything their role allows, in every namespace.
    pub fn new(name: impl Into<String>, role: Role) -> Self {
        Self { name: name.into(), role, namespaces: None }
    }

    /// The same, limited to some namespaces.
    #[must_use]
    pub fn within(mut self, namespaces: impl IntoIterator<Item = impl Into<Arc<str>>>) -> Self {
        self.namespaces = Some(namespaces.into_iter().map(Into::into).collect());
        self
    }

    /// Whether they may see what is in a namespace.
    pub fn may_see(&self, namespace: &str) -> bool {
        self.namespaces.as_ref().is_none_or(|allowed| allowed.iter().any(|allowed| **allowed == *namespace))
    }
}

/// What somebody is given: a role, perhaps limited to some namespaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grant {
    /// What they may do.
    pub role: Role,
    /// The namespaces they are limited to; no limit when empty.
    pub namespaces: Vec<String>,
}

impl Grant {
    /// Everything a role may do, in every namespace.
    pub fn of(role: Role) -> Self {
        Self { role, namespaces: Vec::new() }
    }

    /// Somebody with this name and this grant.
    pub(crate) fn to(&self, name: &str) -> Identity {
        let identity = Identity::new(name, self.role);
        if self.namespaces.is_empty() {
            return identity;
        }
        identity.within(self.namespaces.iter().map(String::as_str))
    }
}
