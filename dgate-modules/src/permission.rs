//! What a module may do. Nothing, unless it was granted.
//!
//! A check returns a [`Granted`] token, and whoever does something that needs a permission takes one as an argument:
//! a path without a check does not compile.

use std::fmt;

use dgate_core::permission::{Permission, PermissionError};

/// A permission that a module asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted<'a> {
    /// `os:net:http`.
    pub(crate) name: &'static str,
    /// What it is wanted for, such as a host.
    pub(crate) scope: Option<&'a str>,
}

impl fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        self.scope.map_or(Ok(()), |scope| write!(f, "={scope}"))
    }
}

/// Says that a permission was checked. Only [`Permissions`] makes them.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub(crate) struct Granted {
    /// Whether a grant named the very scope, not all of them.
    pub(crate) by_name: bool,
}

/// The permissions of a module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Permissions(Vec<Permission>);

/// Sending requests: its scopes are hosts.
pub(crate) const HTTP: &str = "os:net:http";

impl Permissions {
    /// Reads grants, and says which of them are none and why.
    pub(crate) fn parse<'a>(
        grants: impl IntoIterator<Item = &'a String>,
    ) -> (Self, Vec<(usize, PermissionError)>) {
        let mut permissions = Self::default();
        let mut wrong = Vec::new();
        for (index, text) in grants.into_iter().enumerate() {
            match text.parse() {
                Ok(permission) => permissions.0.push(permission),
                Err(error) => wrong.push((index, error)),
            }
        }
        (permissions, wrong)
    }

    /// Each of them as it is written.
    pub(crate) fn texts(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(ToString::to_string)
    }

    /// Whether everything is granted, without exception.
    pub(crate) fn everything(&self) -> bool {
        self.0.iter().any(|grant| grant.name() == "*" && grant.scope().is_none())
    }

    /// Whether a permission is granted, for whatever.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|grant| grant.covers(name))
    }

    /// Those that cover none of some names.
    pub(crate) fn unused(&self, names: &[&str]) -> Vec<String> {
        let unused = self.0.iter().filter(|grant| !names.iter().any(|name| grant.covers(name)));
        unused.map(ToString::to_string).collect()
    }

    /// Checks one permission.
    ///
    /// # Errors
    /// The text for the module: what to grant.
    pub(crate) fn check(&self, wanted: &Wanted<'_>) -> Result<Granted, String> {
        let mut granted: Option<Granted> = None;
        for grant in self.0.iter().filter(|grant| grant.covers(wanted.name)) {
            let by_name = match (grant.scope(), wanted.scope) {
                (None, _) => false,
                (Some(scope), Some(asked)) if scope_covers(wanted.name, scope, asked) => !scope.contains('*'),
                _ => continue,
            };
            granted = Some(Granted { by_name: by_name || granted.is_some_and(|granted| granted.by_name) });
        }
        granted.ok_or_else(|| {
            format!("permission `{wanted}` is not granted; add it to the module's `permissions`")
        })
    }
}

/// A `*` at one end stands for anything. Hosts are compared without regard to case, and one without a port stands for
/// all of its ports.
fn scope_covers(name: &str, scope: &str, wanted: &str) -> bool {
    if name != HTTP {
        return fits(scope, wanted);
    }
    let (scope, wanted) = (scope.to_ascii_lowercase(), wanted.to_ascii_lowercase());
    fits(&scope, &wanted) || wanted.rsplit_once(':').is_some_and(|(host, _)| fits(&scope, host))
}

fn fits(scope: &str, wanted: &str) -> bool {
    if let Some(end) = scope.strip_prefix('*') {
        return wanted.len() > end.len() && wanted.ends_with(end);
    }
    scope.strip_suffix('*').map_or(scope == wanted, |begin| wanted.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(grants: &[&str], name: &'static str, scope: Option<&str>) -> Option<bool> {
        let grants: Vec<String> = grants.iter().map(|grant| (*grant).to_owned()).collect();
        let (permissions, unknown) = Permissions::parse(&grants);
        assert!(unknown.is_empty(), "{unknown:?}");
        permissions.check(&Wanted { name, scope }).ok().map(|granted| granted.by_name)
    }

    #[test]
    fn nothing_is_allowed_unless_granted() {
        let http = "os:net:http";
        assert_eq!(check(&[], http, Some("a.example:80")), None);
        assert_eq!(check(&[http], http, Some("a.example:80")), Some(false));
        assert_eq!(check(&["os:*"], http, Some("a.example:80")), Some(false));
        assert_eq!(check(&["os:net:http=A.example"], http, Some("a.example:80")), Some(true));
        assert_eq!(check(&["os:net:http=a.example:80"], http, Some("a.example:80")), Some(true));
        assert_eq!(check(&["os:net:http=a.example:80"], http, Some("a.example:81")), None);
        assert_eq!(check(&["os:net:http=*.example"], http, Some("a.example:80")), Some(false));
        assert_eq!(check(&["os:net:http=*.example"], http, Some("evil-example:80")), None);
        assert_eq!(check(&["os:net:http=a.example"], http, Some("a.example.evil:80")), None);
        assert_eq!(check(&["resource:document:read"], "resource:document:write", Some("c")), None);
        assert_eq!(check(&["os:net:http", "os:net:http=h"], http, Some("h:1")), Some(true));
        assert_eq!(check(&["resource:secret:read=key"], "resource:secret:read", Some("KEY")), None);
        assert_eq!(check(&["event:emit=order"], "event:emit", Some("order:paid")), None);
        assert_eq!(check(&["event:emit=order.*"], "event:emit", Some("order.paid")), Some(false));
    }

    #[test]
    fn unknown_grants_and_denials_are_named() {
        let grants = ["os:net:htp".to_owned(), "cache".to_owned()];
        let (permissions, wrong) = Permissions::parse(&grants);
        assert_eq!((wrong.len(), wrong[0].0), (1, 0));
        assert_eq!(permissions.texts().collect::<Vec<_>>(), ["cache"]);
        let denial = permissions.check(&Wanted { name: "os:net:http", scope: Some("a:1") }).unwrap_err();
        assert!(denial.contains("`os:net:http=a:1` is not granted"), "{denial}");
    }
}
