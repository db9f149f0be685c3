//! Tokens that somebody else has signed (RFC 7519).

use http::request::Parts;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value};

use super::{Attempt, Grant, Identity, Role, authorization};

/// How far clocks may differ, in seconds.
const LEEWAY: u64 = 30;

/// The keys that sign tokens.
#[derive(Clone)]
#[non_exhaustive]
pub enum JwtKeys {
    /// One public key, PEM: RSA, EC or Ed25519.
    Pem(String),
    /// A set of public keys (RFC 7517), as JSON.
    Set(String),
    /// A secret that both sides know (HMAC).
    Secret(String),
}

impl std::fmt::Debug for JwtKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pem(_) => "Pem(…)",
            Self::Set(_) => "Set(…)",
            Self::Secret(_) => "Secret(…)",
        })
    }
}

/// Keys that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JwtError {
    /// The key is none.
    #[error("the public key is no RSA, EC or Ed25519 key in PEM")]
    Pem,
    /// The set is none.
    #[error("the set of keys is none (RFC 7517): {0}")]
    Set(String),
    /// The secret is too short.
    #[error("the secret is shorter than 32 bytes, and so could be guessed")]
    Secret,
}

/// Whoever has a token.
pub struct JwtAuth {
    keys: Vec<(Option<String>, DecodingKey)>,
    issuer: Option<String>,
    audience: Vec<String>,
    role_claim: String,
    namespaces_claim: String,
    default_role: Option<Role>,
}

impl JwtAuth {
    /// Tokens that are signed by one of these keys and have not expired.
    ///
    /// # Errors
    /// When the keys cannot be used.
    pub fn new(keys: &JwtKeys) -> Result<Self, JwtError> {
        let keys = match keys {
            JwtKeys::Pem(pem) => {
                let pem = pem.as_bytes();
                let key = DecodingKey::from_rsa_pem(pem)
                    .or_else(|_| DecodingKey::from_ec_pem(pem))
                    .or_else(|_| DecodingKey::from_ed_pem(pem));
                vec![(None, key.map_err(|_| JwtError::Pem)?)]
            }
            JwtKeys::Set(json) => {
                let set: JwkSet =
                    serde_json::from_str(json).map_err(|error| JwtError::Set(error.to_string()))?;
                // A set may hold keys for other purposes, or of kinds that are not known here.
                let usable = |jwk: &Jwk| Some((jwk.common.key_id.clone(), DecodingKey::from_jwk(jwk).ok()?));
                let keys: Vec<_> = set.keys.iter().filter_map(usable).collect();
                if keys.is_empty() {
                    return Err(JwtError::Set("no key in it can be used".to_owned()));
                }
                keys
            }
            JwtKeys::Secret(secret) if secret.len() < 32 => return Err(JwtError::Secret),
            JwtKeys::Secret(secret) => vec![(None, DecodingKey::from_secret(secret.as_bytes()))],
        };
        Ok(Self {
            keys,
            issuer: None,
            audience: Vec::new(),
            role_claim: "role".to_owned(),
            namespaces_claim: "namespaces".to_owned(),
            default_role: None,
        })
    }

    /// Only tokens of this issuer.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Only tokens for one of these audiences.
    #[must_use]
    pub fn audience(mut self, audience: Vec<String>) -> Self {
        self.audience = audience;
        self
    }

    /// The claim that holds the role, or a list of roles; `role` when nobody says.
    #[must_use]
    pub fn role_claim(mut self, name: impl Into<String>) -> Self {
        self.role_claim = name.into();
        self
    }

    /// The claim that holds the namespaces that somebody is limited to; `namespaces` when nobody says.
    #[must_use]
    pub fn namespaces_claim(mut self, name: impl Into<String>) -> Self {
        self.namespaces_claim = name.into();
        self
    }

    /// The role of those whose token says nothing of roles; they may do nothing when nobody says.
    #[must_use]
    pub fn default_role(mut self, role: Role) -> Self {
        self.default_role = Some(role);
        self
    }

