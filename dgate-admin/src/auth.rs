//! Who may use the Admin API, and for what.

mod brake;
mod identity;
mod jwt;
mod keys;
mod users;

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{AUTHORIZATION, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use ipnet::IpNet;

pub use identity::{Grant, Identity, Role};
pub use jwt::{JwtAuth, JwtError, JwtKeys};
pub use keys::{ApiKey, KeyAuth};
pub use users::{User, UserAuth, UserError, hash_password};

use crate::api::failure::Failure;
use brake::Brake;

/// Who may use the Admin API. Cheap to clone; all clones share what they remember of failed attempts.
#[derive(Debug, Clone)]
pub struct Auth {
    method: Method,
    allow_list: Vec<IpNet>,
    watch_only: bool,
    brake: Arc<Brake>,
}

/// How somebody shows who they are.
#[derive(Debug, Clone)]
enum Method {
    /// Not at all, and nobody is let in.
    Nobody,
    /// Not at all.
    None,
    /// Not at all, and not even the name matters.
    Insecure,
    /// By a name and a password.
    Users(Arc<UserAuth>),
    /// By a key.
    Keys(Arc<KeyAuth>),
    /// By a token that somebody else has signed.
    Jwt(Arc<JwtAuth>),
}

impl Auth {
    fn by(method: Method) -> Self {
        Self { method, allow_list: Vec::new(), watch_only: false, brake: Arc::default() }
    }

    /// Everybody who reaches the listener under a name of this machine may do everything. For listeners that nobody else
    /// can reach.
    pub fn none() -> Self {
        Self::by(Method::None)
    }

    /// The same under any name: also pages in a browser, when somebody makes a name lead here.
    pub fn insecure() -> Self {
        Self::by(Method::Insecure)
    }

    /// Nobody.
    pub fn nobody() -> Self {
        Self::by(Method::Nobody)
    }

    /// Users with passwords.
    pub fn users(users: UserAuth) -> Self {
        Self::by(Method::Users(Arc::new(users)))
    }

    /// Whoever has a key.
    pub fn keys(keys: KeyAuth) -> Self {
        Self::by(Method::Keys(Arc::new(keys)))
    }

    /// Whoever has a token.
    pub fn jwt(jwt: JwtAuth) -> Self {
        Self::by(Method::Jwt(Arc::new(jwt)))
    }

    /// Only clients with these addresses; all when the list is empty.
    #[must_use]
    pub fn allow_list(mut self, networks: Vec<IpNet>) -> Self {
        self.allow_list = networks;
        self
    }

    /// Nobody may change anything.
    #[must_use]
    pub fn watch_only(mut self, watch_only: bool) -> Self {
        self.watch_only = watch_only;
        self
    }

    pub(crate) fn is_watch_only(&self) -> bool {
        self.watch_only
    }

    /// The query parameter that may hold a key.
    pub(crate) fn query_parameter(&self) -> Option<&str> {
        match &self.method {
            Method::Keys(keys) => keys.query_parameter(),
            _ => None,
        }
    }

    /// Finds out who sends a request.
    pub(crate) async fn identify(&self, parts: &Parts, from: Option<IpAddr>) -> Result<Identity, Failure> {
        let is_allowed = |from: IpAddr| self.allow_list.iter().any(|network| network.contains(&from));
        if !self.allow_list.is_empty() && !from.is_some_and(is_allowed) {
            return Err(Failure::forbidden("this address may not use the Admin API (admin.allow_list)"));
        }
        if matches!(self.method, Method::Insecure) {
            return Ok(Identity::new("anonymous", Role::Admin));
        }
        if matches!(self.method, Method::None) {
            // Whoever cannot be told apart from a page in somebody's browser must not be taken for that somebody: a name
            // that is made to lead here is not one of this machine.
            crate::api::origin::check_host(parts)?;
            return Ok(Identity::new("anonymous", Role::Admin));
        }
        if let Some(wait) = self.brake.wait(from) {
            let seconds = wait.as_secs() + 1;
            let text = format!("too many failed attempts; try again in {seconds} s");
            let failure = Failure::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", text);
            return Err(failure.with_header(RETRY_AFTER, HeaderValue::from(seconds)));
        }
        let attempt = match &self.method {
            Method::Nobody | Method::None | Method::Insecure => Attempt::Missing,
            Method::Users(users) => users.identify(parts).await,
            Method::Keys(keys) => keys.identify(parts),
            Method::Jwt(jwt) => jwt.identify(parts),
        };
        match attempt {
            Attempt::Good(who) => {
                self.brake.succeeded(from);
                Ok(who)
            }
            Attempt::Missing => Err(self.unauthorized("credentials are needed")),
            Attempt::Bad(reason) => {
                self.brake.failed(from);
                let from = from.map(|from| from.to_string()).unwrap_or_default();
                tracing::warn!(target: "audit", from, what = %parts.uri.path(), reason, "not let in");
                Err(self.unauthorized("the credentials are not valid"))
            }
            Attempt::Powerless(name) => Err(Failure::forbidden(format!("`{name}` has no role here"))),
        }
    }

    fn unauthorized(&self, detail: &'static str) -> Failure {
        let challenge = match &self.method {
            Method::Users(_) => "Basic realm=\"DGate\", charset=\"UTF-8\"".to_owned(),
            Method::Keys(keys) => format!("ApiKey in=\"header\", name=\"{}\"", keys.header()),
            Method::Nobody | Method::None | Method::Insecure | Method::Jwt(_) => {
                "Bearer realm=\"DGate\"".to_owned()
            }
        };
        let challenge = HeaderValue::from_str(&challenge).unwrap_or(HeaderValue::from_static("Basic"));
        Failure::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
            .with_header(WWW_AUTHENTICATE, challenge)
    }
}

/// What came of looking at credentials.
#[derive(Debug, PartialEq)]
enum Attempt {
    /// They are those of somebody.
    Good(Identity),
    /// There are none.
    Missing,
    /// They are wrong, for this reason: for the log, not for whoever sent them.
    Bad(&'static str),
    /// They are those of somebody who may do nothing.
    Powerless(String),
}

/// What follows a scheme in the header `Authorization`.
fn authorization<'p>(parts: &'p Parts, scheme: &str) -> Option<&'p str> {
    let value = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (given, rest) = value.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

/// Header names are given by people.
fn header_name(text: &str) -> Option<HeaderName> {
    HeaderName::from_bytes(text.as_bytes()).ok()
}
