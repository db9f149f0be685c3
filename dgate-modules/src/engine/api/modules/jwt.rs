//! `dgate/jwt`.

use boa_engine::object::builtins::JsArray;
use boa_engine::{Context, JsError, JsNativeError, JsObject, JsResult, JsString, JsValue, js_string};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::Value;

use super::Function;
use crate::engine::depth::json;
use crate::engine::ops::named_error;
use crate::engine::values::{argument, data, optional_text, text};

pub(super) fn function(export: &str) -> Option<Function> {
    Some(match export {
        "verify" => verify,
        "sign" => sign,
        _ => return None,
    })
}

fn refused(message: &str, context: &mut Context) -> JsError {
    named_error("JwtError", message, context)
}

fn algorithm(name: &str) -> JsResult<Algorithm> {
    name.parse()
        .map_err(|_| JsNativeError::typ().with_message(format!("there is no algorithm `{name}`")).into())
}

/// One text or a list of texts.
fn list(options: &JsObject, key: JsString, context: &mut Context) -> JsResult<Option<Vec<String>>> {
    let value = options.get(key, context)?;
    if value.is_null_or_undefined() {
        return Ok(None);
    }
    let Some(array) = value.as_object().filter(JsObject::is_array) else {
        return Ok(Some(vec![text(&value, context)?]));
    };
    let array = JsArray::from_object(array)?;
    let mut all = Vec::new();
    for index in 0..array.length(context)? {
        all.push(text(&array.get(index, context)?, context)?);
    }
    Ok(Some(all))
}

/// `verify(token, key, {alg, aud, iss})`: the claims. `alg` has to be named: a token does not choose how it is checked.
fn verify(_: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let token = text(&argument(arguments, 0), context)?;
    let key = data(&argument(arguments, 1), context)?;
    let options = argument(arguments, 2).as_object();
    let options = options.ok_or_else(|| JsNativeError::typ().with_message("`verify` needs `{ alg }`"))?;
    let names = list(&options, js_string!("alg"), context)?
        .ok_or_else(|| JsNativeError::typ().with_message("`verify` needs `{ alg }`"))?;
    let algorithms: Vec<Algorithm> = names.iter().map(|name| algorithm(name)).collect::<JsResult<_>>()?;
    let first = *algorithms.first().ok_or_else(|| JsNativeError::typ().with_message("`alg` is empty"))?;
    let mut validation = Validation::new(first);
    validation.algorithms = algorithms;
    validation.validate_nbf = true;
    validation.leeway = 0;
    validation.required_spec_claims.clear();
    match list(&options, js_string!("aud"), context)? {
        Some(audience) => {
            validation.required_spec_claims.insert("aud".to_owned());
            validation.set_audience(&audience);
        }
        None => validation.validate_aud = false,
    }
    if let Some(issuer) = list(&options, js_string!("iss"), context)? {
        validation.required_spec_claims.insert("iss".to_owned());
        validation.set_issuer(&issuer);
    }
    let key = match decoding_key(first, &key) {
        Ok(key) => key,
        Err(error) => return Err(refused(&format!("the key cannot be used: {error}"), context)),
    };
    match jsonwebtoken::decode::<Value>(&token, &key, &validation) {
        Ok(decoded) => JsValue::from_json(&decoded.claims, context),
        Err(error) => Err(refused(&error.to_string(), context)),
    }
}

/// `sign(claims, key, {alg, kid})`: the token.
fn sign(_: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let claims = json(&argument(arguments, 0), context)?;
    if !claims.is_object() {
        return Err(JsNativeError::typ().with_message("`sign` needs an object of claims").into());
    }
    let key = data(&argument(arguments, 1), context)?;
    let (mut name, mut kid) = ("HS256".to_owned(), None);
    if let Some(options) = argument(arguments, 2).as_object() {
        name = optional_text(&options.get(js_string!("alg"), context)?, context)?.unwrap_or(name);
        kid = optional_text(&options.get(js_string!("kid"), context)?, context)?;
    }
    let algorithm = algorithm(&name)?;
    let mut header = Header::new(algorithm);
    header.kid = kid;
    let key = match encoding_key(algorithm, &key) {
        Ok(key) => key,
        Err(error) => return Err(refused(&format!("the key cannot be used: {error}"), context)),
    };
    match jsonwebtoken::encode(&header, &claims, &key) {
        Ok(token) => Ok(JsString::from(token).into()),
        Err(error) => Err(refused(&error.to_string(), context)),
    }
}

fn decoding_key(algorithm: Algorithm, key: &[u8]) -> jsonwebtoken::errors::Result<DecodingKey> {
    match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => Ok(DecodingKey::from_secret(key)),
        Algorithm::ES256 | Algorithm::ES384 => DecodingKey::from_ec_pem(key),
        Algorithm::EdDSA => DecodingKey::from_ed_pem(key),
        _ => DecodingKey::from_rsa_pem(key),
    }
}

fn encoding_key(algorithm: Algorithm, key: &[u8]) -> jsonwebtoken::errors::Result<EncodingKey> {
    match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => Ok(EncodingKey::from_secret(key)),
        Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_pem(key),
        Algorithm::EdDSA => EncodingKey::from_ed_pem(key),
        _ => EncodingKey::from_rsa_pem(key),
    }
}
