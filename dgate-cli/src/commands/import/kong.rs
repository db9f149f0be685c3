//! From Kong's declarative configuration to services and routes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Imported;
use super::name::Names;

/// Lists that have no counterpart.
const WITHOUT_COUNTERPART: [(&str, &str); 6] = [
    ("plugins", "write modules"),
    ("consumers", "write modules"),
    ("consumer_groups", "write modules"),
    ("certificates", "make domains with `cert_file` and `key_file`"),
    ("ca_certificates", "give services `tls.ca`"),
    ("vaults", "make secrets"),
];

/// Services and routes; upstreams become the endpoints of the services that name them.
pub(super) fn import(configuration: &Value) -> Result<Imported, String> {
    if !["services", "routes", "upstreams"].iter().any(|list| configuration[*list].is_array()) {
        return Err("this is no configuration of Kong: it has no services, routes or upstreams".to_owned());
    }
    let mut importer = Importer {
        upstreams: items(&configuration["upstreams"])
            .map(|one| (text(one, "name").to_owned(), one))
            .collect(),
        routes: Names::default(),
        imported: Imported::default(),
    };
    let mut names = Names::default();
    for service in items(&configuration["services"]) {
        let name = names.of(text(service, "name"));
        let converted = importer.service(&name, service);
        importer.imported.services.push(converted);
        importer.note_plugins(&format!("service {name}"), service);
        for route in items(&service["routes"]) {
            importer.route(&name, route);
        }
    }
    for route in items(&configuration["routes"]) {
        let service = &route["service"];
        let service = service.as_str().or_else(|| service["name"].as_str()).unwrap_or_default().to_owned();
        importer.route(&service, route);
    }
    for (list, instead) in WITHOUT_COUNTERPART {
        let count = items(&configuration[list]).count();
        if count > 0 {
            importer.imported.notes.push(format!("{count} {list} were left out: {instead}"));
        }
    }
    Ok(importer.imported)
}

struct Importer<'a> {
    upstreams: BTreeMap<String, &'a Value>,
    routes: Names,
    imported: Imported,
}

impl Importer<'_> {
    fn note(&mut self, what: String) {
        self.imported.notes.push(what);
    }

    fn note_plugins(&mut self, what: &str, of: &Value) {
        let names: Vec<_> = items(&of["plugins"]).map(|plugin| text(plugin, "name")).collect();
        if !names.is_empty() {
            self.note(format!("{what}: its plugins ({}) were left out: write modules", names.join(", ")));
        }
    }

    fn service(&mut self, name: &str, service: &Value) -> Value {
        let url: Option<http::Uri> = service["url"].as_str().and_then(|url| url.parse().ok());
        let url = url.as_ref();
        let protocol =
            url.and_then(http::Uri::scheme_str).or_else(|| service["protocol"].as_str()).unwrap_or("http");
        let host = url.and_then(http::Uri::host).or_else(|| service["host"].as_str()).unwrap_or_default();
        let port = url.and_then(http::Uri::port_u16).map(u64::from).or_else(|| service["port"].as_u64());
        let path = url.map(http::Uri::path).or_else(|| service["path"].as_str()).unwrap_or_default();
        let path = path.trim_end_matches('/');
        let scheme = match protocol {
            "grpc" => "h2c",
            "grpcs" => "https",
            other => other,
        };
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        let mut fields = Map::from_iter([("name".to_owned(), name.into())]);
        let mut put = |field: &str, value: Value| drop(fields.insert(field.to_owned(), value));
        match self.upstreams.get(host) {
            None => put("urls", json!([format!("{scheme}://{host}{port}{path}")])),
            Some(upstream) => {
                let urls = items(&upstream["targets"]).map(|target| {
                    let url = format!("{scheme}://{}{path}", text(target, "target"));
                    // 100 is what a target weighs when nobody says.
                    json!({ "url": url, "weight": target["weight"].as_u64().unwrap_or(100) })
                });
                put("urls", urls.collect());
                if let Some(balance) = balance(upstream) {
                    put("balance", balance);
                }
            }
        }
        if protocol == "grpcs" {
            put("http2_only", true.into());
        }
        if let Some(retries) = service["retries"].as_u64() {
            put("retries", retries.into());
        }
        for (theirs, ours) in [("connect_timeout", "connect_timeout"), ("read_timeout", "request_timeout")] {
            if let Some(milliseconds) = service[theirs].as_u64() {
                put(ours, format!("{milliseconds}ms").into());
            }
        }
        if service["tls_verify"] == false && matches!(scheme, "https" | "tls") {
            put("tls_skip_verify", true.into());
        }
        put("tags", labels(service));
        fields.retain(|_, value| *value != json!([]));
        fields.into()
    }

    fn route(&mut self, service: &str, route: &Value) {
        let written = route["name"].as_str().unwrap_or(service);
        let name = self.routes.of(written);
        let what = format!("route {name}");
        let mut paths: Vec<String> = Vec::new();
        for path in items(&route["paths"]).filter_map(Value::as_str) {
            match path.strip_prefix('~') {
                None => paths.push(format!("{}/**", path.trim_end_matches('/'))),
                Some(regex) => {
                    self.note(format!(
                        "{what}: the path `{regex}` is a regular expression, and was left out"
                    ));
                }
            }
        }
        if route["paths"].is_null() {
            paths.push("/**".to_owned());
        }
        if paths.is_empty() {
            self.note(format!("{what}: no path is left, and so it was left out as a whole"));
            return;
        }
        if items(&route["hosts"]).next().is_some() {
            self.note(format!("{what}: its hosts were left out: a domain leads hosts to a namespace"));
        }
        self.note_plugins(&what, route);
        let mut fields =
            Map::from_iter([("name".to_owned(), name.into()), ("paths".to_owned(), paths.into())]);
        let mut put = |field: &str, value: Value| drop(fields.insert(field.to_owned(), value));
        if items(&route["methods"]).next().is_some() {
            put("methods", route["methods"].clone());
        }
        if !service.is_empty() {
            put("service", service.into());
        }
        let headers = route["headers"].as_object().into_iter().flatten();
        let headers: Map<_, _> = headers.map(|(name, values)| (name.clone(), condition(values))).collect();
        if !headers.is_empty() {
            put("match", json!({ "headers": headers }));
        }
        // Theirs is on, ours is off when nobody says.
        if route["strip_path"] != false {
            put("strip_path", true.into());
        }
        if route["preserve_host"] == true {
            put("preserve_host", true.into());
        }
        if let Some(priority) = route["regex_priority"].as_i64().filter(|priority| *priority != 0) {
            put("priority", priority.into());
        }
        put("tags", labels(route));
        fields.retain(|_, value| *value != json!([]));
        self.imported.routes.push(fields.into());
    }
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text<'a>(of: &'a Value, field: &str) -> &'a str {
    of[field].as_str().unwrap_or_default()
}

