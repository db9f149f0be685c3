//! Users with passwords: HTTP basic authentication (RFC 7617).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use tokio::sync::Semaphore;

use super::{Attempt, Grant, authorization};

/// How many passwords are checked at a time: each check takes 19 MiB and some milliseconds.
const AT_A_TIME: usize = 2;
/// Longer passwords are not looked at.
const LONGEST: usize = 1_024;

/// A user.
#[derive(Clone)]
pub struct User {
    /// The name.
    pub name: String,
    /// The password's hash (`$argon2id$…`), or the password itself.
    pub password: String,
    /// What they may do.
    pub grant: Grant,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("name", &self.name).field("grant", &self.grant).finish_non_exhaustive()
    }
}

/// A user that cannot be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UserError {
    /// Two have the same name.
    #[error("there are two users `{0}`")]
    Twice(String),
    /// The name has a colon in it, or is empty.
    #[error("`{0}` is no name of a user: it must not be empty, nor have a `:` in it")]
    Name(String),
    /// The hash is none.
    #[error(
        "the password of `{0}` looks like a hash and is none; make one with `dgate-server hash-password`"
    )]
    Hash(String),
    /// The password is empty.
    #[error("the password of `{0}` is empty")]
    Empty(String),
}

/// Users with passwords.
pub struct UserAuth {
    users: HashMap<String, Known>,
    /// What to compare with when there is no such user: it must take as long.
    nobody: Arc<str>,
    checks: Semaphore,
    /// Makes what is remembered of passwords useless to everybody else.
    key: hmac::Key,
    /// Passwords that were right before: checking one again takes no time.
    right: Mutex<HashMap<String, hmac::Tag>>,
}

struct Known {
    secret: Secret,
    grant: Grant,
}

enum Secret {
    Hash(Arc<str>),
    /// Digests have the same length, which tells nothing of that of the password.
    Plain(digest::Digest),
}

impl UserAuth {
    /// These users.
    ///
    /// # Errors
    /// When one of them cannot be.
    pub fn new(users: impl IntoIterator<Item = User>) -> Result<Self, UserError> {
        let mut known = HashMap::new();
        for User { name, password, grant } in users {
            if name.is_empty() || name.contains(':') {
                return Err(UserError::Name(name));
            }
            let secret = match password.as_str() {
                "" => return Err(UserError::Empty(name)),
                hash if hash.starts_with('$') => match PasswordHash::new(hash) {
                    Ok(_) => Secret::Hash(hash.into()),
                    Err(_) => return Err(UserError::Hash(name)),
                },
                plain => Secret::Plain(digest::digest(&digest::SHA256, plain.as_bytes())),
            };
            if known.insert(name.clone(), Known { secret, grant }).is_some() {
                return Err(UserError::Twice(name));
            }
        }
        let mut key = [0; 32];
        // Without random numbers nobody is remembered by this key, which is all zeros then; see `remember`.
        let is_random = aws_lc_rs::rand::fill(&mut key).is_ok();
        debug_assert!(is_random, "the system has random numbers");
        let nobody = hash_password("nobody").unwrap_or_default().into();
        Ok(Self {
            users: known,
            nobody,
            checks: Semaphore::new(AT_A_TIME),
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            right: Mutex::default(),
        })
    }

    /// The names of those whose password is written as it is.
    pub fn with_plain_passwords(&self) -> impl Iterator<Item = &str> {
        let plain = self.users.iter().filter(|(_, known)| matches!(known.secret, Secret::Plain(_)));
        plain.map(|(name, _)| name.as_str())
    }

    pub(super) async fn identify(&self, parts: &Parts) -> Attempt {
        let Some(encoded) = authorization(parts, "basic") else { return Attempt::Missing };
        let decoded = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let Some((name, password)) = decoded.as_deref().and_then(|text| text.split_once(':')) else {
            return Attempt::Bad("not a name and a password");
        };
        if password.len() > LONGEST {
            return Attempt::Bad("a password longer than any");
        }
        let known = self.users.get(name);
        let is_right = match known.map(|known| &known.secret) {
            Some(Secret::Plain(expected)) => {
                let given = digest::digest(&digest::SHA256, password.as_bytes());
                verify_slices_are_equal(given.as_ref(), expected.as_ref()).is_ok()
            }
            Some(Secret::Hash(hash)) => {
                self.is_remembered(name, password) || self.check(hash.clone(), name, password).await
            }
            None => {
                self.check(self.nobody.clone(), name, password).await;
                false
            }
        };
        match known.filter(|_| is_right) {
            Some(known) => Attempt::Good(known.grant.to(name)),
            None => Attempt::Bad("no such user, or a wrong password"),
        }
    }