    pub(super) fn identify(&self, parts: &Parts) -> Attempt {
        let Some(token) = authorization(parts, "bearer") else { return Attempt::Missing };
        let Ok(header) = decode_header(token) else { return Attempt::Bad("no token") };
        let fits = |(id, key): &&(Option<String>, DecodingKey)| {
            let is_named = id.is_none() || header.kid.is_none() || *id == header.kid;
            is_named && key.family().algorithms().contains(&header.alg)
        };
        for (_, key) in self.keys.iter().filter(fits) {
            let mut validation = Validation::new_for_family(key.family());
            validation.leeway = LEEWAY;
            validation.validate_nbf = true;
            validation.validate_aud = !self.audience.is_empty();
            let mut required = vec!["exp"];
            if !self.audience.is_empty() {
                validation.set_audience(&self.audience);
                required.push("aud");
            }
            if let Some(issuer) = &self.issuer {
                validation.set_issuer(&[issuer]);
                required.push("iss");
            }
            validation.set_required_spec_claims(&required);
            if let Ok(token) = decode::<Map<String, Value>>(token, key, &validation) {
                return self.grant(&token.claims);
            }
        }
        Attempt::Bad("a token that is not valid")
    }

    fn grant(&self, claims: &Map<String, Value>) -> Attempt {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let name = text("sub").or_else(|| text("email")).unwrap_or("token").to_owned();
        let role = match claims.get(&self.role_claim) {
            Some(Value::String(role)) => role_of(role),
            Some(Value::Array(roles)) => roles.iter().filter_map(Value::as_str).filter_map(role_of).max(),
            Some(_) => None,
            None => self.default_role,
        };
        let Some(role) = role else { return Attempt::Powerless(name) };
        match claims.get(&self.namespaces_claim) {
            None => Attempt::Good(Identity::new(name, role)),
            Some(Value::Array(namespaces)) => {
                let namespaces: Vec<String> =
                    namespaces.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                // An empty list is a limit, not the lack of one.
                Attempt::Good(Identity::new(name, role).within(namespaces))
            }
            Some(Value::String(namespace)) => {
                Attempt::Good(Grant { role, namespaces: vec![namespace.clone()] }.to(&name))
            }
            Some(_) => Attempt::Powerless(name),
        }
    }
}

fn role_of(text: &str) -> Option<Role> {
    [Role::Viewer, Role::Editor, Role::Admin].into_iter().find(|role| role.as_str() == text)
}

