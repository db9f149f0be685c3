//! Files that resources name: they are here, not where the server is.

use std::path::Path;

use dgate_core::{Kind, Problem, Problems};
use serde_json::Value;

/// Fields with the name of a file, and the fields that hold its content.
fn fields(kind: Kind) -> &'static [(&'static str, &'static str)] {
    match kind {
        Kind::Module => &[("payload_file", "payload_raw")],
        Kind::Domain => &[("cert_file", "cert"), ("key_file", "key")],
        _ => &[],
    }
}

/// Puts the content of files in the place of their names. Names are relative to a folder. The resource is spelled canonically.
pub(crate) fn inline_files(kind: Kind, resource: &mut Value, base: &Path) -> Problems {
    let mut problems = Problems::new();
    let Some(object) = resource.as_object_mut() else { return problems };
    for (name_field, content_field) in fields(kind) {
        let Some(name) = object.get(*name_field).and_then(Value::as_str) else { continue };
        let path = base.join(name);
        let content = std::fs::read_to_string(&path);
        let at = format!("/{name_field}");
        if object.contains_key(*content_field) {
            let message = format!("either `{content_field}` or `{name_field}` is possible, not both");
            problems.push(Problem::error(at, message));
            continue;
        }
        match content {
            Ok(content) => {
                object.remove(*name_field);
                object.insert((*content_field).to_owned(), content.into());
            }
            Err(error) => {
                let message = format!("{} cannot be read: {error}", path.display());
                problems.push(Problem::error(at, message));
            }
        }
    }
    problems
}
