//! `${VAR}`, `${VAR:-default}`, `${VAR:?message}`, `${file:/path}` and `$$`, in values only.

use serde_json::Value;

use crate::decode::escape;
use crate::{Problem, Problems};

/// Names of fields that hold source text, in which `${…}` means something else.
const SOURCE_TEXT: [&str; 4] = ["payload", "payload_raw", "payloadRaw", "payload-raw"];

/// Where values come from.
pub trait Sources {
    /// The value of a variable.
    fn variable(&self, name: &str) -> Option<String>;

    /// The content of a file, relative to the one that names it.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn file(&self, path: &str) -> Result<String, String>;
}

/// A value that was put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpolated {
    /// Where it stands: a JSON pointer.
    pub pointer: String,
    /// What stood there.
    pub written: String,
}

/// Replaces references in all texts of a value. The structure of the document is never touched: what comes from outside
/// stays one text, whatever is in it.
pub fn interpolate(value: &mut Value, sources: &dyn Sources, problems: &mut Problems) -> Vec<Interpolated> {
    let mut done = Vec::new();
    walk(value, &mut String::new(), sources, &mut done, problems);
    done
}

/// References are texts. Where a number or a flag is expected, a text that reads like one becomes one. `types_at` tells
/// which JSON types are expected where a JSON pointer leads to.
pub fn coerce(value: &mut Value, done: &[Interpolated], types_at: impl Fn(&str) -> Vec<String>) {
    for Interpolated { pointer, .. } in done {
        let Some(found) = value.pointer_mut(pointer) else { continue };
        let Value::String(text) = &*found else { continue };
        let expected = types_at(pointer);
        let expects = |name: &str| expected.iter().any(|expected| expected == name);
        let as_number = (expects("integer") || expects("number")).then(|| text.parse::<i64>().ok()).flatten();
        let as_flag = expects("boolean").then(|| text.parse::<bool>().ok()).flatten();
        if let Some(number) = as_number {
            *found = number.into();
        } else if let Some(flag) = as_flag {
            *found = flag.into();
        }
    }
}

/// Makes [`interpolate`] give back a value as it is: what looks like a reference is written with `$$`.
pub fn escape_references(value: &mut Value) {
    match value {
        Value::String(text) if text.contains("${") || text.contains("$$") => *text = escaped(text),
        Value::Array(items) => items.iter_mut().for_each(escape_references),
        Value::Object(fields) => {
            let fields = fields.iter_mut().filter(|(name, _)| !SOURCE_TEXT.contains(&name.as_str()));
            fields.for_each(|(_, field)| escape_references(field));
        }
        _ => {}
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        out.push(c);
        if c == '$' && matches!(rest.peek(), Some('$' | '{')) {
            out.push('$');
        }
    }
    out
}

fn walk(
    value: &mut Value,
    at: &mut String,
    sources: &dyn Sources,
    done: &mut Vec<Interpolated>,
    problems: &mut Problems,
) {
    let length = at.len();
    match value {
        Value::String(text) if text.contains('$') => match resolve(text, sources) {
            Ok(resolved) => {
                if resolved != *text {
                    let written = std::mem::replace(text, resolved);
                    done.push(Interpolated { pointer: at.clone(), written });
                }
            }
            Err(problem) => problems.push(Problem { pointer: at.clone(), ..problem }),
        },
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                at.push('/');
                at.push_str(&index.to_string());
                walk(item, at, sources, done, problems);
                at.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut().filter(|(name, _)| !SOURCE_TEXT.contains(&name.as_str())) {
                at.push('/');
                at.push_str(&escape(name));
                walk(field, at, sources, done, problems);
                at.truncate(length);
            }
        }
        _ => {}
    }
}

