//! Values, and what the language makes of one another.

use std::borrow::Cow;
use std::rc::Rc;

use url::Url;

use super::code::Constant;
use super::text;
use crate::message;
use crate::shared::Primitive;
use crate::thrown::Thrown;

/// A value. Texts have no halves of surrogate pairs: where one comes up, the engine takes over.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'c> {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'c, str>),
    /// Nobody changes it, nor asks whether it is the same as another.
    List(Rc<[Self]>),
    /// Likewise.
    Url(Rc<Url>),
}

impl<'c> Value<'c> {
    pub(super) fn text(text: impl Into<Cow<'c, str>>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn is_nullish(&self) -> bool {
        matches!(self, Self::Undefined | Self::Null)
    }

    /// The value, which a function cannot do without.
    pub(super) fn given(self, function: &str, name: &str) -> Result<Self, Thrown> {
        match self {
            Self::Undefined => Err(message::missing(function, name, "undefined")),
            Self::Null => Err(message::missing(function, name, "null")),
            value => Ok(value),
        }
    }

    /// `Boolean(x)`.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Undefined | Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(number) => *number != 0.0 && !number.is_nan(),
            Self::Text(text) => !text.is_empty(),
            Self::List(_) | Self::Url(_) => true,
        }
    }

    /// `String(x)`.
    pub(super) fn into_text(self) -> Cow<'c, str> {
        match self {
            Self::Undefined => "undefined".into(),
            Self::Null => "null".into(),
            Self::Bool(true) => "true".into(),
            Self::Bool(false) => "false".into(),
            Self::Number(number) => number_text(number).into(),
            Self::Text(text) => text,
            Self::List(list) => joined(&list, ",").into(),
            Self::Url(url) => url.as_str().to_owned().into(),
        }
    }

    /// `Number(x)`.
    pub(super) fn to_number(&self) -> f64 {
        match self {
            Self::Undefined | Self::Url(_) => f64::NAN,
            Self::Null => 0.0,
            Self::Bool(value) => f64::from(u8::from(*value)),
            Self::Number(number) => *number,
            Self::Text(text) => text::to_number(text),
            Self::List(list) => text::to_number(&joined(list, ",")),
        }
    }

    /// `typeof x`.
    pub(super) fn type_of(&self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::Null | Self::List(_) | Self::Url(_) => "object",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
        }
    }
}

/// The elements of a list as texts, one after the other.
pub(super) fn joined(list: &[Value<'_>], between: &str) -> String {
    let mut whole = String::new();
    for (index, value) in list.iter().enumerate() {
        if index > 0 {
            whole.push_str(between);
        }
        if !value.is_nullish() {
            whole.push_str(&value.clone().into_text());
        }
    }
    whole
}

/// A number as the language writes it.
pub(super) fn number_text(number: f64) -> String {
    ryu_js::Buffer::new().format(number).to_owned()
}

impl<'c> From<&'c Constant> for Value<'c> {
    fn from(constant: &'c Constant) -> Self {
        match constant {
            Constant::Undefined => Self::Undefined,
            Constant::Null => Self::Null,
            Constant::Bool(value) => Self::Bool(*value),
            Constant::Number(number) => Self::Number(*number),
            Constant::Text(text) => Self::Text(Cow::Borrowed(text)),
        }
    }
}

impl From<Primitive> for Value<'_> {
    fn from(value: Primitive) -> Self {
        match value {
            Primitive::Undefined => Self::Undefined,
            Primitive::Null => Self::Null,
            Primitive::Bool(value) => Self::Bool(value),
            Primitive::Number(number) => Self::Number(number),
            Primitive::Text(text) => Self::text((*text).to_owned()),
        }
    }
}

impl From<Value<'_>> for Primitive {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Undefined => Self::Undefined,
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => Self::Number(number),
            value => Self::Text(value.into_text().into()),
        }
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Value<'_> {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_language_does() {
        let cases = [(0.0, "0"), (-0.0, "0"), (1.0, "1"), (0.1, "0.1"), (1e21, "1e+21"), (1e-7, "1e-7")];
        for (number, text) in cases {
            assert_eq!(number_text(number), text);
        }
        assert_eq!(number_text(f64::NAN), "NaN");
        assert_eq!(number_text(f64::NEG_INFINITY), "-Infinity");
    }
}
