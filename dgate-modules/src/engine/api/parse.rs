//! `JSON.parse`, and bodies read as JSON.
//!
//! The engine's own makes a program of the text and runs it: slow, and what it learns of names it never forgets. This one
//! makes values of text in one pass.

mod revive;

use boa_engine::object::builtins::JsArray;
use boa_engine::property::PropertyKey;
use boa_engine::string::{JsStr, JsStrVariant};
use boa_engine::{Context, JsError, JsNativeError, JsObject, JsResult, JsString, JsValue, js_string};

use super::define;
use crate::engine::depth::DEEPEST;
use crate::engine::host::Host;
use crate::engine::values::{argument, latin1};

/// After so many values the clock is looked at.
const VALUES_PER_LOOK: u32 = 1024;

pub(super) fn install(context: &mut Context) -> JsResult<()> {
    let json = context.intrinsics().objects().json();
    define::instead(
        &json,
        js_string!("parse"),
        |_, arguments, _, context| {
            let text = argument(arguments, 0).to_string(context)?;
            let value = value_of(text.as_str(), context)?;
            match argument(arguments, 1).as_callable() {
                Some(reviver) => revive::revived(value, &reviver, context),
                None => Ok(value),
            }
        },
        context,
    )
}

/// The value of a text in UTF-8.
pub(super) fn value_of_bytes(bytes: &[u8], context: &mut Context) -> JsResult<JsValue> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.is_ascii() {
        return value_of(JsStr::latin1(bytes), context);
    }
    let text = JsString::from(&*String::from_utf8_lossy(bytes));
    value_of(text.as_str(), context)
}

/// The value of a text.
fn value_of(text: JsStr<'_>, context: &mut Context) -> JsResult<JsValue> {
    let mut parser = Parser { text: text.variant(), at: 0, since_look: 0 };
    let value = parser.value(DEEPEST, context)?;
    parser.blanks();
    match parser.peek() {
        None => Ok(value),
        Some(_) => Err(parser.unexpected()),
    }
}

