//! What a module may do.

use std::fmt;
use std::str::FromStr;

use crate::problems::did_you_mean;

/// Whether a permission is limited by what follows its `=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// It has no limits to set.
    None,
    /// It is limited to what is named, or unlimited.
    Possible,
    /// It has to be limited.
    Needed,
}

/// Every permission there is.
const KNOWN: [(&str, Scope); 12] = [
    ("cache", Scope::None),
    ("event:emit", Scope::Possible),
    ("os:env:read", Scope::Possible),
    ("os:file:read", Scope::Needed),
    ("os:net:http", Scope::Possible),
    ("os:net:tcp", Scope::Possible),
    ("resource:collection:read", Scope::Possible),
    ("resource:collection:write", Scope::Possible),
    ("resource:document:read", Scope::Possible),
    ("resource:document:write", Scope::Possible),
    ("resource:secret:read", Scope::Possible),
    ("resource:service:health", Scope::Possible),
];

/// One thing that a module may do: `os:net:http=api.example.com`, `resource:document:*`.
///
/// A name may end in `*`, which stands for everything that begins so. What follows `=` limits it: to a host, a
/// collection, a secret, a file.
///
/// ```
/// use dgate_core::permission::Permission;
/// let granted: Permission = "resource:document:*".parse().unwrap();
/// assert!(granted.covers("resource:document:read"));
/// assert!(!granted.covers("resource:secret:read"));
/// let error = "os:net:htp".parse::<Permission>().unwrap_err();
/// assert_eq!(error.to_string(), "`os:net:htp` is no permission");
/// assert_eq!(error.help.as_deref(), Some("did you mean `os:net:http`?"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    name: String,
    scope: Option<String>,
}

/// The text is no permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PermissionError {
    message: String,
    /// How to mend it, when that is known.
    pub help: Option<String>,
}

impl Permission {
    /// The name, with the `*` it may end in.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is limited to.
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// Whether its name is this one, or stands for it among others.
    pub fn covers(&self, name: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(stem) => name.starts_with(stem),
            None => self.name == name,
        }
    }
}

impl FromStr for Permission {
    type Err = PermissionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |message: String, help: Option<String>| PermissionError { message, help };
        let (name, scope) = text.split_once('=').map_or((text, None), |(name, scope)| (name, Some(scope)));
        let permission = Self { name: name.to_owned(), scope: scope.map(str::to_owned) };
        let is_well_formed = name == "*"
            || !name.contains('*')
            || (name.ends_with(":*") && !name[..name.len() - 1].contains('*'));
        let mut covered = KNOWN.iter().filter(|(known, _)| permission.covers(known)).peekable();
        if !is_well_formed || covered.peek().is_none() {
            let help = did_you_mean(name, KNOWN.map(|(known, _)| known)).unwrap_or_else(|| {
                format!("expected one of {}", KNOWN.map(|(known, _)| format!("`{known}`")).join(", "))
            });
            return Err(wrong(format!("`{name}` is no permission"), Some(help)));
        }
        match scope {
            Some("") => Err(wrong(format!("`{text}` is limited to nothing"), None)),
            Some(_) if covered.all(|(_, scope)| *scope == Scope::None) => {
                Err(wrong(format!("`{name}` cannot be limited"), Some(format!("write `{name}`"))))
            }
            None if covered.all(|(_, scope)| *scope == Scope::Needed) => {
                Err(wrong(format!("`{name}` has to say which"), Some(format!("write `{name}=…`"))))
            }
            _ => Ok(permission),
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.scope.as_ref().map_or(Ok(()), |scope| write!(f, "={scope}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples() {
        for text in [
            "cache",
            "*",
            "os:*",
            "os:net:http",
            "os:net:http=api.example.com:8443",
            "os:file:read=/etc/a=b",
            "resource:document:*=links",
        ] {
            assert_eq!(text.parse::<Permission>().unwrap().to_string(), text);
        }
        for (text, reason) in [
            ("", "is no permission"),
            ("os:net", "is no permission"),
            ("os:net:*:x", "is no permission"),
            ("os:net:h*", "is no permission"),
            ("os:disk:*", "is no permission"),
            ("OS:NET:HTTP", "is no permission"),
            ("os:net:http=", "limited to nothing"),
            ("cache=x", "cannot be limited"),
            ("os:file:read", "has to say which"),
            ("os:file:*", "has to say which"),
        ] {
            let error = text.parse::<Permission>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
