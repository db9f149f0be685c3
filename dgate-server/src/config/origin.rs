//! The configuration in effect, and where each value comes from.

use std::fmt::Write as _;

use dgate_core::decode::escape;
use dgate_core::text::Spans;
use serde_json::Value;

use super::load::Loaded;

/// Fields whose values nobody may print.
const SECRET: [&str; 3] = ["key", "password", "encryption_key"];

/// The configuration in effect as YAML; with origins, as one line a value.
pub fn show(loaded: &Loaded, with_origins: bool) -> String {
    let mut value = serde_json::to_value(&loaded.config).unwrap_or_default();
    redact(&mut value, "");
    if !with_origins {
        return serde_saphyr::to_string(&value).unwrap_or_default();
    }
    let origins = Origins { loaded, spans: Spans::of(&loaded.source.text, loaded.source.format) };
    let mut lines = Vec::new();
    origins.collect(&value, "", &mut lines);
    let width =
        lines.iter().map(|(line, _)| line.chars().count()).filter(|width| *width < 60).max().unwrap_or(0);
    let mut out = String::new();
    for (line, origin) in lines {
        let _ = writeln!(out, "{line:width$}  # {origin}");
    }
    out
}

fn redact(value: &mut Value, at: &str) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let is_secret_data = (name == "data" && at.contains("/secrets/"))
                    || (name == "secret" && at == "/admin/jwt_auth");
                if (SECRET.contains(&name.as_str()) && field.is_string()) || is_secret_data {
                    *field = "[redacted]".into();
                } else {
                    redact(field, &format!("{at}/{name}"));
                }
            }
        }
        Value::Array(items) => {
            items.iter_mut().enumerate().for_each(|(index, item)| redact(item, &format!("{at}/{index}")));
        }
        _ => {}
    }
}

struct Origins<'l> {
    loaded: &'l Loaded,
    spans: Spans,
}

impl Origins<'_> {
    fn collect(&self, value: &Value, pointer: &str, lines: &mut Vec<(String, String)>) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (name, field) in fields {
                    self.collect(field, &format!("{pointer}/{}", escape(name)), lines);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    self.collect(item, &format!("{pointer}/{index}"), lines);
                }
            }
            scalar => {
                let name = pointer.trim_start_matches('/').replace('/', ".");
                let text = scalar.to_string();
                let shown = if text.chars().count() > 60 {
                    format!("{}…", text.chars().take(60).collect::<String>())
                } else {
                    text
                };
                lines.push((format!("{name}: {shown}"), self.origin(pointer)));
            }
        }
    }

    fn origin(&self, pointer: &str) -> String {
        if !self.spans.contains(pointer) {
            return "default".to_owned();
        }
        let line = self.spans.value(pointer).map_or(0, |position| position.line);
        let place = format!("{}:{line}", self.loaded.source.name);
        match self.loaded.source.interpolated.iter().find(|done| done.pointer == pointer) {
            Some(done) => format!("{place} from {}", done.written),
            None => place,
        }
    }
}
