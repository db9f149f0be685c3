//! URLs as the web has them, whichever way a module is run.

use std::borrow::Cow;

use url::{Url, quirks};

use crate::thrown::Thrown;

/// `new URL(input, base)`.
///
/// # Errors
/// When it is none.
pub(crate) fn parse(input: &str, base: Option<&str>) -> Result<Url, Thrown> {
    let invalid = |text: &str| Thrown::typ(format!("Invalid URL: {text}"));
    let base = base.map(|base| Url::parse(base).map_err(|_| invalid(base))).transpose()?;
    let parsed = match base.as_ref().filter(|base| base.is_special() && base.scheme() != "file") {
        Some(base) => Url::options().base_url(Some(base)).parse(&fewer_slashes(input)),
        None => Url::options().base_url(base.as_ref()).parse(input),
    };
    parsed.map_err(|_| invalid(input))
}

/// Any number of slashes, either way, begins an authority when it is more than one.
fn fewer_slashes(input: &str) -> Cow<'_, str> {
    let trimmed = input.trim_start_matches(|c: char| c <= ' ');
    let mut slashes = trimmed.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r'));
    if !(0..3).all(|_| matches!(slashes.next(), Some('/' | '\\'))) {
        return input.into();
    }
    let rest = trimmed.trim_start_matches(['/', '\\', '\t', '\n', '\r']);
    format!("//{rest}").into()
}

/// The origin of a URL: what a `blob:` names has one if it is of the web.
pub(crate) fn origin(url: &Url) -> String {
    if url.scheme() != "blob" {
        return quirks::origin(url);
    }
    let inner = Url::parse(url.path()).ok().filter(|inner| matches!(inner.scheme(), "http" | "https"));
    inner.map_or_else(|| "null".to_owned(), |inner| quirks::origin(&inner))
}