impl std::fmt::Debug for JwtAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JwtAuth")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    use serde_json::json;

    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn identify(auth: &JwtAuth, token: &str) -> Attempt {
        let request = http::Request::builder().header("authorization", format!("Bearer {token}"));
        auth.identify(&request.body(()).unwrap().into_parts().0)
    }

    fn now() -> i64 {
        jiff::Timestamp::now().as_second()
    }

    fn signed(claims: &Value) -> String {
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
    }

    fn auth() -> JwtAuth {
        JwtAuth::new(&JwtKeys::Secret(SECRET.to_owned())).unwrap()
    }

    #[test]
    fn roles_and_namespaces_come_from_claims() {
        let soon = now() + 60;
        for (claims, who) in [
            (
                json!({ "sub": "ann", "exp": soon, "role": "editor" }),
                Some(Identity::new("ann", Role::Editor)),
            ),
            (
                json!({ "sub": "ann", "exp": soon, "role": ["x", "viewer", "admin"] }),
                Some(Identity::new("ann", Role::Admin)),
            ),
            (
                json!({ "sub": "ann", "exp": soon, "role": "editor", "namespaces": ["a", "b"] }),
                Some(Identity::new("ann", Role::Editor).within(["a", "b"])),
            ),
            (
                json!({ "sub": "ann", "exp": soon, "role": "editor", "namespaces": [] }),
                Some(Identity::new("ann", Role::Editor).within(Vec::<String>::new())),
            ),
            (json!({ "sub": "ann", "exp": soon }), None),
            (json!({ "sub": "ann", "exp": soon, "role": "root" }), None),
            (json!({ "sub": "ann", "exp": soon, "role": "editor", "namespaces": 7 }), None),
        ] {
            let expected = who.map_or(Attempt::Powerless("ann".to_owned()), Attempt::Good);
            assert_eq!(identify(&auth(), &signed(&claims)), expected, "{claims}");
        }
        let viewers = auth().default_role(Role::Viewer);
        let token = signed(&json!({ "sub": "ann", "exp": soon }));
        assert_eq!(identify(&viewers, &token), Attempt::Good(Identity::new("ann", Role::Viewer)));
    }

    #[test]
    fn tokens_that_are_not_valid_are_refused() {
        let strict = || auth().issuer("https://id.example").audience(vec!["dgate".to_owned()]);
        let good = json!({ "sub": "a", "exp": now() + 60, "role": "admin", "iss": "https://id.example", "aud": "dgate" });
        assert!(matches!(identify(&strict(), &signed(&good)), Attempt::Good(_)));
        for (field, value) in [
            ("exp", json!(now() - 60)),
            ("exp", Value::Null),
            ("nbf", json!(now() + 120)),
            ("iss", json!("https://evil.example")),
            ("iss", Value::Null),
            ("aud", json!("others")),
            ("aud", Value::Null),
        ] {
            let mut claims = good.clone();
            let fields = claims.as_object_mut().unwrap();
            fields.remove(field);
            fields.extend((!value.is_null()).then(|| (field.to_owned(), value)));
            assert!(matches!(identify(&strict(), &signed(&claims)), Attempt::Bad(_)), "{claims}");
        }
        let token = signed(&good);
        let (head, signature) = token.rsplit_once('.').unwrap();
        let (_, claims) = head.split_once('.').unwrap();
        // `{"alg":"none"}`
        let unsigned = format!("eyJhbGciOiJub25lIn0.{claims}.");
        for wrong in [
            format!("{head}.{}", signature.replace(&signature[..1], "_")),
            unsigned,
            "x".to_owned(),
            String::new(),
        ] {
            assert!(matches!(identify(&strict(), &wrong), Attempt::Bad(_)), "{wrong}");
        }
    }

    #[test]
    fn a_public_key_is_no_secret_to_sign_with() {
        use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
        let random = aws_lc_rs::rand::SystemRandom::new();
        let private = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, private.as_ref()).unwrap();
        let point = pair.public_key().as_ref();
        let part = |bytes: &[u8]| {
            use base64::Engine as _;
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
        };
        let jwk = json!({ "kty": "EC", "crv": "P-256", "kid": "k1", "x": part(&point[1..33]), "y": part(&point[33..]) });
        let other = json!({ "kty": "oct-unknown", "kid": "k2" });
        let auth = JwtAuth::new(&JwtKeys::Set(json!({ "keys": [other, jwk] }).to_string())).unwrap();
        let claims = json!({ "sub": "ann", "exp": now() + 60, "role": "admin" });
        let header = |kid: &str| Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::ES256) };
        let key = EncodingKey::from_ec_der(private.as_ref());
        let good = encode(&header("k1"), &claims, &key).unwrap();
        assert_eq!(identify(&auth, &good), Attempt::Good(Identity::new("ann", Role::Admin)));
        let other_key = encode(&header("k3"), &claims, &key).unwrap();
        assert!(matches!(identify(&auth, &other_key), Attempt::Bad(_)));
        let hmac = encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(point)).unwrap();
        assert!(matches!(identify(&auth, &hmac), Attempt::Bad(_)), "the public key is no shared secret");
    }

    #[test]
    fn keys_that_cannot_be_used_are_refused() {
        for keys in [
            JwtKeys::Pem("no key".to_owned()),
            JwtKeys::Set("{}".to_owned()),
            JwtKeys::Set("{\"keys\":[]}".to_owned()),
            JwtKeys::Secret("short".to_owned()),
        ] {
            assert!(JwtAuth::new(&keys).is_err());
        }
    }
}