struct Parser<'t> {
    text: JsStrVariant<'t>,
    at: usize,
    since_look: u32,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u16> {
        match self.text {
            JsStrVariant::Latin1(bytes) => bytes.get(self.at).copied().map(u16::from),
            JsStrVariant::Utf16(units) => units.get(self.at).copied(),
        }
    }

    fn is_at(&self, byte: u8) -> bool {
        self.peek() == Some(byte.into())
    }

    /// Goes past a byte, if it comes next.
    fn take(&mut self, byte: u8) -> bool {
        let is = self.is_at(byte);
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, byte: u8) -> JsResult<()> {
        if self.take(byte) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|unit| matches!(unit, 0x20 | 0x09 | 0x0a | 0x0d)) {
            self.at += 1;
        }
    }

    fn unexpected(&self) -> JsError {
        let found = match self.peek() {
            None => "end".to_owned(),
            Some(unit) => format!("`{}`", char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER)),
        };
        self.fault(&format!("unexpected {found}"))
    }

    /// An error with its place in the text.
    fn fault(&self, what: &str) -> JsError {
        let (mut line, mut column) = (1, 1);
        let mut before = Parser { at: 0, ..*self };
        while before.at < self.at {
            (line, column) = if before.is_at(b'\n') { (line + 1, 1) } else { (line, column + 1) };
            before.at += 1;
        }
        let message = format!("this is not JSON: {what} at line {line}, column {column}");
        JsNativeError::syntax().with_message(message).into()
    }

    fn value(&mut self, depth: usize, context: &mut Context) -> JsResult<JsValue> {
        self.since_look += 1;
        if self.since_look == VALUES_PER_LOOK {
            self.since_look = 0;
            Host::of(context).look_at_clock()?;
        }
        self.blanks();
        let unit = self.peek().and_then(|unit| u8::try_from(unit).ok());
        let deeper = || depth.checked_sub(1).ok_or_else(|| self.fault("too many values within one another"));
        match unit {
            Some(b'{') => self.object(deeper()?, context),
            Some(b'[') => self.array(deeper()?, context),
            Some(b'"') => self.string().map(JsValue::from),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", true.into()),
            Some(b'f') => self.word("false", false.into()),
            Some(b'n') => self.word("null", JsValue::null()),
            _ => Err(self.unexpected()),
        }
    }

    fn word(&mut self, word: &str, value: JsValue) -> JsResult<JsValue> {
        word.bytes().try_for_each(|byte| self.expect(byte))?;
        Ok(value)
    }

    fn object(&mut self, depth: usize, context: &mut Context) -> JsResult<JsValue> {
        self.expect(b'{')?;
        let object = JsObject::with_object_proto(context.intrinsics());
        self.blanks();
        if self.take(b'}') {
            return Ok(object.into());
        }
        loop {
            self.blanks();
            let name = PropertyKey::from(self.string()?);
            self.blanks();
            self.expect(b':')?;
            let value = self.value(depth, context)?;
            object.create_data_property_or_throw(name, value, context)?;
            self.blanks();
            if self.take(b'}') {
                return Ok(object.into());
            }
            self.expect(b',')?;
        }
    }

    fn array(&mut self, depth: usize, context: &mut Context) -> JsResult<JsValue> {
        self.expect(b'[')?;
        let mut elements = Vec::new();
        self.blanks();
        if self.take(b']') {
            return Ok(JsArray::from_iter(elements, context).into());
        }
        loop {
            elements.push(self.value(depth, context)?);
            self.blanks();
            if self.take(b']') {
                return Ok(JsArray::from_iter(elements, context).into());
            }
            self.expect(b',')?;
        }
    }

    fn string(&mut self) -> JsResult<JsString> {
        self.expect(b'"')?;
        let begin = self.at;
        loop {
            match self.peek() {
                Some(0x22) => break,
                Some(0x5c) => return self.escaped(begin),
                Some(unit) if unit >= 0x20 => self.at += 1,
                _ => return Err(self.unexpected()),
            }
        }
        let text = match self.text {
            JsStrVariant::Latin1(bytes) => latin1(&bytes[begin..self.at]),
            JsStrVariant::Utf16(units) => text_of(&units[begin..self.at]),
        };
        self.at += 1;
        Ok(text)
    }

    /// A string from where the first `\` stands.
    fn escaped(&mut self, begin: usize) -> JsResult<JsString> {
        let mut units: Vec<u16> = match self.text {
            JsStrVariant::Latin1(bytes) => bytes[begin..self.at].iter().copied().map(u16::from).collect(),
            JsStrVariant::Utf16(units) => units[begin..self.at].to_vec(),
        };
        loop {
            match self.peek() {
                Some(0x22) => break,
                Some(0x5c) => {
                    self.at += 1;
                    units.push(self.escape()?);
                }
                Some(unit) if unit >= 0x20 => {
                    units.push(unit);
                    self.at += 1;
                }
                _ => return Err(self.unexpected()),
            }
        }
        self.at += 1;
        Ok(text_of(&units))
    }

    fn escape(&mut self) -> JsResult<u16> {
        let unit = self.peek().and_then(|unit| u8::try_from(unit).ok());
        let found = match unit {
            Some(b'"' | b'\\' | b'/') => self.peek().unwrap_or_default(),
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => 0x0a,
            Some(b'r') => 0x0d,
            Some(b't') => 0x09,
            Some(b'u') => {
                self.at += 1;
                let mut unit = 0;
                for _ in 0..4 {
                    let digit = self.peek().and_then(|digit| char::from_u32(digit.into())?.to_digit(16));
                    unit = unit << 4 | digit.ok_or_else(|| self.unexpected())? as u16;
                    self.at += 1;
                }
                return Ok(unit);
            }
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(found)
    }

    fn number(&mut self) -> JsResult<JsValue> {
        let mut text = String::with_capacity(16);
        let digits = |parser: &mut Self, text: &mut String| {
            let before = text.len();
            while let Some(unit @ 0x30..=0x39) = parser.peek() {
                text.push(char::from(unit as u8));
                parser.at += 1;
            }
            if text.len() > before { Ok(()) } else { Err(parser.unexpected()) }
        };
        if self.take(b'-') {
            text.push('-');
        }
        if self.take(b'0') {
            text.push('0');
        } else {
            digits(self, &mut text)?;
        }
        let mut is_whole = true;
        if self.take(b'.') {
            is_whole = false;
            text.push('.');
            digits(self, &mut text)?;
        }
        if self.is_at(b'e') || self.is_at(b'E') {
            is_whole = false;
            self.at += 1;
            text.push('e');
            if self.take(b'-') {
                text.push('-');
            } else {
                self.take(b'+');
            }
            digits(self, &mut text)?;
        }
        // There is a zero below zero.
        let whole = (is_whole && text != "-0").then(|| text.parse::<i32>().ok()).flatten();
        Ok(match whole {
            Some(number) => number.into(),
            None => text.parse::<f64>().unwrap_or(f64::NAN).into(),
        })
    }
}

/// A string of units, in the engine's smaller form if that is possible.
fn text_of(units: &[u16]) -> JsString {
    let bytes: Option<Vec<u8>> = units.iter().map(|unit| u8::try_from(*unit).ok()).collect();
    bytes.map_or_else(|| JsString::from(units), |bytes| latin1(&bytes))
}