fn resolve(text: &str, sources: &dyn Sources) -> Result<String, Problem> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        out.push_str(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let Some(end) = after.find('}') else {
                return Err(Problem::error("", "`${` without `}`").with_help("write `$$` for a dollar sign"));
            };
            out.push_str(&reference(&after[..end], sources)?);
            rest = &after[end + 1..];
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn reference(inside: &str, sources: &dyn Sources) -> Result<String, Problem> {
    if let Some(path) = inside.strip_prefix("file:") {
        let content =
            sources.file(path).map_err(|error| Problem::error("", format!("`${{file:{path}}}`: {error}")))?;
        // Files end with a line end; secrets do not.
        return Ok(content.trim_end_matches(['\n', '\r']).to_owned());
    }
    let end = inside.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inside.len());
    let (name, rest) = inside.split_at(end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(Problem::error("", format!("`${{{inside}}}` names no variable")).with_help(
            "write `${VAR}`, `${VAR:-default}`, `${VAR:?message}` or `${file:/path}`; `$$` for a dollar sign",
        ));
    }
    let value = sources.variable(name);
    match rest.get(..2) {
        // Like a shell: an empty variable counts as unset.
        Some(":-") => Ok(value.filter(|value| !value.is_empty()).unwrap_or_else(|| rest[2..].to_owned())),
        Some(":?") => value.filter(|value| !value.is_empty()).ok_or_else(|| {
            let message = if rest.len() > 2 { &rest[2..] } else { "it is required" };
            Problem::error("", format!("variable `{name}` is not set: {message}"))
        }),
        None if rest.is_empty() => value.ok_or_else(|| {
            Problem::error("", format!("variable `{name}` is not set"))
                .with_help(format!("set it, or give a default: `${{{name}:-…}}`"))
        }),
        _ => Err(Problem::error("", format!("`${{{inside}}}` cannot be read"))
            .with_help("write `${VAR}`, `${VAR:-default}`, `${VAR:?message}` or `${file:/path}`")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Fixed;

    impl Sources for Fixed {
        fn variable(&self, name: &str) -> Option<String> {
            match name {
                "HOST" => Some("example.com".to_owned()),
                "EMPTY" => Some(String::new()),
                "EVIL" => Some("x: 1\nadmin: {insecure: true}".to_owned()),
                _ => None,
            }
        }

        fn file(&self, path: &str) -> Result<String, String> {
            if path == "/secret" { Ok("s3cret\n".to_owned()) } else { Err("not found".to_owned()) }
        }
    }

    fn resolved(text: &str) -> Result<String, String> {
        resolve(text, &Fixed).map_err(|problem| problem.message)
    }

    #[test]
    fn references() {
        for (text, expected) in [
            ("plain", "plain"),
            ("http://${HOST}/x", "http://example.com/x"),
            ("${NOPE:-default}", "default"),
            ("${EMPTY:-default}", "default"),
            ("${EMPTY}", ""),
            ("${HOST:?needed}", "example.com"),
            ("${file:/secret}", "s3cret"),
            ("$$HOST ${NOPE:-$}", "$HOST $"),
            ("$HOST 5$", "$HOST 5$"),
            ("$${HOST}", "${HOST}"),
            ("$(rm -rf /)", "$(rm -rf /)"),
        ] {
            assert_eq!(resolved(text).as_deref(), Ok(expected), "{text}");
        }
        for (text, reason) in [
            ("${NOPE}", "variable `NOPE` is not set"),
            ("${NOPE:?set it to the host}", "variable `NOPE` is not set: set it to the host"),
            ("${EMPTY:?}", "variable `EMPTY` is not set: it is required"),
            ("${HOST", "`${` without `}`"),
            ("${}", "`${}` names no variable"),
            ("${a b}", "cannot be read"),
            ("${1}", "names no variable"),
            ("${file:/nope}", "not found"),
        ] {
            assert!(resolved(text).unwrap_err().contains(reason), "{text}: {:?}", resolved(text));
        }
    }

    #[test]
    fn what_looks_like_a_reference_can_be_written() {
        for text in ["${HOST}", "$${HOST}", "$$", "$$$", "$$${HOST}", "a$b$", "$$$${"] {
            let mut value = json!([text, { "payload_raw": text }]);
            escape_references(&mut value);
            let mut problems = Problems::new();
            interpolate(&mut value, &Fixed, &mut problems);
            assert_eq!((value, problems.len()), (json!([text, { "payload_raw": text }]), 0), "{text}");
        }
    }

    #[test]
    fn numbers_and_flags_are_read_where_they_are_expected() {
        let mut value = json!({ "port": "80", "on": "true", "name": "80", "other": "x" });
        let names = ["port", "on", "name", "other"];
        let done = names.map(|name| Interpolated { pointer: format!("/{name}"), written: String::new() });
        let types = |pointer: &str| match pointer {
            "/port" | "/other" => vec!["integer".to_owned()],
            "/on" => vec!["boolean".to_owned()],
            _ => vec!["string".to_owned()],
        };
        coerce(&mut value, &done, types);
        assert_eq!(value, json!({ "port": 80, "on": true, "name": "80", "other": "x" }));
    }

    #[test]
    fn the_structure_is_never_touched() {
        let mut value = json!({ "a": ["${EVIL}"], "payload_raw": "`${HOST}`", "b": { "c": "${NOPE}" } });
        let mut problems = Problems::new();
        let done = interpolate(&mut value, &Fixed, &mut problems);
        assert_eq!(value["a"][0], "x: 1\nadmin: {insecure: true}");
        assert_eq!(value["payload_raw"], "`${HOST}`", "source text is left alone");
        assert_eq!(done, [Interpolated { pointer: "/a/0".into(), written: "${EVIL}".into() }]);
        assert_eq!(problems.iter().map(|problem| problem.pointer.as_str()).collect::<Vec<_>>(), ["/b/c"]);
    }
}
