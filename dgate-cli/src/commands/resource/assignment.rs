//! One word of the command line: `key=value`, `key:=json`, `key@=file`, or a name.

use std::io::Read;

use serde_json::Value;

use super::coerce::{Types, coerce, coerce_file};
use crate::failure::Failure;

/// A word behind a verb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word<'a> {
    /// A name: what is meant, not what it shall be.
    Bare(&'a str),
    /// A field and what it shall be.
    Assignment(Assignment<'a>),
}

/// A field and what it shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assignment<'a> {
    /// Field names from the outside in: `tls.skip_verify`.
    pub(super) key: &'a str,
    pub(super) operand: Operand<'a>,
}

/// What stands behind the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand<'a> {
    /// `key=text`: read by the field's type.
    Text(&'a str),
    /// `key:=json`.
    Json(&'a str),
    /// `key@=path`: what the file holds; `-` is standard input.
    File(&'a str),
}

impl<'a> Word<'a> {
    /// # Errors
    /// When there is nothing before the sign.
    pub(super) fn parse(word: &'a str) -> Result<Self, Failure> {
        let Some((key, value)) = word.split_once('=') else { return Ok(Self::Bare(word)) };
        let (key, operand) = if let Some(key) = key.strip_suffix(':') {
            (key, Operand::Json(value))
        } else if let Some(key) = key.strip_suffix('@') {
            (key, Operand::File(value))
        } else {
            (key, Operand::Text(value))
        };
        if key.is_empty() {
            return Err(Failure::usage(format!("`{word}`: there is no field before the `=`")));
        }
        Ok(Self::Assignment(Assignment { key, operand }))
    }
}

impl Assignment<'_> {
    /// The JSON pointer of the field.
    pub(super) fn pointer(&self) -> String {
        self.key.split('.').flat_map(|name| ["/".into(), dgate_core::decode::escape(name)]).collect()
    }

    /// The value, read as the field's type wants it.
    ///
    /// # Errors
    /// When a file cannot be read, or JSON is none.
    pub(super) fn value(&self, types: &Types) -> Result<Value, Failure> {
        match self.operand {
            Operand::Text(text) => coerce(text, types),
            Operand::Json(text) => serde_json::from_str(text).map_err(|error| error.to_string()),
            Operand::File(path) => read(path).and_then(|bytes| coerce_file(&bytes, self.key, types)),
        }
        .map_err(|why| Failure::usage(format!("{}: {why}", self.key)))
    }
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let mut bytes = Vec::new();
    let read = if path == "-" {
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    read.map_err(|error| format!("`{path}` cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sign_decides() {
        let of = |key, operand| Word::Assignment(Assignment { key, operand });
        for (word, expected) in [
            ("hello", Word::Bare("hello")),
            ("paths=/a,/b", of("paths", Operand::Text("/a,/b"))),
            ("urls=http://x?a:=1", of("urls", Operand::Text("http://x?a:=1"))),
            ("data:={\"a\":\"b=c\"}", of("data", Operand::Json("{\"a\":\"b=c\"}"))),
            ("payload@=a=b.ts", of("payload", Operand::File("a=b.ts"))),
            ("data==x", of("data", Operand::Text("=x"))),
            ("tags=", of("tags", Operand::Text(""))),
        ] {
            assert_eq!(Word::parse(word).unwrap(), expected, "{word}");
        }
        for word in ["=x", ":=1", "@=f"] {
            assert!(Word::parse(word).is_err(), "{word}");
        }
    }

    #[test]
    fn dots_lead_into_fields() {
        let assignment = Assignment { key: "match.headers.x-a", operand: Operand::Text("1") };
        assert_eq!(assignment.pointer(), "/match/headers/x-a");
    }
}
