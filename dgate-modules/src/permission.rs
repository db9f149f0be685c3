//! What a module may do. Nothing, unless it was granted.
//!
//! A check returns a [`Granted`] token, and whoever does something that needs a permission takes one as an argument:
//! a path without a check does not compile.

use std::fmt;

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
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Permissions(Vec<Grant>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Grant {
    name: String,
    scope: Option<String>,
}

/// Sending requests: its scopes are hosts.
pub(crate) const HTTP: &str = "os:net:http";

/// The names there are. A grant of another name is an error.
pub(crate) const NAMES: [&str; 12] = [
    "cache",
    "event:emit",
    "os:env:read",
    "os:file:read",
    HTTP,
    "resource:collection:read",
    "resource:collection:write",
    "resource:document:read",
    "resource:document:write",
    "resource:secret:read",
    "resource:service:health",
    "resource:service:read",
];

impl Permissions {
    /// Reads grants, and says which of them are none.
    pub(crate) fn parse<'a>(grants: impl IntoIterator<Item = &'a String>) -> (Self, Vec<(usize, String)>) {
        let mut permissions = Self::default();
        let mut unknown = Vec::new();
        for (index, text) in grants.into_iter().enumerate() {
            let (name, scope) = text.split_once('=').map_or((text.as_str(), None), |(n, s)| (n, Some(s)));
            if NAMES.iter().any(|known| covers(name, known)) {
                permissions.0.push(Grant { name: name.to_owned(), scope: scope.map(str::to_owned) });
            } else {
                unknown.push((index, text.clone()));
            }
        }
        (permissions, unknown)
    }

    /// Checks one permission.
    ///
    /// # Errors
    /// The text for the module: what to grant.
    pub(crate) fn check(&self, wanted: &Wanted<'_>) -> Result<Granted, String> {
        let mut granted: Option<Granted> = None;
        for grant in self.0.iter().filter(|grant| covers(&grant.name, wanted.name)) {
            let by_name = match (&grant.scope, wanted.scope) {
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

/// Whether `grant` is `name`, or ends in `*` and begins like it.
fn covers(grant: &str, name: &str) -> bool {
    grant == name
        || grant == "*"
        || grant
            .strip_suffix(":*")
            .is_some_and(|stem| name.strip_prefix(stem).is_some_and(|rest| rest.starts_with(':')))
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
        let (permissions, unknown) = Permissions::parse(&grants);
        assert_eq!(unknown, [(0, "os:net:htp".to_owned())]);
        let denial = permissions.check(&Wanted { name: "os:net:http", scope: Some("a:1") }).unwrap_err();
        assert!(denial.contains("`os:net:http=a:1` is not granted"), "{denial}");
    }
}
