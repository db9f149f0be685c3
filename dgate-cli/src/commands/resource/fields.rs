//! Which fields a kind has, from its schema, for help texts.

use std::fmt::Write;

use dgate_core::{Kind, decode, with_kind};
use serde_json::Value;

/// The longest name of a type that others are aligned with.
const WIDEST_TYPE: usize = 22;

/// Required and optional fields with their types.
pub(super) fn help(kind: Kind) -> String {
    let schema = with_kind!(kind, R => decode::json_schema::<R>());
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let fields: Vec<_> = schema["properties"].as_object().into_iter().flatten().collect();
    let name_width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let list = |title: &str, is_wanted: &dyn Fn(&str) -> bool| {
        let mut text = format!("{title}:");
        for (name, field) in fields.iter().filter(|(name, _)| is_wanted(name)) {
            let name_of_type = type_name(field, &schema);
            let says = first_sentence(field, &schema);
            let _ = write!(text, "\n  {name:name_width$}  {name_of_type:WIDEST_TYPE$}  {says}");
        }
        text
    };
    let optional = list("Optional", &|name| !required.contains(&name));
    let text = format!("{}\n\n{optional}", list("Required", &|name| required.contains(&name)));
    format!(
        "{text}\n\nFields within fields have dots (`a.b=1`), lists have commas; `key:=` takes JSON, `key@=` a file.\n\
         `--key value` is `key=value`, unless `--key` is an option already."
    )
}

fn resolved<'a>(mut field: &'a Value, root: &'a Value) -> &'a Value {
    while let Some(target) = field["$ref"].as_str().and_then(|path| root.pointer(path.strip_prefix('#')?)) {
        field = target;
    }
    field
}

fn type_name(field: &Value, root: &Value) -> String {
    let field = resolved(field, root);
    if let Some(unit) = field["x-dgate-unit"].as_str() {
        return unit.to_owned();
    }
    let words = |values: Vec<&Value>| {
        let words: Vec<_> = values.into_iter().filter_map(Value::as_str).collect();
        words.join("|")
    };
    if let Some(values) = field["enum"].as_array() {
        return words(values.iter().collect());
    }
    if let Some(alternatives) = field["anyOf"].as_array().or_else(|| field["oneOf"].as_array()) {
        let constants: Vec<_> = alternatives.iter().filter_map(|one| one.get("const")).collect();
        let others = alternatives.iter().filter(|one| one.get("const").is_none());
        let mut names: Vec<_> =
            others.map(|one| type_name(one, root)).filter(|name| name != "null").collect();
        if !constants.is_empty() {
            names.insert(0, words(constants));
        }
        names.dedup();
        return names.join("|");
    }
    let name = match &field["type"] {
        Value::String(name) => name,
        Value::Array(names) => {
            names.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or("any")
        }
        _ => "any",
    };
    match name {
        "array" => "list",
        "object" => "mapping",
        "string" => "text",
        "boolean" => "true|false",
        "integer" => "number",
        other => other,
    }
    .to_owned()
}

fn first_sentence<'a>(field: &'a Value, root: &'a Value) -> &'a str {
    let description = field["description"].as_str().or_else(|| resolved(field, root)["description"].as_str());
    let text = description.unwrap_or_default();
    text.split_once(". ").map_or(text, |(first, _)| first).trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_every_kind_have_types_and_words() {
        for kind in Kind::ALL {
            let help = help(kind);
            assert!(help.starts_with("Required:\n  "), "{help}");
            for line in help.lines().filter(|line| line.starts_with("  ")) {
                assert!(line.split_whitespace().count() > 2, "{kind}: {line}");
            }
        }
    }

    #[test]
    fn types_are_told_as_people_write_them() {
        let route = help(Kind::Route);
        for line in [
            "  paths          list ",
            "  strip_path     true|false ",
            "  timeout        duration ",
            "  priority       number ",
        ] {
            assert!(route.contains(line), "{line}\n{route}");
        }
        assert!(help(Kind::Job).contains("skip|queue|allow"), "{}", help(Kind::Job));
        assert!(help(Kind::Collection).contains("private|public"), "{}", help(Kind::Collection));
    }
}
