//! Which fields a kind has, from its schema, for help texts.

use std::fmt::Write;

use dgate_core::{Kind, decode, with_kind};
use serde_json::Value;

/// The longest name of a type that others are aligned with.
const WIDEST_TYPE: usize = 22;

/// Where lines end: every terminal is at least as wide.
const WIDTH: usize = 80;

/// Required and optional fields with their types.
pub(super) fn help(kind: Kind) -> String {
    let schema = with_kind!(kind, R => decode::json_schema::<R>());
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let fields: Vec<_> = schema["properties"].as_object().into_iter().flatten().collect();
    let types = fields.iter().map(|(_, field)| type_name(field, &schema).chars().count());
    let type_width = types.filter(|width| *width <= WIDEST_TYPE).max().unwrap_or_default();
    let name_width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let list = |title: &str, is_wanted: &dyn Fn(&str) -> bool| {
        let mut text = format!("{title}:");
        for (name, field) in fields.iter().filter(|(name, _)| is_wanted(name)) {
            let name_of_type = type_name(field, &schema);
            let says = first_sentence(field, &schema);
            let _ = write!(text, "\n  {name:name_width$}  {name_of_type:type_width$}  ");
            let indent = name_width + type_width + 6;
            if name_of_type.chars().count() > type_width {
                text.truncate(text.trim_end().len());
                let _ = write!(text, "\n{:indent$}", "");
            }
            text.push_str(&wrapped(says, indent));
        }
        text
    };
    let optional = list("Optional", &|name| !required.contains(&name));
    let text = format!("{}\n\n{optional}", list("Required", &|name| required.contains(&name)));
    let example = example(kind);
    format!(
        "{text}\n\nExample: dgate-cli {kind} create {example}\n\nFields within fields have dots (`a.b=1`), lists have commas; `key:=` takes JSON, `key@=` a file.\n\
         `--key value` is `key=value`, unless `--key` is an option already."
    )
}

/// How one is made.
fn example(kind: Kind) -> &'static str {
    match kind {
        Kind::Namespace => "shop",
        Kind::Service => "echo urls=http://127.0.0.1:8888",
        Kind::Route => "hello 'paths=/hello/**' service=echo",
        Kind::Module => "greet payload@=greet.ts",
        Kind::Domain => "shop 'patterns=shop.example,*.shop.example'",
        Kind::Collection => "users schema@=users.schema.json",
        Kind::Document => "users/7 'data={\"name\":\"Ann\"}'",
        Kind::Secret => "token data@=token.txt",
        Kind::Job => "clean module=clean schedule=@hourly",
        Kind::Listener => "db address=0.0.0.0:5432 service=db",
        Kind::Protocol => "lines framing.kind=delimiter framing.bytes=0a",
    }
}

/// A text whose further lines begin where its first one does.
fn wrapped(text: &str, indent: usize) -> String {
    let mut out = String::new();
    let mut column = indent;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > indent && column + 1 + length > WIDTH {
            let _ = write!(out, "\n{:indent$}", "");
            column = indent;
        } else if column > indent {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
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
            assert!(
                help.lines().all(|line| line.chars().count() <= WIDTH || !line.starts_with("  ")),
                "{help}"
            );
            for line in help.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")) {
                // A long type has its words below it.
                assert!(line.split_whitespace().count() > 2 || line.contains('|'), "{kind}: {line}");
                assert_eq!(line.trim_end(), line, "{kind}");
            }
        }
    }

    #[test]
    fn examples_are_valid() {
        use clap::Parser as _;
        let cli = crate::args::Cli::parse_from(["dgate-cli", "man"]);
        let context = crate::context::Context::new(cli.global);
        for kind in Kind::ALL {
            let words = example(kind).split(' ').map(|word| word.trim_matches('\''));
            // Files are not there.
            let words: Vec<_> =
                words.map(|word| word.replace("@=", "=").replace("=users.schema.json", ":={}")).collect();
            let (identity, mut fields) = super::super::compose::compose(kind, &words, &context).unwrap();
            if kind == Kind::Module {
                fields["payload"] = "YQ==".into();
            }
            super::super::compose::check(&identity, &fields)
                .unwrap_or_else(|failure| panic!("{kind}: {failure}"));
        }
    }

    #[test]
    fn types_are_told_as_people_write_them() {
        let route = help(Kind::Route);
        for line in [
            "  paths          list        Path patterns",
            "  strip_path     true|false  Remove",
            "  timeout        duration ",
            "  priority       number ",
        ] {
            assert!(route.contains(line), "{line}\n{route}");
        }
        assert!(help(Kind::Job).contains("skip|queue|allow"), "{}", help(Kind::Job));
        assert!(help(Kind::Collection).contains("private|public"), "{}", help(Kind::Collection));
    }
}
