//! `URL`.

use std::rc::Rc;

use http::Method;
use url::{Url, form_urlencoded, quirks};

use super::code::{MadeUrl, UrlPart};
use super::run::{Outcome, Run, Stop};
use super::scene::{Seen, not_at_hand};
use super::value::Value;
use crate::{message, web_url};

impl<'c> Run<'c, '_, '_> {
    /// `new URL(…)`.
    pub(super) fn made_url(&mut self, made: &'c MadeUrl) -> Outcome<Value<'c>> {
        let input = self.eval_text(&made.input)?;
        let base = match &made.base {
            Some(base) => Some(self.eval(base)?).filter(|base| *base != Value::Undefined),
            None => None,
        };
        let base = base.map(Value::into_text);
        Ok(Value::Url(Rc::new(web_url::parse(&input, base.as_deref())?)))
    }

    /// The `URL` of the `Request` of a fetch-style handler. What no `Request` can be is refused by the engine.
    pub(super) fn fetch_url(&mut self) -> Outcome<Value<'c>> {
        let method = self.method()?;
        let (headers, uri) = self.scene.request()?;
        let url = Url::parse(&message::url(self.scene.info.client.tls, headers, uri));
        let is_possible =
            !["CONNECT", "TRACE", "TRACK"].iter().any(|no| method.as_str().eq_ignore_ascii_case(no));
        let url = url.ok().filter(|url| is_possible && url.username().is_empty() && url.password().is_none());
        match url {
            Some(url) => Ok(Value::Url(Rc::new(url))),
            None => Err(Box::new(Stop::NeedsEngine)),
        }
    }

    /// The method of the `Request` of a fetch-style handler: well-known ones are in capital letters.
    pub(super) fn fetch_method(&self) -> Outcome<Value<'c>> {
        const KNOWN: [&str; 6] = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];
        let method = self.method()?.as_str();
        let known = KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(method));
        Ok(known.map_or_else(|| Value::text(method.to_owned()), Value::text))
    }

    pub(super) fn method(&self) -> Outcome<&Method> {
        match &self.scene.request {
            Seen::Open(request) => Ok(request.method()),
            Seen::Gone(head) => Ok(&head.method),
            Seen::Nothing => Err(not_at_hand().into()),
        }
    }

    pub(super) fn url_part(&self, slot: usize, part: UrlPart) -> Value<'c> {
        let Value::Url(url) = self.variable(slot) else { return Value::Undefined };
        let text = match part {
            UrlPart::Hash => quirks::hash(url),
            UrlPart::Host => quirks::host(url),
            UrlPart::Hostname => quirks::hostname(url),
            UrlPart::Href => url.as_str(),
            UrlPart::Origin => return Value::text(web_url::origin(url)),
            UrlPart::Pathname => quirks::pathname(url),
            UrlPart::Port => quirks::port(url),
            UrlPart::Protocol => quirks::protocol(url),
            UrlPart::Search => quirks::search(url),
        };
        Value::text(text.to_owned())
    }

    /// The first value of a parameter of the query of a `URL`.
    pub(super) fn url_query(&mut self, slot: usize, wanted: &str) -> Outcome<Option<String>> {
        let Value::Url(url) = self.variable(slot).clone() else { return Ok(None) };
        let query = url.query().unwrap_or_default();
        self.work(query.len())?;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        Ok(pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned()))
    }
}
