//! Protocols: how they are written.

use crate::problems::did_you_mean;
use crate::resource::{Field, FramingKind, Length, Protocol};
use crate::{Problem, Problems};

const TYPES: [&str; 24] = [
    "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32", "float64", "bool",
    "varint", "zigzag", "bytes", "string", "cstring", "ipv4", "ipv6", "uuid", "struct", "array", "switch",
    "padding", "checksum",
];

pub(super) fn check(spec: &Protocol, problems: &mut Problems) {
    match (spec.format_definitions.is_empty(), spec.messages.is_empty()) {
        (false, false) => {
            problems.push(Problem::error(
                "",
                "a protocol has either `format_definitions` or `messages`, not both",
            ));
        }
        (true, true) if spec.modules.is_empty() && spec.framing.is_none() => {
            problems.push(Problem::error(
                "",
                "a protocol needs `format_definitions`, `messages`, `framing` or `modules`",
            ));
        }
        _ => {}
    }
    check_fields("/format_definitions", &spec.format_definitions, &mut Vec::new(), problems);
    for (direction, fields) in &spec.messages {
        let at = format!("/messages/{}", crate::decode::escape(direction));
        if !matches!(direction.as_str(), "client" | "server") {
            problems
                .push(Problem::error(at.as_str(), format!("`{direction}` is neither `client` nor `server`")));
        }
        check_fields(&at, fields, &mut Vec::new(), problems);
    }
    if let Some(framing) = &spec.framing {
        let missing = match framing.kind {
            FramingKind::Length | FramingKind::Fixed if framing.size.is_none() => Some("size"),
            FramingKind::Delimiter if framing.bytes.is_none() => Some("bytes"),
            _ => None,
        };
        if let Some(name) = missing {
            problems.push(Problem::error("/framing", format!("this kind of framing needs `{name}`")));
        }
    }
}

fn check_fields<'f>(at: &str, fields: &'f [Field], known: &mut Vec<&'f str>, problems: &mut Problems) {
    for (index, field) in fields.iter().enumerate() {
        let at = format!("{at}/{index}");
        let base = field.field_type.split(':').next().unwrap_or_default();
        if !TYPES.contains(&base) && !matches!(base, "bits" | "computed") {
            problems.push(
                Problem::error(format!("{at}/type"), format!("unknown type `{}`", field.field_type))
                    .with_help_if(did_you_mean(&field.field_type, TYPES)),
            );
        }
        if let Some(Length::Expression(expression)) = &field.length {
            check_expression(&format!("{at}/length"), expression, known, problems);
        }
        if let Some(condition) = &field.condition {
            check_expression(&format!("{at}/if"), condition, known, problems);
        }
        if fields[..index].iter().any(|other| other.name == field.name) {
            problems
                .push(Problem::error(format!("{at}/name"), format!("field `{}` occurs twice", field.name)));
        }
        let mark = known.len();
        check_fields(&format!("{at}/fields"), &field.fields, known, problems);
        known.truncate(mark);
        known.push(&field.name);
    }
}

/// References may only point to earlier fields.
fn check_expression(at: &str, expression: &str, known: &[&str], problems: &mut Problems) {
    for reference in expression.split("variable.").skip(1) {
        let end =
            reference.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(reference.len());
        let name = &reference[..end];
        if !known.contains(&name) {
            problems.push(
                Problem::error(at, format!("`variable.{name}` is no earlier field"))
                    .with_help_if(did_you_mean(name, known.iter().copied())),
            );
        }
    }
}
