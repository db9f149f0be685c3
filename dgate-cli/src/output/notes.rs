//! What is no result: said on standard error, in words, or as JSON to programs that asked for JSON.

use std::fmt::Display;

use serde_json::{Map, Value, json};

use super::{Format, Output, style};
use crate::failure::{Detail, Failure};

impl Output {
    /// Says something that is no result.
    pub(crate) fn say(self, what: impl Display) {
        self.note("message", &what, || what.to_string());
    }

    /// Says something that is worth a warning.
    pub(crate) fn warn(self, what: impl Display) {
        self.note("warning", &what, || format!("{}warning:{:#} {what}", style::WARNING, style::WARNING));
    }

    /// Says why a command did not do what it should.
    pub(crate) fn fail(self, failure: &Failure) {
        if self.format == Some(Format::Json) {
            anstream::eprintln!("{}", json!({ "error": to_json(failure) }));
        } else {
            anstream::eprintln!("{failure}");
        }
    }

    fn note(self, name: &str, what: &dyn Display, in_words: impl FnOnce() -> String) {
        if self.format == Some(Format::Json) {
            let text = anstream::adapter::strip_str(&what.to_string()).to_string();
            anstream::eprintln!("{}", json!({ name: text }));
        } else {
            anstream::eprintln!("{}", in_words());
        }
    }
}

fn to_json(failure: &Failure) -> Value {
    let details: Vec<Value> = failure.details.iter().map(detail).collect();
    let mut error = json!({ "status": failure.exit as u8, "message": failure.message });
    if !details.is_empty() {
        error["details"] = details.into();
    }
    if let Some(help) = &failure.help {
        error["help"] = help.as_str().into();
    }
    error
}

fn detail(detail: &Detail) -> Value {
    let fields = [
        ("file", detail.file.as_str()),
        ("resource", &detail.resource),
        ("pointer", &detail.pointer),
        ("message", &detail.message),
        ("help", detail.help.as_deref().unwrap_or_default()),
    ];
    let known = fields.into_iter().filter(|(_, text)| !text.is_empty());
    Value::Object(known.map(|(name, text)| (name.to_owned(), text.into())).collect::<Map<_, _>>())
}
