//! A `Response` that a hook returns.

use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::code::{Reply, ReplyBody, ReplyOption};
use super::operate::header_value;
use super::run::{Outcome, Run};
use super::value::Value;
use crate::exchange::DraftBody;
use crate::message;
use crate::thrown::Thrown;
use crate::typescript::Place;
use crate::web_url;

impl<'c> Run<'c, '_, '_> {
    /// Makes a `Response` the module's answer.
    pub(super) fn reply(&mut self, reply: &'c Reply, place: Place) -> Outcome<Value<'c>> {
        let (text, json) = match &reply.body {
            ReplyBody::Json(json) => (Value::Undefined, Some(self.json(json, place)?)),
            ReplyBody::Text(text) | ReplyBody::Redirect(text) => (self.eval(text)?, None),
        };
        let (mut status, mut headers) = (None, Vec::new());
        for (option, value) in &reply.options {
            let value = self.eval(value)?;
            match option {
                ReplyOption::Status => status = Some(value).filter(|value| *value != Value::Undefined),
                ReplyOption::Header(name) => headers.push((name, value)),
            }
        }
        if let ReplyBody::Redirect(_) = reply.body {
            return self.redirected(text, status);
        }
        let json = match json {
            Some(json) => Some(json.ok_or_else(|| Thrown::typ("undefined cannot be written as JSON"))?),
            None => None,
        };
        let status = match status {
            Some(code) => {
                let made = message::response_status(code.to_number());
                made.ok_or_else(|| message::no_response_status(code.into_text()))?
            }
            None => StatusCode::OK,
        };
        let has_body = json.is_some() || !text.is_nullish();
        let is_bare = message::is_bare(status.as_u16());
        if is_bare && !text.is_nullish() {
            return Err(message::with_body(status.as_u16()).into());
        }
        let mut own = HeaderMap::new();
        for (name, value) in headers {
            let name = self.name(name)?.into_owned();
            own.append(name, header_value(&value.into_text())?);
        }
        if is_bare && has_body {
            return Err(message::with_body(status.as_u16()).into());
        }
        let kind = if json.is_some() { "application/json" } else { "text/plain;charset=UTF-8" };
        if has_body && !own.contains_key(CONTENT_TYPE) {
            own.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        let body = match json {
            Some(json) => DraftBody::Whole(json.into()),
            None if has_body => DraftBody::Whole(text.into_text().into_owned().into()),
            None => DraftBody::Empty,
        };
        self.scene.draft().respond(status, &own, body);
        Ok(Value::Undefined)
    }

    /// `Response.redirect(url, status)`.
    fn redirected(&mut self, url: Value<'c>, status: Option<Value<'c>>) -> Outcome<Value<'c>> {
        let url = web_url::parse(&url.into_text(), None)?;
        let status = match status {
            Some(code) => {
                let made = message::redirect_status(code.to_number());
                made.ok_or_else(|| message::no_redirect(code.into_text()))?
            }
            None => StatusCode::FOUND,
        };
        let location = HeaderValue::from_str(url.as_str()).map_err(|error| Thrown::typ(error.to_string()))?;
        let own = HeaderMap::from_iter([(LOCATION, location)]);
        self.scene.draft().respond(status, &own, DraftBody::Empty);
        Ok(Value::Undefined)
    }
}
