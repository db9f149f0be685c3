//! The description of the API (OpenAPI 3.1), made from its table of endpoints and the schemas of its types.

use std::collections::BTreeMap;

use dgate_core::{Kind, with_kind};
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::endpoint::{Access, Carries, Endpoint, Parameter, ParameterKind, Takes, described};
use super::model::{Deleted, Failed, Fault, Plan};
use super::service::needed;
use super::table;

/// What any request may fail with: not let in, not allowed, too many attempts, no such method, store or server gone.
const USUAL_FAILURES: [u16; 5] = [400, 401, 403, 429, 503];

/// The description of the API.
///
/// ```
/// let document = dgate_admin::api::openapi();
/// assert_eq!(document["openapi"], "3.1.0");
/// assert!(document["paths"]["/api/v1/route/{namespace}/{name}"]["put"].is_object());
/// ```
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for endpoint in table::endpoints() {
        let path = endpoint.path.replace("{+", "{");
        let operation = operation(&endpoint, &mut generator);
        paths.entry(path).or_default().insert(endpoint.method.as_str().to_lowercase(), operation);
    }
    let mut schemas: Map<String, Value> = generator.take_definitions(true);
    for kind in Kind::ALL {
        if let Some(Value::Object(schema)) = schemas.get_mut(&schema_name(kind)) {
            add_read_only(schema);
        }
    }
    schemas.values_mut().for_each(add_fingerprints);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "DGate Admin API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Reads and changes what a DGate gateway does, while it serves.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{}, { "basic": [] }, { "bearer": [] }, { "key": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "basic": { "type": "http", "scheme": "basic" },
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
                "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" },
            },
        },
    })
}

fn operation(endpoint: &Endpoint, generator: &mut SchemaGenerator) -> Value {
    let mut parameters: Vec<Value> = path_parameters(endpoint).collect();
    parameters.extend(endpoint.query.iter().map(query_parameter));
    parameters.extend(header_parameters(endpoint));
    let mut responses = Map::new();
    for (status, meaning, carries) in &endpoint.answers {
        responses.insert(status.to_string(), answer(endpoint, meaning, *carries, generator));
    }
    let is_open = endpoint.access == Access::Open;
    let usual = USUAL_FAILURES.iter().filter(|_| !is_open);
    let failure = reference(generator.subschema_for::<Failed>());
    for status in usual.chain(&endpoint.failures).chain(is_open.then_some(&400)) {
        responses.entry(status.to_string()).or_insert_with(|| {
            let status = http::StatusCode::from_u16(*status).unwrap_or_default();
            json!({
                "description": status.canonical_reason().unwrap_or("Failure"),
                "content": { "application/problem+json": { "schema": failure } },
            })
        });
    }
    let mut operation = json!({
        "operationId": endpoint.id,
        "summary": endpoint.summary,
        "tags": [endpoint.group],
        "parameters": parameters,
        "responses": responses,
    });
    if let Some(role) = needed(endpoint.access) {
        operation["x-dgate-role"] = role.as_str().into();
    } else {
        operation["security"] = json!([]);
    }
    if let Some(body) = endpoint.takes.map(|takes| body(endpoint, takes, generator)) {
        operation["requestBody"] = body;
    }
    operation
}

fn path_parameters(endpoint: &Endpoint) -> impl Iterator<Item = Value> + '_ {
    endpoint.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).map(|name| {
        let name = name.trim_start_matches('+');
        let schema = match name {
            "revision" => json!({ "type": "integer", "minimum": 0 }),
            "id" => json!({ "type": "string", "minLength": 1, "maxLength": 512 }),
            _ => json!({ "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$" }),
        };
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    })
}

fn query_parameter(parameter: &Parameter) -> Value {
    let schema = match parameter.kind {
        ParameterKind::Text => json!({ "type": "string" }),
        ParameterKind::Flag => json!({ "type": "boolean" }),
        ParameterKind::Number => json!({ "type": "integer", "minimum": 0 }),
    };
    json!({ "name": parameter.name, "in": "query", "description": parameter.about, "schema": schema })
}

