//! Protocols: how they are written. What their expressions compute is the data plane's business.

use crate::decode::escape;
use crate::key::is_identifier;
use crate::problems::did_you_mean;
use crate::resource::{Field, Framing, FramingKind, Length, Protocol};
use crate::{Problem, Problems};

const TYPES: [&str; 26] = [
    "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32", "float64", "bool",
    "bits", "varint", "zigzag", "bytes", "string", "cstring", "ipv4", "ipv6", "uuid", "struct", "array",
    "switch", "padding", "checksum", "computed",
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
    let is_framed = spec.framing.is_some();
    Fields { is_framed, problems }.check("/format_definitions", &spec.format_definitions, &mut Vec::new());
    for (direction, fields) in &spec.messages {
        let at = format!("/messages/{}", escape(direction));
        if !matches!(direction.as_str(), "client" | "server") {
            problems
                .push(Problem::error(at.as_str(), format!("`{direction}` is neither `client` nor `server`")));
        }
        Fields { is_framed, problems }.check(&at, fields, &mut Vec::new());
    }
    if let Some(framing) = &spec.framing {
        check_framing(framing, problems);
    }
}

/// Each kind of framing has keys of its own.
fn check_framing(framing: &Framing, problems: &mut Problems) {
    let default = Framing::of(framing.kind);
    let (needed, possible): (&[&str], &[&str]) = match framing.kind {
        FramingKind::Length => (&["size"], &["offset", "endian", "adjust"]),
        FramingKind::Fixed => (&["size"], &[]),
        FramingKind::Delimiter => (&["bytes"], &[]),
        FramingKind::Varint => (&[], &["adjust"]),
    };
    for (name, is_given) in [
        ("size", framing.size.is_some()),
        ("offset", framing.offset.is_some()),
        ("endian", framing.endian != default.endian),
        ("adjust", framing.adjust != default.adjust),
        ("bytes", framing.bytes.is_some()),
    ] {
        if needed.contains(&name) && !is_given {
            problems.push(Problem::error("/framing", format!("this kind of framing needs `{name}`")));
        } else if is_given && !needed.contains(&name) && !possible.contains(&name) {
            let message = format!("`{name}` means nothing for this kind of framing");
            problems.push(Problem::error(format!("/framing/{name}"), message));
        }
    }
    match (framing.kind, framing.size) {
        (FramingKind::Length, Some(size)) if !matches!(size, 1 | 2 | 4 | 8) => {
            problems.push(Problem::error("/framing/size", "a length has 1, 2, 4 or 8 bytes"));
        }
        (FramingKind::Fixed, Some(0)) => {
            problems.push(Problem::error("/framing/size", "a frame has at least one byte"));
        }
        _ => {}
    }
    if let Some(bytes) = &framing.bytes {
        check_bytes("/framing/bytes", bytes, problems);
    }
}

/// Bytes as hexadecimal digits.
fn check_bytes(at: &str, text: &str, problems: &mut Problems) {
    if text.is_empty() || text.len() % 2 == 1 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        problems.push(
            Problem::error(at, format!("`{text}` is not a row of bytes"))
                .with_help("write two hexadecimal digits for each, such as `0d0a`"),
        );
    }
}

struct Fields<'p> {
    /// Whether a frame's end is known otherwise, so that its last field may take what is left.
    is_framed: bool,
    problems: &'p mut Problems,
}

impl Fields<'_> {
    fn check<'f>(&mut self, at: &str, fields: &'f [Field], known: &mut Vec<&'f str>) {
        for (index, field) in fields.iter().enumerate() {
            let at = format!("{at}/{index}");
            self.check_name(&at, field);
            if fields[..index].iter().any(|other| other.name == field.name) {
                let message = format!("field `{}` occurs twice", field.name);
                self.problems.push(Problem::error(format!("{at}/name"), message));
            }
            self.check_type(&at, field, index + 1 == fields.len());
            let length = [("length", &field.length), ("repeat", &field.repeat)];
            for (key, expression) in length.into_iter().filter_map(|(key, length)| match length {
                Some(Length::Expression(text)) if text != "until" && text != "eos" => Some((key, text)),
                _ => None,
            }) {
                self.check_expression(&format!("{at}/{key}"), expression, known);
            }
            if let Some(condition) = &field.condition {
                self.check_expression(&format!("{at}/if"), condition, known);
            }
            if let Some(until) = &field.until {
                check_bytes(&format!("{at}/until"), until, self.problems);
            }
            let mark = known.len();
            self.check(&format!("{at}/fields"), &field.fields, known);
            known.truncate(mark);
            known.push(&field.name);
        }
    }

    fn check_name(&mut self, at: &str, field: &Field) {
        let name = &field.name;
        if !is_identifier(name) {
            self.problems.push(
                Problem::error(format!("{at}/name"), format!("`{name}` is no name of a field"))
                    .with_help("it is made of letters, digits and `_`, and does not begin with a digit"),
            );
        }
    }

    fn check_type(&mut self, at: &str, field: &Field, is_last: bool) {
        let (base, size) = field
            .field_type
            .split_once(':')
            .map_or((&*field.field_type, None), |(base, size)| (base, Some(size)));
        let is_sized = size.is_some_and(|size| size.parse().is_ok_and(|size: u8| (1..=64).contains(&size)));
        if !TYPES.contains(&base) || (base != "bits" && size.is_some()) {
            self.problems.push(
                Problem::error(format!("{at}/type"), format!("unknown type `{}`", field.field_type))
                    .with_help_if(did_you_mean(base, TYPES)),
            );
            return;
        }
        let mut need = |is_given: bool, what: &str| {
            if !is_given {
                self.problems.push(Problem::error(at, format!("a field of type `{base}` needs {what}")));
            }
        };
        match base {
            "bits" => need(is_sized, "a size from 1 to 64, as in `bits:4`"),
            "bytes" | "string" => need(
                field.length.is_some() || field.until.is_some() || (is_last && self.is_framed),
                "`length` or `until`",
            ),
            "padding" => need(field.length.is_some(), "`length`"),
            "struct" => need(!field.fields.is_empty(), "`fields`"),
            "array" => {
                need(!field.fields.is_empty(), "`fields`");
                need(field.repeat.is_some(), "`repeat`");
            }
            "switch" => need(field.switch.is_some(), "`switch`"),
            _ => {}
        }
        if !field.fields.is_empty() && !matches!(base, "struct" | "array") {
            let message = format!("a field of type `{base}` has no fields inside");
            self.problems.push(Problem::error(format!("{at}/fields"), message));
        }
    }

    /// References may only point to earlier fields.
    fn check_expression(&mut self, at: &str, expression: &str, known: &[&str]) {
        let allowed = |c: char| c.is_ascii_alphanumeric() || " _.+-*/%<>&|=!?:()".contains(c);
        if let Some(wrong) = expression.chars().find(|c| !allowed(*c)) {
            self.problems.push(Problem::error(at, format!("`{wrong}` is not possible in an expression")));
        }
        for reference in expression.split("variable.").skip(1) {
            let end =
                reference.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(reference.len());
            let name = &reference[..end];
            if !known.contains(&name) {
                self.problems.push(
                    Problem::error(at, format!("`variable.{name}` is no earlier field"))
                        .with_help_if(did_you_mean(name, known.iter().copied())),
                );
            }
        }
    }
}
