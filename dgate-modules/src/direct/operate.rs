//! What a hook does with a request and with answers.
//!
//! All of it means the same as the objects of the engine (`engine/api`) that modules see; what is checked and how is in
//! [`message`] and [`exchange`](crate::exchange), which both use.

use std::borrow::Cow;

use dgate_core::Body;
use dgate_core::pattern::normalize::decode;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderName, HeaderValue, StatusCode};
use url::form_urlencoded;

use super::code::{self, Cookie, Json, Name, Node, Operation, Side};
use super::run::{Outcome, Run, Stop};
use super::text;
use super::value::Value;
use crate::cookies::{self, SetCookie};
use crate::message;
use crate::shared::Shared;
use crate::thrown::Thrown;
use crate::typescript::Place;

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

impl<'c> Run<'c, '_, '_> {
    /// Does something; without a place where it throws.
    pub(super) fn operate(&mut self, operation: &'c Operation, place: Place) -> Outcome<Value<'c>> {
        Ok(match operation {
            Operation::Shared(key) => {
                let key = self.needed("get", "key", key)?;
                match self.scene.info.values.get(&key) {
                    None => Value::Undefined,
                    Some(Shared::Value(value)) => value.into(),
                    Some(Shared::InEngine) => return Err(Box::new(Stop::NeedsEngine)),
                }
            }
            Operation::Share(key, value) => {
                let (key, value) = (self.eval(key)?, self.eval(value)?);
                let key = key.given("set", "key")?.into_text();
                self.scene.info.values.set(&key, Shared::Value(value.into()));
                Value::Undefined
            }
            Operation::PathParameter(name) => {
                let name = self.needed("pathParam", "name", name)?;
                let value = self.scene.info.matched.path_parameter(&name);
                value.map_or(Value::Undefined, |value| Value::text(decode(value).into_owned()))
            }
            Operation::DomainParameter(name) => {
                let name = self.needed("domainParam", "name", name)?;
                let value = self.scene.info.matched.domain_parameter(&name);
                value.map_or(Value::Undefined, |value| Value::text(value.to_owned()))
            }
            Operation::Query(name) => {
                let name = self.eval_text(name)?;
                self.query(&name)?.map_or(Value::Null, Value::text)
            }
            Operation::HasQuery(name) => {
                let name = self.eval_text(name)?;
                self.query(&name)?.is_some().into()
            }
            Operation::UrlQuery(slot, name) => {
                let name = self.eval_text(name)?;
                self.url_query(*slot, &name)?.map_or(Value::Null, Value::text)
            }
            Operation::HasUrlQuery(slot, name) => {
                let name = self.eval_text(name)?;
                self.url_query(*slot, &name)?.is_some().into()
            }
            Operation::Reply(reply) => self.reply(reply, place)?,
            Operation::GetHeader(side, name) => {
                let name = self.name(name)?;
                let value = message::joined(self.scene.headers(*side)?, &name).map(|v| text::of_latin1(&v));
                value.map_or(Value::Null, Value::text)
            }
            Operation::HasHeader(side, name) => {
                let name = self.name(name)?;
                self.scene.headers(*side)?.contains_key(&*name).into()
            }
            Operation::SetHeader(side, name, value) => {
                let (name, value) = self.header(name, value)?;
                if !message::is_framing(&name) {
                    self.scene.headers_mut(*side)?.insert(name.into_owned(), value);
                }
                Value::Undefined
            }
            Operation::AppendHeader(side, name, value) => {
                let (name, value) = self.header(name, value)?;
                if !message::is_framing(&name) {
                    self.scene.headers_mut(*side)?.append(name.into_owned(), value);
                }
                Value::Undefined
            }
            Operation::DeleteHeader(side, name) => {
                let name = self.name(name)?;
                if !message::is_framing(&name) {
                    self.scene.headers_mut(*side)?.remove(&*name);
                }
                Value::Undefined
            }
            Operation::SetMethod(value) => {
                let value = self.eval(value)?;
                let method = message::method(&value.clone().into_text())?;
                *self.scene.open_request()?.method_mut() = method;
                value
            }
            Operation::SetPath(value) => {
                let value = self.eval(value)?;
                let path = value.clone().into_text();
                let request = self.scene.open_request()?;
                *request.uri_mut() = message::with_path(request.uri(), &path)?;
                value
            }
            Operation::Location(url) => {
                let location = header_value(&self.needed("location", "url", url)?)?;
                self.scene.draft().headers.insert(LOCATION, location);
                Value::Undefined
            }
            Operation::Status(side, code) => {
                let code = self.eval(code)?;
                let status = status(&code)?;
                match side {
                    Side::Upstream => message::set_status(self.scene.upstream()?, status)?,
                    _ => self.scene.draft().status = Some(status),
                }
                code
            }
            Operation::Redirect(side, url, code) => {
                // The status is looked at first.
                let url = self.eval(url)?;
                let code = match code {
                    Some(code) => Some(self.eval(code)?).filter(|code| *code != Value::Undefined),
                    None => None,
                };
                let url = url.given("redirect", "url")?;
                let code = code.map_or(Ok(StatusCode::TEMPORARY_REDIRECT), |code| status(&code))?;
                self.redirect(*side, url, code)?
            }
            Operation::RedirectPermanently(side, url) => {
                let url = self.eval(url)?.given("redirectPermanent", "url")?;
                self.redirect(*side, url, StatusCode::MOVED_PERMANENTLY)?
            }
            Operation::Cookie(side, cookie) => {
                let line = self.cookie(cookie)?;
                let headers = match side {
                    Side::Upstream => self.scene.upstream()?.headers_mut(),
                    _ => &mut self.scene.draft().headers,
                };
                headers.append(SET_COOKIE, line);
                Value::Undefined
            }
            Operation::GetCookie(name) => {
                let name = self.needed("getCookie", "name", name)?;
                let lines = self.scene.request()?.0.get_all(COOKIE).iter();
                let mut all = lines.filter_map(|line| line.to_str().ok()).flat_map(cookies::parse);
                let found = all.find(|(known, _)| *known == name);
                found.map_or(Value::Undefined, |(_, value)| Value::text(value))
            }
            Operation::WriteJson(..)
            | Operation::WriteText(..)
            | Operation::AnswerJson(_)
            | Operation::Send(_)
            | Operation::End(_)
            | Operation::WriteMore(_)
            | Operation::WriteMoreJson(_) => self.write(operation, place)?,
        })
    }

    /// Writes a body.
    fn write(&mut self, operation: &'c Operation, place: Place) -> Outcome<Value<'c>> {
        match operation {
            Operation::WriteJson(side, json) => {
                let bytes = self.whole_json(json, place)?;
                match side {
                    Side::Upstream => message::replace_body(self.scene.upstream()?, bytes.into(), Some(JSON)),
                    _ => {
                        let request = self.scene.open_request()?;
                        *request.body_mut() = Body::full(bytes);
                        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
                    }
                }
            }
            Operation::WriteText(side, body) => {
                let (bytes, _) = self.written(body)?;
                match side {
                    Side::Upstream => message::replace_body(self.scene.upstream()?, bytes.into(), None),
                    _ => *self.scene.open_request()?.body_mut() = Body::full(bytes),
                }
            }
            Operation::AnswerJson(json) => {
                let bytes = self.whole_json(json, place)?;
                self.scene.draft().finish(bytes.into(), Some(JSON))?;
            }
            Operation::Send(body) => {
                let (bytes, _) = self.written(body)?;
                self.scene.draft().finish(bytes.into(), Some(TEXT))?;
            }
            Operation::End(body) => {
                let (bytes, is_empty) = self.written(body)?;
                self.scene.draft().finish(bytes.into(), (!is_empty).then_some(TEXT))?;
            }
            Operation::WriteMore(body) => {
                let (bytes, _) = self.written(body)?;
                let most = self.module.limits.body;
                self.scene.draft().write(&bytes, most)?;
            }
            Operation::WriteMoreJson(json) => {
                let bytes = self.whole_json(json, place)?;
                let most = self.module.limits.body;
                self.scene.draft().write(&bytes, most)?;
            }
            _ => {}
        }
        Ok(Value::Undefined)
    }

    /// Bytes of what is written as a body, and whether there are none.
    fn written(&mut self, body: &'c Node) -> Outcome<(Vec<u8>, bool)> {
        let body = self.eval(body)?;
        let bytes = if body.is_nullish() { Vec::new() } else { body.into_text().into_owned().into_bytes() };
        let is_empty = bytes.is_empty();
        Ok((bytes, is_empty))
    }

    /// JSON of something that has some.
    fn whole_json(&mut self, json: &'c Json, place: Place) -> Outcome<Vec<u8>> {
        let bytes = self.json(json, place)?;
        Ok(bytes.ok_or_else(|| Thrown::typ("undefined cannot be written as JSON"))?)
    }

    fn redirect(&mut self, side: Side, url: Value<'c>, status: StatusCode) -> Outcome<Value<'c>> {
        let location = header_value(&url.into_text())?;
        match side {
            Side::Upstream => message::redirect(self.scene.upstream()?, location, status),
            _ => self.scene.draft().redirect(location, status),
        }
        Ok(Value::Undefined)
    }

    fn cookie(&mut self, cookie: &'c Cookie) -> Outcome<HeaderValue> {
        let (name, value) = (self.eval(&cookie.name)?, self.eval(&cookie.value)?);
        let mut options = Vec::with_capacity(cookie.options.len());
        for (option, value) in &cookie.options {
            options.push((&**option, self.eval(value)?));
        }
        let option = |name| options.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        let (name, value) = (name.given("cookie", "name")?, value.given("cookie", "value")?);
        let value = value.into_text();
        let mut line = SetCookie::new(&name.into_text(), &value)?;
        for (name, attribute) in SetCookie::TEXTS.into_iter().chain([("expires", "Expires")]) {
            if let Some(value) = option(name).filter(|value| !value.is_nullish()) {
                line.attribute(attribute, &value.into_text())?;
            }
        }
        for (name, attribute) in SetCookie::FLAGS {
            if option(name).is_some_and(|value| value.is_true()) {
                line.flag(attribute);
            }
        }
        Ok(line.finish()?)
    }

    /// The first value of a parameter of the query.
    fn query(&mut self, wanted: &str) -> Outcome<Option<String>> {
        let length = self.scene.request()?.1.query().map_or(0, str::len);
        self.work(length)?;
        let query = self.scene.request()?.1.query().unwrap_or_default();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        Ok(pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned()))
    }

    /// A name and a value; both are computed before either is looked at.
    fn header(
        &mut self,
        name: &'c Name,
        value: &'c code::Value,
    ) -> Outcome<(Cow<'c, HeaderName>, HeaderValue)> {
        match (name, value) {
            (Name::Made(name), code::Value::Made(value)) => {
                let (name, value) = (self.eval_text(name)?, self.eval_text(value)?);
                Ok((Cow::Owned(header_name(&name)?), header_value(&value)?))
            }
            (name, value) => {
                let value = self.header_value(value)?;
                Ok((self.name(name)?, value))
            }
        }
    }

    pub(super) fn name(&mut self, name: &'c Name) -> Outcome<Cow<'c, HeaderName>> {
        match name {
            Name::Known(name) => Ok(Cow::Borrowed(name)),
            Name::Made(node) => Ok(Cow::Owned(header_name(&self.eval_text(node)?)?)),
        }
    }

    fn header_value(&mut self, value: &'c code::Value) -> Outcome<HeaderValue> {
        match value {
            code::Value::Known(value) => Ok(value.clone()),
            code::Value::Made(node) => self.made_header_value(node),
        }
    }

    /// A text that a function cannot do without.
    fn needed(&mut self, function: &str, name: &str, node: &'c Node) -> Outcome<Cow<'c, str>> {
        Ok(self.eval(node)?.given(function, name)?.into_text())
    }

    fn made_header_value(&mut self, node: &'c Node) -> Outcome<HeaderValue> {
        Ok(header_value(&self.eval_text(node)?)?)
    }
}

fn header_name(name: &str) -> Result<HeaderName, Thrown> {
    message::header_name(text::to_latin1(name).as_deref(), name)
}

pub(super) fn header_value(value: &str) -> Result<HeaderValue, Thrown> {
    message::header_value(text::to_latin1(value).as_deref(), value)
}

/// A status, as the language makes whole numbers of values.
fn status(code: &Value<'_>) -> Result<StatusCode, Thrown> {
    let number = code.to_number();
    let whole = if number.is_nan() { 0.0 } else { number.trunc() };
    message::status(whole, shown(code))
}

/// A value as errors show it.
fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => format!("{text:?}"),
        other => other.clone().into_text().into_owned(),
    }
}
