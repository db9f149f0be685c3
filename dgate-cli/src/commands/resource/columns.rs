//! What is worth a column of each kind.

use dgate_core::Kind;
use serde_json::Value;

use crate::output::Table;

/// A head, the JSON pointer of what is below it, and what is meant where nothing is written.
type Column = (&'static str, &'static str, &'static str);

fn columns(kind: Kind) -> &'static [Column] {
    match kind {
        Kind::Namespace => &[NAME],
        Kind::Domain => &[("PATTERNS", "/patterns", ""), ("PRIORITY", "/priority", "0")],
        Kind::Service => &[("URLS", "/urls", ""), ("BALANCE", "/balance", "round_robin")],
        Kind::Route => &[
            ("PATHS", "/paths", ""),
            ("METHODS", "/methods", "*"),
            ("SERVICE", "/service", ""),
            ("MODULES", "/modules", ""),
        ],
        Kind::Module => &[("TYPE", "/type", "typescript"), ("PERMISSIONS", "/permissions", "")],
        Kind::Collection => &[("VISIBILITY", "/visibility", "private")],
        Kind::Document => &[("COLLECTION", "/collection", ""), ("ID", "/id", ""), ("DATA", "/data", "null")],
        Kind::Secret => &[("FINGERPRINT", "/data_fingerprint", "")],
        Kind::Job => &[
            ("SCHEDULE", "/schedule", ""),
            ("ON", "/on", ""),
            ("MODULE", "/module", ""),
            ("PAUSED", "/paused", "false"),
        ],
        Kind::Listener => {
            &[("ADDRESS", "/address", ""), ("SERVICE", "/service", ""), ("PROTOCOL", "/protocol", "")]
        }
        Kind::Protocol => &[("FRAMING", "/framing", "")],
    }
}

const NAMESPACE: Column = ("NAMESPACE", "/namespace", "");
const NAME: Column = ("NAME", "/name", "");
const UPDATED: &str = "/updated_at";
const WIDE: &[Column] = &[
    ("TAGS", "/tags", ""),
    ("OWNER", "/owner", ""),
    ("REVISION", "/revision", ""),
    ("UPDATED", UPDATED, ""),
];

/// Resources of one kind as a table.
pub(super) fn table(kind: Kind, resources: &[Value], is_wide: bool) -> Table {
    let names: &[Column] = match kind {
        Kind::Namespace => &[],
        Kind::Document => &[NAMESPACE],
        _ => &[NAMESPACE, NAME],
    };
    let columns = names.iter().chain(columns(kind)).chain(WIDE.iter().filter(|_| is_wide));
    let columns: Vec<_> = columns.collect();
    let mut table = Table::new(columns.iter().map(|(head, ..)| *head));
    for resource in resources {
        table.row(columns.iter().map(|(_, pointer, default)| match resource.pointer(pointer) {
            None => (*default).to_owned(),
            Some(Value::String(at)) if *pointer == UPDATED => to_the_second(at),
            value => cell(value),
        }));
    }
    table
}

/// An instant without the fractions of its second.
pub(crate) fn to_the_second(at: &str) -> String {
    at.split_once('.').map_or_else(|| at.to_owned(), |(seconds, _)| format!("{seconds}Z"))
}

/// A value on one line: lists with commas, an endpoint as its URL, anything else as JSON.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            items.iter().map(|item| cell(Some(item.get("url").unwrap_or(item)))).collect::<Vec<_>>().join(",")
        }
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use dgate_core::resource::{Balance, ModuleType, Visibility};
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_are_short_and_endpoints_are_urls() {
        let service = json!({
            "namespace": "default", "name": "api", "urls": ["http://a", { "url": "http://b", "weight": 2 }],
        });
        let text = table(Kind::Service, &[service], false).to_string();
        assert!(text.ends_with("default     api    http://a,http://b   round_robin"), "{text}");
    }

    #[test]
    fn what_is_not_written_is_shown_as_it_is_meant() {
        assert_eq!(json!(Balance::default()), "round_robin");
        let resource = json!({ "namespace": "n", "name": "a", "updated_at": "2026-01-01T00:00:00.123456Z" });
        for (kind, shown) in [
            (Kind::Service, "round_robin"),
            (Kind::Module, "typescript"),
            (Kind::Collection, "private"),
            (Kind::Job, "false"),
        ] {
            let table = table(kind, std::slice::from_ref(&resource), true).to_string();
            assert!(table.contains(shown) && table.contains("2026-01-01T00:00:00Z"), "{table}");
        }
        assert_eq!(json!(ModuleType::default()), "typescript");
        assert_eq!(json!(Visibility::default()), "private");
    }
}
