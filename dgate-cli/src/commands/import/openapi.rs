//! From an OpenAPI description to a service and its routes.

use serde_json::{Value, json};

use super::Imported;
use super::name::Names;

/// The keys of a path that are methods.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// A service for the first server, and a route for each path, with the paths that clients know already: the path of
/// the server's URL belongs to the routes.
pub(super) fn import(description: &Value, url: Option<&str>, name: Option<&str>) -> Result<Imported, String> {
    let Some(paths) = description["paths"].as_object() else {
        return Err("this is no OpenAPI description: it has no `paths`".to_owned());
    };
    let mut imported = Imported::default();
    let server = match url {
        Some(url) => url.to_owned(),
        None => server(description, &mut imported.notes)?,
    };
    let (origin, base) = origin_and_path(&server)?;
    let mut names = Names::default();
    let title = description["info"]["title"].as_str().unwrap_or("api");
    let service = name.map_or_else(|| Names::default().of(&title.to_ascii_lowercase()), str::to_owned);
    imported.services.push(json!({ "name": service, "urls": [origin] }));
    for (path, item) in paths {
        let methods: Vec<_> = METHODS.into_iter().filter(|method| item.get(*method).is_some()).collect();
        if methods.is_empty() {
            imported.notes.push(format!("{path}: it has no methods, and was left out"));
            continue;
        }
        let id = match methods.as_slice() {
            [method] => item[*method]["operationId"].as_str(),
            _ => None,
        };
        let methods: Vec<_> = methods.into_iter().map(str::to_ascii_uppercase).collect();
        imported.routes.push(json!({
            "name": names.of(id.unwrap_or(path)),
            "paths": [format!("{base}{path}")],
            "methods": methods,
            "service": service,
        }));
    }
    Ok(imported)
}

/// The URL of the first server, with the defaults of its variables.
fn server(description: &Value, notes: &mut Vec<String>) -> Result<String, String> {
    let missing = || "it does not say where the service is: give `--url`".to_owned();
    if let Some(host) = description["host"].as_str() {
        let scheme = description["schemes"][0].as_str().unwrap_or("https");
        return Ok(format!("{scheme}://{host}{}", description["basePath"].as_str().unwrap_or_default()));
    }
    let servers = description["servers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let first = servers.first().ok_or_else(missing)?;
    if servers.len() > 1 {
        notes.push(format!("there are {} servers; the first one was taken", servers.len()));
    }
    let mut url = first["url"].as_str().ok_or_else(missing)?.to_owned();
    for (name, variable) in first["variables"].as_object().into_iter().flatten() {
        url = url.replace(&format!("{{{name}}}"), variable["default"].as_str().unwrap_or_default());
    }
    if url.contains("://") { Ok(url) } else { Err(format!("its server `{url}` has no host: give `--url`")) }
}

fn origin_and_path(url: &str) -> Result<(String, String), String> {
    let uri: http::Uri = url.parse().map_err(|error| format!("`{url}` is no URL: {error}"))?;
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme @ ("http" | "https")), Some(authority)) => {
            Ok((format!("{scheme}://{authority}"), uri.path().trim_end_matches('/').to_owned()))
        }
        _ => Err(format!("`{url}` is no http or https URL")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::is_valid;
    use super::*;

    #[test]
    fn paths_become_routes() {
        let description = json!({
            "openapi": "3.1.0", "info": { "title": "Pet Store" },
            "servers": [{ "url": "https://{region}.pets.io/v1/", "variables": { "region": { "default": "eu" } } }],
            "paths": {
                "/pets": { "get": {}, "post": {}, "parameters": [] },
                "/pets/{id}": { "get": { "operationId": "getPet" } },
                "/nothing": { "summary": "x" },
            },
        });
        let imported = import(&description, None, None).unwrap();
        assert_eq!(imported.services, [json!({ "name": "pet-store", "urls": ["https://eu.pets.io"] })]);
        assert_eq!(
            imported.routes,
            [
                json!({ "name": "pets", "paths": ["/v1/pets"], "methods": ["GET", "POST"], "service": "pet-store" }),
                json!({ "name": "getPet", "paths": ["/v1/pets/{id}"], "methods": ["GET"], "service": "pet-store" }),
            ]
        );
        assert_eq!(imported.notes, ["/nothing: it has no methods, and was left out"]);
        is_valid(imported);
    }

    #[test]
    fn older_descriptions_and_other_servers_are_known() {
        let description = json!({
            "swagger": "2.0", "host": "a.io", "basePath": "/v2", "schemes": ["http"], "paths": { "/": { "get": {} } },
        });
        let imported = import(&description, None, Some("mine")).unwrap();
        assert_eq!(imported.services, [json!({ "name": "mine", "urls": ["http://a.io"] })]);
        assert_eq!(imported.routes[0]["paths"], json!(["/v2/"]));
        let imported = import(&description, Some("http://localhost:3000"), None).unwrap();
        assert_eq!(imported.services[0]["urls"], json!(["http://localhost:3000"]));
        assert_eq!(imported.routes[0]["paths"], json!(["/"]));
    }

    #[test]
    fn what_is_missing_is_said() {
        assert!(import(&json!({}), None, None).unwrap_err().contains("no `paths`"));
        for servers in [json!([]), json!([{ "url": "/v1" }])] {
            let description = json!({ "servers": servers, "paths": {} });
            assert!(import(&description, None, None).unwrap_err().contains("`--url`"));
        }
        let description = json!({ "paths": {} });
        assert!(import(&description, Some("ftp://x"), None).unwrap_err().contains("no http or https URL"));
    }
}
