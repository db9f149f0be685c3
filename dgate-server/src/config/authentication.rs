//! From the file's words to who may use the Admin API.

use dgate_admin::auth::{ApiKey, Auth, Grant, JwtAuth, JwtKeys, KeyAuth, User, UserAuth};
use dgate_core::{Problem, Problems};
use http::HeaderName;

use super::model::{Admin, AuthMethod};

/// Who may use the Admin API, and what is wrong with the words. What is wrong lets nobody in.
pub(crate) fn authentication(admin: &Admin, problems: &mut Problems) -> Option<Auth> {
    look_for_what_is_not_used(admin, problems);
    let auth = match admin.auth_method {
        AuthMethod::None if admin.host.is_loopback() => Auth::none(),
        AuthMethod::None if admin.insecure => Auth::insecure(),
        AuthMethod::None => {
            problems.push(
                Problem::error(
                    "/admin/host",
                    format!("`{}` can be reached by others, without authentication", admin.host),
                )
                .with_help("listen on 127.0.0.1, set `admin.auth_method`, or `admin.insecure: true`"),
            );
            return None;
        }
        AuthMethod::Basic => users(admin, problems)?,
        AuthMethod::Key => keys(admin, problems)?,
        AuthMethod::Jwt => jwt(admin, problems)?,
    };
    Some(auth.allow_list(admin.allow_list.clone()).watch_only(admin.watch_only))
}

/// Settings of a method that is not the chosen one would be trusted and do nothing.
fn look_for_what_is_not_used(admin: &Admin, problems: &mut Problems) {
    for (name, is_given, method) in [
        ("basic_auth", admin.basic_auth.is_some(), AuthMethod::Basic),
        ("key_auth", admin.key_auth.is_some(), AuthMethod::Key),
        ("jwt_auth", admin.jwt_auth.is_some(), AuthMethod::Jwt),
    ] {
        if is_given && admin.auth_method != method {
            let wanted = name.trim_end_matches("_auth");
            let text = format!("`{name}` has no effect: the method is another one");
            let problem = Problem::error(format!("/admin/{name}"), text);
            problems.push(problem.with_help(format!("set `admin.auth_method: {wanted}`")));
        }
    }
}

fn missing(name: &str, problems: &mut Problems) {
    let text = format!("`auth_method` needs `{name}`");
    problems.push(Problem::error("/admin/auth_method", text));
}

fn users(admin: &Admin, problems: &mut Problems) -> Option<Auth> {
    let Some(basic) = admin.basic_auth.as_ref().filter(|basic| !basic.users.is_empty()) else {
        missing("basic_auth.users", problems);
        return None;
    };
    let users = basic.users.iter().map(|user| User {
        name: user.username.clone(),
        password: user.password.clone(),
        grant: Grant { role: user.role, namespaces: user.namespaces.clone() },
    });
    match UserAuth::new(users) {
        Ok(users) => {
            for name in users.with_plain_passwords() {
                let index = basic.users.iter().position(|user| user.username == name).unwrap_or_default();
                let at = format!("/admin/basic_auth/users/{index}/password");
                let text = format!("the password of `{name}` is written as it is");
                let problem = Problem::warning(at, text);
                problems.push(problem.with_help("write the hash that `dgate-server hash-password` makes"));
            }
            Some(Auth::users(users))
        }
        Err(error) => {
            problems.push(Problem::error("/admin/basic_auth/users", error.to_string()));
            None
        }
    }
}

fn keys(admin: &Admin, problems: &mut Problems) -> Option<Auth> {
    let Some(settings) = admin.key_auth.as_ref().filter(|settings| !settings.keys.is_empty()) else {
        missing("key_auth.keys", problems);
        return None;
    };
    if HeaderName::from_bytes(settings.header_name.as_bytes()).is_err() {
        let text = format!("`{}` is no header name", settings.header_name);
        problems.push(Problem::error("/admin/key_auth/header_name", text));
    }
    let keys = settings.keys.iter().map(|key| ApiKey {
        name: key.name.clone(),
        key: key.key.clone(),
        grant: Grant { role: key.role, namespaces: key.namespaces.clone() },
    });
    match KeyAuth::new(keys) {
        Ok(mut keys) => {
            keys = keys.in_header(&settings.header_name);
            if let Some(name) = &settings.query_param_name {
                keys = keys.in_query(name.as_str());
            }
            Some(Auth::keys(keys))
        }
        Err(name) => {
            let text = format!("the key of `{name}` is empty, or no digest after `sha256:`");
            problems.push(Problem::error("/admin/key_auth/keys", text));
            None
        }
    }
}

fn jwt(admin: &Admin, problems: &mut Problems) -> Option<Auth> {
    let Some(settings) = &admin.jwt_auth else {
        missing("jwt_auth", problems);
        return None;
    };
    let given = [
        ("public_key", settings.public_key.clone().map(JwtKeys::Pem)),
        ("jwks", settings.jwks.clone().map(JwtKeys::Set)),
        ("secret", settings.secret.clone().map(JwtKeys::Secret)),
    ];
    let mut given = given.into_iter().filter_map(|(name, keys)| Some((name, keys?)));
    let (Some((name, keys)), None) = (given.next(), given.next()) else {
        let text = "one of `public_key`, `jwks` and `secret` is needed, and only one is possible";
        problems.push(Problem::error("/admin/jwt_auth", text));
        return None;
    };
    let mut jwt = match JwtAuth::new(&keys) {
        Ok(jwt) => jwt.audience(settings.audience.clone()),
        Err(error) => {
            problems.push(Problem::error(format!("/admin/jwt_auth/{name}"), error.to_string()));
            return None;
        }
    };
    if let Some(issuer) = &settings.issuer {
        jwt = jwt.issuer(issuer.as_str());
    }
    if let Some(claim) = &settings.role_claim {
        jwt = jwt.role_claim(claim.as_str());
    }
    if let Some(claim) = &settings.namespaces_claim {
        jwt = jwt.namespaces_claim(claim.as_str());
    }
    if let Some(role) = settings.default_role {
        jwt = jwt.default_role(role);
    }
    Some(Auth::jwt(jwt))
}
