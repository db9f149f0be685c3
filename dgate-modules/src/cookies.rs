//! Cookies: those of a request, and those that an answer sets.

use std::fmt::Write as _;

use dgate_core::pattern::normalize::decode;
use http::HeaderValue;

use crate::thrown::Thrown;

/// The cookies of a `Cookie` header.
pub(crate) fn parse(line: &str) -> Vec<(String, String)> {
    line.split(';')
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            let value = value.trim().trim_matches('"');
            Some((name.trim().to_owned(), decode(value).into_owned()))
        })
        .filter(|(name, _)| !name.is_empty())
        .collect()
}

/// A line of `Set-Cookie` (RFC 6265) that is being written.
pub(crate) struct SetCookie(String);

impl SetCookie {
    /// The options that are texts, in the order in which they are written, and what they are called there.
    pub(crate) const TEXTS: [(&str, &str); 4] =
        [("domain", "Domain"), ("path", "Path"), ("maxAge", "Max-Age"), ("sameSite", "SameSite")];
    /// The options that are there or not; they come last.
    pub(crate) const FLAGS: [(&str, &str); 2] = [("httpOnly", "HttpOnly"), ("secure", "Secure")];

    /// A cookie; what may not stand in its value is encoded.
    pub(crate) fn new(name: &str, value: &str) -> Result<Self, Thrown> {
        let is_token = |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(Thrown::typ(format!("`{name}` is no name of a cookie")));
        }
        let mut line = format!("{name}=");
        for byte in value.bytes() {
            if byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\' | b'%') {
                line.push(char::from(byte));
            } else {
                let _ = write!(line, "%{byte:02X}");
            }
        }
        Ok(Self(line))
    }

    /// Adds an attribute with a value.
    pub(crate) fn attribute(&mut self, name: &str, value: &str) -> Result<(), Thrown> {
        if value.contains([';', '\r', '\n']) {
            return Err(Thrown::typ(format!("`{value}` in a cookie")));
        }
        let _ = write!(self.0, "; {name}={value}");
        Ok(())
    }

    /// Adds an attribute without one.
    pub(crate) fn flag(&mut self, name: &str) {
        self.0.push_str("; ");
        self.0.push_str(name);
    }

    /// The line.
    pub(crate) fn finish(self) -> Result<HeaderValue, Thrown> {
        HeaderValue::try_from(self.0).map_err(|_| Thrown::typ("the cookie cannot be written"))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn cookies_are_read() {
        let found = super::parse("a=1; b=\"x%20y\";c; =z");
        assert_eq!(found, [("a".into(), "1".into()), ("b".into(), "x y".into())]);
    }
}