    fn is_remembered(&self, name: &str, password: &str) -> bool {
        let right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        let tag = right.get(name);
        tag.is_some_and(|tag| hmac::verify(&self.key, &message(name, password), tag.as_ref()).is_ok())
    }

    async fn check(&self, hash: Arc<str>, name: &str, password: &str) -> bool {
        let Ok(_permit) = self.checks.acquire().await else { return false };
        let given = password.to_owned();
        let checking = tokio::task::spawn_blocking(move || {
            PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(given.as_bytes(), &hash).is_ok())
        });
        let is_right = checking.await.unwrap_or(false);
        if is_right && self.users.contains_key(name) {
            let tag = hmac::sign(&self.key, &message(name, password));
            self.right.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), tag);
        }
        is_right
    }
}

fn message(name: &str, password: &str) -> Vec<u8> {
    // Names have no colon in them.
    format!("{name}:{password}").into_bytes()
}

impl std::fmt::Debug for UserAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserAuth").field("users", &self.users.len()).finish_non_exhaustive()
    }
}

/// The hash of a password (argon2id), as configuration files hold it.
///
/// ```
/// let hash = dgate_admin::auth::hash_password("hunter2").unwrap();
/// assert!(hash.starts_with("$argon2id$"));
/// ```
///
/// Nothing when the system has no random numbers, or the password is longer than can be.
pub fn hash_password(password: &str) -> Option<String> {
    let mut salt = [0; 16];
    aws_lc_rs::rand::fill(&mut salt).ok()?;
    let hash: PasswordHash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt).ok()?;
    Some(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Identity, Role};

    fn parts(credentials: Option<&str>) -> Parts {
        let mut request = http::Request::builder();
        if let Some(credentials) = credentials {
            request = request.header("authorization", format!("Basic {}", STANDARD.encode(credentials)));
        }
        request.body(()).unwrap().into_parts().0
    }

    fn user(name: &str, password: &str) -> User {
        User { name: name.to_owned(), password: password.to_owned(), grant: Grant::of(Role::Editor) }
    }

    #[tokio::test]
    async fn passwords_are_right_or_wrong_hashed_or_not() {
        let hash = hash_password("hunter2").unwrap();
        let auth = UserAuth::new([user("ann", &hash), user("bob", "plain:with colon")]).unwrap();
        assert_eq!(auth.with_plain_passwords().collect::<Vec<_>>(), ["bob"]);
        for (credentials, name) in [
            ("ann:hunter2", Some("ann")),
            ("ann:hunter2", Some("ann")),
            ("ann:hunter3", None),
            ("ann:", None),
            ("bob:plain:with colon", Some("bob")),
            ("bob:hunter2", None),
            ("carl:hunter2", None),
            ("nobody:nobody", None),
            ("no colon", None),
        ] {
            let attempt = auth.identify(&parts(Some(credentials))).await;
            let who = match attempt {
                Attempt::Good(who) => Some(who),
                other => {
                    assert!(matches!(other, Attempt::Bad(_)), "{credentials}");
                    None
                }
            };
            assert_eq!(who, name.map(|name| Identity::new(name, Role::Editor)), "{credentials}");
        }
        assert_eq!(auth.identify(&parts(None)).await, Attempt::Missing);
    }

    #[test]
    fn users_that_cannot_be_are_refused() {
        for (users, says) in [
            (vec![user("a", "x"), user("a", "y")], "two users"),
            (vec![user("a:b", "x")], "no name"),
            (vec![user("", "x")], "no name"),
            (vec![user("a", "")], "is empty"),
            (vec![user("a", "$2y$10$bcrypt")], "looks like a hash"),
        ] {
            let error = UserAuth::new(users).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
