//! A text in one of three formats, as a value.

use std::path::Path;

use serde_json::Value;

use super::position::Position;

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.2, of which JSON is a part.
    Yaml,
    /// TOML 1.0.
    Toml,
    /// JSON (RFC 8259).
    Json,
}

/// The text is not in its format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// What is wrong.
    pub message: String,
    /// Where, if that is known.
    pub at: Option<Position>,
}

impl Format {
    /// The format that a file's name stands for; YAML, of which JSON is a part, when it says nothing.
    pub fn of(path: &Path) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => Self::Toml,
            Some("json") => Self::Json,
            _ => Self::Yaml,
        }
    }

    /// Reads a text of one document. An empty one is an empty object.
    ///
    /// # Errors
    /// What is wrong with the text first.
    pub fn parse(self, text: &str) -> Result<Value, SyntaxError> {
        match self {
            Self::Yaml => {
                serde_saphyr::from_str_with_options(text, yaml()).map(without_null).map_err(yaml_error)
            }
            Self::Toml => toml::from_str(text).map_err(|error| SyntaxError {
                message: error.message().to_owned(),
                at: error.span().map(|span| Position::at_offset(text, span.start, span.len())),
            }),
            Self::Json => serde_json::from_str(text).map(without_null).map_err(|error| SyntaxError {
                message: error.to_string().split(" at line ").next().unwrap_or_default().to_owned(),
                at: Some(Position { line: error.line(), column: error.column(), length: 1 }),
            }),
        }
    }

    /// Reads all documents of a text: YAML may hold several, the other formats hold one.
    ///
    /// # Errors
    /// What is wrong with the text first.
    pub fn parse_all(self, text: &str) -> Result<Vec<Value>, SyntaxError> {
        match self {
            Self::Yaml => {
                let documents = serde_saphyr::from_multiple_with_options(text, yaml()).map_err(yaml_error)?;
                Ok(documents.into_iter().map(without_null).collect())
            }
            Self::Toml | Self::Json => Ok(vec![self.parse(text)?]),
        }
    }
}

/// An empty file is one without wishes.
fn without_null(value: Value) -> Value {
    if value == Value::Null { Value::Object(serde_json::Map::new()) } else { value }
}

#[allow(clippy::needless_pass_by_value, reason = "as `map_err` wants it")]
fn yaml_error(error: serde_saphyr::Error) -> SyntaxError {
    let at = error.location().map(|location| Position { length: 1, ..Position::of_yaml(&location) });
    // The first line says what; the rest is a snippet of its own.
    let whole = error.without_snippet().to_string();
    let first = whole.lines().next().unwrap_or_default();
    let message = first.split(" at line ").next().unwrap_or(first).trim_end_matches(':');
    // Advice for programmers.
    let message = message.split(", set DuplicateKeyPolicy").next().unwrap_or(message).to_owned();
    SyntaxError { message, at }
}

/// YAML 1.2: `yes` and `on` are words.
pub(super) fn yaml() -> serde_saphyr::Options {
    serde_saphyr::options! { strict_booleans: true }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_formats_say_the_same() {
        let expected = json!({ "version": "v1", "proxy": { "port": 80, "global_headers": { "a": "yes" } }, "tags": ["x"] });
        for (format, text) in [
            (Format::Yaml, "version: v1\nproxy:\n  port: 80\n  global_headers: {a: yes}\ntags: [x]\n"),
            (
                Format::Toml,
                "version = 'v1'\ntags = ['x']\n[proxy]\nport = 80\n[proxy.global_headers]\na = 'yes'\n",
            ),
            (
                Format::Json,
                r#"{"version":"v1","proxy":{"port":80,"global_headers":{"a":"yes"}},"tags":["x"]}"#,
            ),
            (
                Format::Yaml,
                r#"{"version":"v1","proxy":{"port":80,"global_headers":{"a":"yes"}},"tags":["x"]}"#,
            ),
        ] {
            assert_eq!(format.parse(text).unwrap(), expected, "{format:?}");
        }
        assert_eq!(Format::Yaml.parse("").unwrap(), json!({}));
        assert_eq!(Format::Yaml.parse("# nothing\n").unwrap(), json!({}));
    }

    #[test]
    fn a_text_may_hold_several_documents() {
        let all = Format::Yaml.parse_all("a: 1\n---\nb: 2\n").unwrap();
        assert_eq!(all, [json!({ "a": 1 }), json!({ "b": 2 })]);
        assert_eq!(Format::Toml.parse_all("a = 1\n").unwrap(), [json!({ "a": 1 })]);
    }

    #[test]
    fn syntax_errors_have_a_place() {
        for (format, text, line) in [
            (Format::Yaml, "proxy:\n  port: [80\nadmin: 1\n", 3),
            (Format::Yaml, "a: 1\na: 2\n", 2),
            (Format::Toml, "version = 'v1'\nport = \n", 2),
            (Format::Json, "{\n  \"a\": 1,\n}", 3),
        ] {
            let error = format.parse(text).unwrap_err();
            assert_eq!(error.at.as_ref().map(|at| at.line), Some(line), "{text:?}: {error:?}");
            assert!(!error.message.is_empty() && !error.message.contains('\n'), "{error:?}");
        }
    }
}
