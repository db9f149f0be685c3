//! What is wrong with a value, told by the schema it should satisfy.

use serde_json::Value;

use super::escape;
use super::schema::{Node, type_name};
use crate::problems::did_you_mean;
use crate::{Problem, Problems};

/// Everything about a value that its schema does not allow.
pub(super) fn diagnose(value: &Value, schema: Node<'_>) -> Problems {
    let mut problems = Problems::new();
    check(value, schema, &mut String::new(), &mut problems);
    problems
}

fn check(value: &Value, schema: Node<'_>, at: &mut String, problems: &mut Problems) {
    if let Some(alternatives) = schema.alternatives() {
        check_alternatives(value, schema, &alternatives, at, problems);
        return;
    }
    if let Some(allowed) = schema.listed_values() {
        check_listed(value, &allowed, at, problems);
        return;
    }
    let types = schema.types();
    let found = type_name(value);
    let allowed = |name: &&str| *name == found || (*name == "number" && found == "integer");
    if !types.is_empty() && !types.iter().any(allowed) {
        problems.push(wrong_type(value, &types, schema, at));
        return;
    }
    match value {
        Value::Object(object) => {
            for (name, field) in object {
                within(at, name, |at| match schema.field(name).or_else(|| schema.map_values()) {
                    Some(field_schema) => check(field, field_schema, at, problems),
                    None if schema.is_closed() => problems.push(
                        Problem::error(at.as_str(), format!("unknown field `{name}`"))
                            .with_help(unknown_field_help(name, schema)),
                    ),
                    None => {}
                });
            }
            for name in schema.required().filter(|name| !object.contains_key(*name)) {
                problems.push(Problem::error(at.as_str(), format!("missing field `{name}`")));
            }
        }
        Value::Array(items) => {
            if let Some(item_schema) = schema.items() {
                for (index, item) in items.iter().enumerate() {
                    within(at, &index.to_string(), |at| check(item, item_schema, at, problems));
                }
            }
        }
        Value::String(text) => check_text(text, schema, at, problems),
        Value::Number(number) => check_range(number, schema, at, problems),
        Value::Null | Value::Bool(_) => {}
    }
}

fn within(at: &mut String, token: &str, then: impl FnOnce(&mut String)) {
    let length = at.len();
    at.push('/');
    at.push_str(&escape(token));
    then(at);
    at.truncate(length);
}

fn unknown_field_help(name: &str, schema: Node<'_>) -> String {
    did_you_mean(name, schema.fields()).unwrap_or_else(|| {
        let known: Vec<_> = schema.fields().collect();
        format!("expected one of {}", quoted(&known))
    })
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn check_alternatives(
    value: &Value,
    schema: Node<'_>,
    alternatives: &[Node<'_>],
    at: &mut String,
    problems: &mut Problems,
) {
    if alternatives.iter().any(|alternative| diagnose(value, *alternative).is_empty()) {
        return;
    }
    // A misspelt word among listed ones (an enum's variants) is told from the whole list.
    let listed: Vec<_> =
        alternatives.iter().filter_map(|alternative| alternative.listed_values()).flatten().collect();
    if value.is_string() && !listed.is_empty() {
        check_listed(value, &listed, at, problems);
        return;
    }
    match schema.alternative_for(value) {
        Some(meant) => check(value, meant, at, problems),
        None => {
            let types: Vec<_> = alternatives.iter().flat_map(|alternative| alternative.types()).collect();
            problems.push(wrong_type(value, &types, schema, at));
        }
    }
}

fn check_listed(value: &Value, allowed: &[&Value], at: &str, problems: &mut Problems) {
    if allowed.contains(&value) {
        return;
    }
    let names: Vec<_> = allowed.iter().filter_map(|allowed| allowed.as_str()).collect();
    let found = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut help = format!("expected one of {}", quoted(&names));
    if let Some(meant) = did_you_mean(&found, names.iter().copied()) {
        help = format!("{help}; {meant}");
    }
    problems.push(Problem::error(at, format!("unknown value `{found}`")).with_help(help));
}

fn wrong_type(value: &Value, types: &[&str], schema: Node<'_>, at: &str) -> Problem {
    let mut expected: Vec<_> =
        types.iter().copied().filter(|name| *name != "null").map(with_article).collect();
    expected.dedup();
    let found = match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) | Value::Number(_) => format!("`{value}`"),
        Value::String(text) => format!("the string {text:?}"),
        other => with_article(type_name(other)).to_owned(),
    };
    let problem = Problem::error(at, format!("expected {}, found {found}", expected.join(" or ")));
    match schema.text("x-dgate-unit").and(schema.text("description")) {
        Some(description) => problem.with_help(format!("it is {description}")),
        None => problem,
    }
}

fn with_article(name: &str) -> &str {
    match name {
        "null" => "nothing",
        "boolean" => "`true` or `false`",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a string",
        "array" => "a list",
        "object" => "a mapping",
        other => other,
    }
}

fn check_text(text: &str, schema: Node<'_>, at: &str, problems: &mut Problems) {
    let pattern = schema.text("pattern");
    let is_right = match (schema.text("format"), pattern) {
        (Some("ip"), _) => text.parse::<std::net::IpAddr>().is_ok(),
        (Some("cidr"), _) => text.parse::<ipnet::IpNet>().is_ok(),
        (_, Some(pattern)) => regex::Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text)),
        (_, None) => true,
    };
    if is_right {
        return;
    }
    let expected = schema.text("description").or(pattern).unwrap_or_default();
    problems.push(Problem::error(at, format!("`{text}` is not {expected}")));
}

fn check_range(number: &serde_json::Number, schema: Node<'_>, at: &str, problems: &mut Problems) {
    let value = number.as_f64().unwrap_or(f64::NAN);
    let bound = |keyword| schema.get(keyword).and_then(Value::as_f64);
    if let Some(least) = bound("minimum").filter(|least| value < *least) {
        problems.push(Problem::error(at, format!("`{number}` is too small, the least is {least}")));
    }
    if let Some(most) = bound("maximum").filter(|most| value > *most) {
        problems.push(Problem::error(at, format!("`{number}` is too large, the most is {most}")));
    }
}