fn header_parameters(endpoint: &Endpoint) -> Vec<Value> {
    if !endpoint.conditional {
        return Vec::new();
    }
    let header = |name: &str, about: &str| json!({ "name": name, "in": "header", "description": about, "schema": { "type": "string" } });
    match endpoint.access {
        Access::Write(_) => vec![
            header("If-Match", "Only when the entity tag is still this one; else 412."),
            header("If-None-Match", "`*`: only when it is not there; else 412."),
        ],
        _ => vec![header("If-None-Match", "An entity tag; 304 when it is still this one.")],
    }
}

fn schema_name(kind: Kind) -> String {
    with_kind!(kind, R => <R as schemars::JsonSchema>::schema_name().into_owned())
}

fn resource(kind: Kind, generator: &mut SchemaGenerator) -> Value {
    reference(with_kind!(kind, R => generator.subschema_for::<R>()))
}

fn reference(schema: Schema) -> Value {
    schema.to_value()
}

fn body(endpoint: &Endpoint, takes: Takes, generator: &mut SchemaGenerator) -> Value {
    let kind = endpoint.kind.unwrap_or(Kind::Namespace);
    let (schema, required, content_type) = match takes {
        Takes::Resource => (resource(kind, generator), true, "application/json"),
        Takes::Patch => (json!({ "type": "object" }), true, "application/merge-patch+json"),
        Takes::Value(describe) => (reference(describe(generator)), true, "application/json"),
        Takes::Optional(describe) => (reference(describe(generator)), false, "application/json"),
    };
    json!({ "required": required, "content": { content_type: { "schema": schema } } })
}

fn answer(endpoint: &Endpoint, meaning: &str, carries: Carries, generator: &mut SchemaGenerator) -> Value {
    let kind = endpoint.kind.unwrap_or(Kind::Namespace);
    let mut is_list = false;
    let data = match carries {
        Carries::Nothing => return json!({ "description": meaning }),
        Carries::Other(content_type) => {
            return json!({ "description": meaning, "content": { content_type: { "schema": {} } } });
        }
        Carries::Data(describe) => reference(describe(generator)),
        Carries::List(describe) => {
            is_list = true;
            json!({ "type": "array", "items": reference(describe(generator)) })
        }
        Carries::Resource => resource(kind, generator),
        Carries::Resources => {
            is_list = true;
            json!({ "type": "array", "items": resource(kind, generator) })
        }
        Carries::ResourceOrPlan => {
            json!({ "anyOf": [resource(kind, generator), reference(described::<Plan>(generator))] })
        }
        Carries::DeletedOrPlan => {
            json!({ "anyOf": [reference(described::<Deleted>(generator)), reference(described::<Plan>(generator))] })
        }
    };
    let warnings = reference(described::<Fault>(generator));
    let mut properties = json!({
        "success": { "const": true },
        "data": data,
        "revision": { "type": "integer", "minimum": 0 },
        "warnings": { "type": "array", "items": warnings },
    });
    let mut required = vec!["success", "data", "revision"];
    if is_list {
        properties["count"] = json!({ "type": "integer", "minimum": 0 });
        properties["next_cursor"] = json!({ "type": "string" });
        required.push("count");
    }
    let schema = json!({ "type": "object", "properties": properties, "required": required });
    json!({ "description": meaning, "content": { "application/json": { "schema": schema } } })
}

/// What the store adds to a resource.
fn add_read_only(schema: &mut Map<String, Value>) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    let time = || json!({ "type": "string", "format": "date-time", "readOnly": true });
    properties.insert(
        "revision".into(),
        json!({ "type": "integer", "readOnly": true, "description": "The revision that last changed it." }),
    );
    properties.insert("created_at".into(), time());
    properties.insert("updated_at".into(), time());
    properties.insert(
        "owner".into(),
        json!({ "type": "string", "readOnly": true, "description": "Whose it is, when it came from a file or a tool." }),
    );
}

/// What stands in place of secrets in answers, and may be sent back in place of them.
fn add_fingerprints(schema: &mut Value) {
    let is_hidden = |property: &Value| property.get("writeOnly") == Some(&Value::Bool(true));
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    let hidden: Vec<String> =
        properties.iter().filter(|(_, property)| is_hidden(property)).map(|(name, _)| name.clone()).collect();
    for name in &hidden {
        let about =
            format!("Stands in place of `{name}` in answers; sent back, it leaves `{name}` as it is.");
        properties.insert(format!("{name}_fingerprint"), json!({ "type": "string", "description": about }));
    }
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| !hidden.iter().any(|hidden| name == hidden));
    }
}
