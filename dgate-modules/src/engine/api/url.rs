//! `URL`.

use std::cell::RefCell;

use boa_engine::{Context, JsData, JsNativeError, JsObject, JsResult, JsString, JsValue};
use boa_gc::{Finalize, GcRefCell, Trace};
use url::{Url, quirks};

use super::define::{self, Member};
use super::{prototypes, query};
use crate::engine::values::{argument, at_least, text};
use crate::web_url;

/// What is behind a `URL`.
#[derive(Trace, Finalize, JsData)]
pub(super) struct UrlData {
    #[unsafe_ignore_trace]
    url: RefCell<Url>,
    query: GcRefCell<Option<JsObject>>,
}

fn with<R>(this: &JsValue, work: impl FnOnce(&mut Url) -> R) -> JsResult<R> {
    let object = this.as_object();
    let data = object.as_ref().and_then(|object| object.downcast_ref::<UrlData>());
    let data = data.ok_or_else(|| JsNativeError::typ().with_message("this is no `URL`"))?;
    let result = work(&mut data.url.borrow_mut());
    Ok(result)
}

/// The URL that an object is.
pub(super) fn of(object: &JsObject) -> Option<Url> {
    Some(object.downcast_ref::<UrlData>()?.url.borrow().clone())
}

/// The query object of a URL was changed.
pub(super) fn set_query(owner: &JsObject, text: &str) {
    if let Some(data) = owner.downcast_ref::<UrlData>() {
        data.url.borrow_mut().set_query((!text.is_empty()).then_some(text));
    }
}

/// After a change of the URL itself its query object follows.
fn follow(this: &JsValue) {
    let Some(object) = this.as_object() else { return };
    let Some(data) = object.downcast_ref::<UrlData>() else { return };
    if let Some(object) = &*data.query.borrow() {
        query::replace(object, data.url.borrow().query().unwrap_or_default());
    }
}

macro_rules! part {
    ($name:literal, $get:path) => {
        Member::Get($name, |this, _, _| with(this, |url| JsString::from($get(url)).into()))
    };
    ($name:literal, $get:path, $set:path) => {
        Member::GetSet(
            $name,
            |this, _, _| with(this, |url| JsString::from($get(url)).into()),
            |this, arguments, context| {
                let value = text(&argument(arguments, 0), context)?;
                // What does not fit is ignored, as the standard has it.
                let _ = with(this, |url| $set(url, &value))?;
                follow(this);
                Ok(JsValue::undefined())
            },
        )
    };
}

pub(super) fn prototype(context: &mut Context) -> JsResult<JsObject> {
    define::prototype(
        &[
            Member::GetSet("href", href, |this, arguments, context| {
                let value = text(&argument(arguments, 0), context)?;
                let parsed = parse(&value, None)?;
                with(this, |url| *url = parsed)?;
                follow(this);
                Ok(JsValue::undefined())
            }),
            Member::Method("toString", 0, href),
            Member::Method("toJSON", 0, href),
            part!("origin", web_url::origin),
            part!("protocol", quirks::protocol, quirks::set_protocol),
            part!("username", quirks::username, quirks::set_username),
            part!("password", quirks::password, quirks::set_password),
            part!("host", quirks::host, quirks::set_host),
            part!("hostname", quirks::hostname, quirks::set_hostname),
            part!("port", quirks::port, set_port),
            part!("pathname", quirks::pathname, quirks::set_pathname),
            part!("search", quirks::search, quirks::set_search),
            part!("hash", quirks::hash, quirks::set_hash),
            Member::Get("searchParams", search_params),
        ],
        context,
    )
}

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let prototype = prototypes(context).url.prototype.clone();
    let class = define::class("URL", 1, construct, &prototype, context)?;
    define::add(
        &class,
        &[
            Member::Method("canParse", 1, |_, arguments, context| {
                Ok(parse_arguments(arguments, context)?.is_ok().into())
            }),
            Member::Method("parse", 1, |_, arguments, context| match parse_arguments(arguments, context)? {
                Ok(url) => Ok(object(url, context).into()),
                Err(_) => Ok(JsValue::null()),
            }),
        ],
        context,
    )?;
    Ok(())
}

fn object(url: Url, context: &Context) -> JsObject {
    let data = UrlData { url: RefCell::new(url), query: GcRefCell::default() };
    prototypes(context).url.instance(data)
}

fn construct(new_target: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    if new_target.is_undefined() {
        return Err(JsNativeError::typ().with_message("`URL` needs `new`").into());
    }
    Ok(object(parse_arguments(arguments, context)??, context).into())
}

fn parse_arguments(arguments: &[JsValue], context: &mut Context) -> JsResult<Result<Url, JsNativeError>> {
    at_least("URL", 1, arguments)?;
    let input = text(&argument(arguments, 0), context)?;
    let base = argument(arguments, 1);
    let base = if base.is_undefined() { None } else { Some(text(&base, context)?) };
    Ok(parse(&input, base.as_deref()))
}

pub(super) fn parse(input: &str, base: Option<&str>) -> Result<Url, JsNativeError> {
    web_url::parse(input, base).map_err(|thrown| JsNativeError::typ().with_message(thrown.message))
}

/// Tabs and line breaks alone are no port.
fn set_port(url: &mut Url, port: &str) -> Result<(), ()> {
    let blank = |c: char| matches!(c, '\t' | '\n' | '\r');
    if !port.is_empty() && port.chars().all(blank) { Err(()) } else { quirks::set_port(url, port) }
}

fn href(this: &JsValue, _: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    with(this, |url| JsString::from(url.as_str()).into())
}

fn search_params(this: &JsValue, _: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let text = with(this, |url| url.query().unwrap_or_default().to_owned())?;
    let Some(owner) = this.as_object() else { return Ok(JsValue::undefined()) };
    let Some(data) = owner.downcast_ref::<UrlData>() else { return Ok(JsValue::undefined()) };
    if let Some(known) = &*data.query.borrow() {
        return Ok(known.clone().into());
    }
    let object = query::of_url(&text, owner.clone(), &prototypes(context).query);
    *data.query.borrow_mut() = Some(object.clone());
    Ok(object.into())
}