fn balance(upstream: &Value) -> Option<Value> {
    match text(upstream, "algorithm") {
        "least-connections" => Some("least_request".into()),
        "latency" => Some("ewma".into()),
        "consistent-hashing" => {
            let on = match text(upstream, "hash_on") {
                "header" => format!("header:{}", text(upstream, "hash_on_header")),
                "cookie" => format!("cookie:{}", text(upstream, "hash_on_cookie")),
                "path" => "path".to_owned(),
                _ => "ip".to_owned(),
            };
            Some(json!({ "hash": { "on": on } }))
        }
        _ => None,
    }
}

/// One value exactly, or one of several.
fn condition(values: &Value) -> Value {
    let values: Vec<_> = items(values).filter_map(Value::as_str).collect();
    match values.as_slice() {
        [one] => (*one).into(),
        several => {
            json!({ "regex": several.iter().map(|value| escaped(value)).collect::<Vec<_>>().join("|") })
        }
    }
}

/// A text as a regular expression that matches it.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if !c.is_alphanumeric() && !matches!(c, '-' | '_' | ' ') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Tags that can be labels of ours.
fn labels(of: &Value) -> Value {
    let is_label = |tag: &&str| {
        let parts: Vec<_> = tag.split(':').collect();
        let is_word = |part: &&str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        };
        parts.len() <= 2 && parts.iter().all(is_word)
    };
    items(&of["tags"]).filter_map(Value::as_str).filter(is_label).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::is_valid;
    use super::*;

    #[test]
    fn services_routes_and_upstreams_are_taken_over() {
        let configuration = json!({
            "_format_version": "3.0",
            "upstreams": [{ "name": "pool", "algorithm": "least-connections",
                "targets": [{ "target": "10.0.0.1:80", "weight": 10 }, { "target": "10.0.0.2:80" }] }],
            "services": [
                { "name": "api", "host": "pool", "path": "/base", "retries": 3, "connect_timeout": 5000, "tags": ["team:a", "a b"],
                  "routes": [
                    { "name": "api", "paths": ["/api", "~/x/\\d+$"], "methods": ["GET"], "hosts": ["a.io"],
                      "headers": { "x-v": ["1"], "x-w": ["a.b", "c"] }, "plugins": [{ "name": "cors" }] },
                    { "paths": ["/"], "strip_path": false, "preserve_host": true },
                  ] },
                { "name": "g", "url": "grpcs://g.io:443" },
            ],
            "routes": [{ "name": "lone", "service": { "name": "g" }, "paths": ["~/only$"] }],
            "consumers": [{ "username": "x" }],
        });
        let imported = import(&configuration).unwrap();
        assert_eq!(
            imported.services,
            [
                json!({ "name": "api", "urls": [{ "url": "http://10.0.0.1:80/base", "weight": 10 },
                    { "url": "http://10.0.0.2:80/base", "weight": 100 }],
                    "balance": "least_request", "retries": 3, "connect_timeout": "5000ms", "tags": ["team:a"] }),
                json!({ "name": "g", "urls": ["https://g.io:443"], "http2_only": true }),
            ]
        );
        assert_eq!(
            imported.routes,
            [
                json!({ "name": "api", "paths": ["/api/**"], "methods": ["GET"], "service": "api",
                    "match": { "headers": { "x-v": "1", "x-w": { "regex": "a\\.b|c" } } }, "strip_path": true }),
                json!({ "name": "api-2", "paths": ["/**"], "service": "api", "preserve_host": true }),
            ]
        );
        let notes = imported.notes.join("\n");
        for note in [
            "regular expression",
            "its hosts",
            "plugins (cors)",
            "route lone: no path is left",
            "1 consumers",
        ] {
            assert!(notes.contains(note), "{note}: {notes}");
        }
        is_valid(imported);
    }

    #[test]
    fn something_else_is_refused() {
        assert!(import(&json!({ "openapi": "3.0.0" })).is_err());
    }
}
