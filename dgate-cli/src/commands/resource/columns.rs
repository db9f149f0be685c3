//! What is worth a column of each kind.

use dgate_core::Kind;
use serde_json::Value;

use crate::output::Table;

/// A head and the JSON pointer of what is below it.
type Column = (&'static str, &'static str);

fn columns(kind: Kind) -> &'static [Column] {
    match kind {
        Kind::Namespace => &[("NAME", "/name")],
        Kind::Domain => &[("PATTERNS", "/patterns"), ("PRIORITY", "/priority")],
        Kind::Service => &[("URLS", "/urls"), ("BALANCE", "/balance")],
        Kind::Route => {
            &[("PATHS", "/paths"), ("METHODS", "/methods"), ("SERVICE", "/service"), ("MODULES", "/modules")]
        }
        Kind::Module => &[("TYPE", "/type"), ("PERMISSIONS", "/permissions")],
        Kind::Collection => &[("VISIBILITY", "/visibility")],
        Kind::Document => &[("COLLECTION", "/collection"), ("ID", "/id"), ("DATA", "/data")],
        Kind::Secret => &[("FINGERPRINT", "/data_fingerprint")],
        Kind::Job => {
            &[("SCHEDULE", "/schedule"), ("ON", "/on"), ("MODULE", "/module"), ("PAUSED", "/paused")]
        }
        Kind::Listener => &[("ADDRESS", "/address"), ("SERVICE", "/service"), ("PROTOCOL", "/protocol")],
        Kind::Protocol => &[("FRAMING", "/framing")],
    }
}

const WIDE: &[Column] =
    &[("TAGS", "/tags"), ("OWNER", "/owner"), ("REVISION", "/revision"), ("UPDATED", "/updated_at")];

/// Resources of one kind as a table.
pub(super) fn table(kind: Kind, resources: &[Value], is_wide: bool) -> Table {
    let names: &[Column] = match kind {
        Kind::Namespace => &[],
        Kind::Document => &[("NAMESPACE", "/namespace")],
        _ => &[("NAMESPACE", "/namespace"), ("NAME", "/name")],
    };
    let columns = names.iter().chain(columns(kind)).chain(WIDE.iter().filter(|_| is_wide));
    let columns: Vec<_> = columns.collect();
    let mut table = Table::new(columns.iter().map(|(head, _)| *head));
    for resource in resources {
        table.row(columns.iter().map(|(_, pointer)| cell(resource.pointer(pointer))));
    }
    table
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
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_are_short_and_endpoints_are_urls() {
        let service = json!({
            "namespace": "default", "name": "api", "urls": ["http://a", { "url": "http://b", "weight": 2 }],
        });
        let text = table(Kind::Service, &[service], false).to_string();
        assert!(text.ends_with("default     api    http://a,http://b   -"), "{text}");
    }
}
