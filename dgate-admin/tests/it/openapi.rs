//! The description of the API, against the API.

use http::{Method, Request};
use serde_json::{Value, json};

use crate::kit::{Kit, request};

/// What does not end by itself.
const STREAMS: [&str; 3] = ["/api/v1/watch", "/api/v1/events", "/api/v1/logs"];

fn operations(document: &Value) -> Vec<(Method, String, Value)> {
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            all.push((method.to_uppercase().parse().unwrap(), path.clone(), operation.clone()));
        }
    }
    all
}

#[tokio::test]
async fn every_described_operation_is_there_and_describes_what_it_answers() {
    let kit = Kit::start().await;
    let document = kit.get("/api/v1/openapi.json").await.is(200);
    assert_eq!(document, dgate_admin::api::openapi());
    let operations = operations(&document);
    assert!(operations.len() > 100, "{}", operations.len());
    for (method, path, operation) in
        operations.iter().filter(|(_, path, _)| !STREAMS.contains(&path.as_str()))
    {
        let path = path.replace("{namespace}", "default").replace("{revision}", "1");
        let path = path.replace("{collection}", "c").replace("{name}", "x").replace("{id}", "x");
        let answer = kit.ask(method.clone(), &path, None).await;
        let status = answer.status.as_str().to_owned();
        let described = &operation["responses"][&status];
        assert!(described.is_object(), "{method} {path} answers {status}: {:#}", answer.body);
        let content_type = answer.header("content-type").split(';').next().unwrap();
        assert!(described["content"][content_type].is_object(), "{method} {path} {status} {content_type}");
    }
}

#[tokio::test]
async fn answers_are_as_described() {
    let kit = Kit::start().await;
    let document = kit.get("/api/v1/openapi.json").await.is(200);
    let everything = json!({ "resources": {
        "services": [{ "name": "s", "urls": ["http://a"], "tags": ["t"] }],
        "routes": [{ "name": "r", "paths": ["/a"], "service": "s" }],
        "secrets": [{ "name": "token", "data": "hunter2" }],
        "collections": [{ "name": "c" }],
        "documents": [{ "id": "d", "collection": "c", "data": 1 }],
        "domains": [{ "name": "d", "patterns": ["a.example"] }],
    } });
    let check = |method: &str, template: &str, answer: &crate::kit::Answer| {
        let status = answer.status.as_str();
        let content_type = answer.header("content-type").to_owned();
        let pointer = ["paths", template, method, "responses", status, "content", &content_type, "schema"];
        let schema = pointer.iter().fold(&document, |value, name| &value[*name]);
        assert!(schema.is_object(), "{method} {template} {status} is not described");
        let schema = json!({ "$ref": "#/wanted", "wanted": schema, "components": document["components"] });
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(&answer.body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{method} {template}: {errors:#?}\n{:#}", answer.body);
    };
    check("post", "/api/v1/apply", &kit.post("/api/v1/apply", everything).await);
    for (template, path) in [
        ("/api/v1/service", "/api/v1/service"),
        ("/api/v1/service/{namespace}/{name}", "/api/v1/service/default/s"),
        ("/api/v1/secret/{namespace}/{name}", "/api/v1/secret/default/token"),
        ("/api/v1/document/{namespace}/{collection}/{id}", "/api/v1/document/default/c/d"),
        ("/api/v1/namespace/{name}", "/api/v1/namespace/default"),
        ("/api/v1/route/{namespace}/{name}", "/api/v1/route/default/missing"),
        ("/api/v1/changelog", "/api/v1/changelog"),
        ("/api/v1/changelog/{revision}", "/api/v1/changelog/1"),
        ("/api/v1/stats", "/api/v1/stats"),
        ("/api/v1/cluster", "/api/v1/cluster"),
        ("/api/v1/upstreams", "/api/v1/upstreams"),
        ("/api/v1/session", "/api/v1/session"),
        ("/api/v1/connections", "/api/v1/connections"),
        ("/api/v1/export", "/api/v1/export"),
    ] {
        check("get", template, &kit.get(path).await);
    }
    let explain = kit.post("/api/v1/explain", json!({ "path": "/a" })).await;
    check("post", "/api/v1/explain", &explain);
    let dry = kit.delete("/api/v1/route/default/r?dry_run").await;
    check("delete", "/api/v1/route/{namespace}/{name}", &dry);
    let invalid = kit.put("/api/v1/route/default/r", json!({ "pahts": [] })).await;
    check("put", "/api/v1/route/{namespace}/{name}", &invalid);
}

#[tokio::test]
async fn what_is_not_described_is_not_there() {
    let kit = Kit::start().await;
    let document = kit.get("/api/v1/openapi.json").await.is(200);
    let methods = [Method::GET, Method::PUT, Method::POST, Method::PATCH, Method::DELETE];
    for (path, described) in document["paths"].as_object().unwrap() {
        for method in methods.iter().filter(|method| described.get(method.as_str().to_lowercase()).is_none())
        {
            let path = path.replace(['{', '}'], "");
            let answer = kit.send(request(method.clone(), &path, None, &[])).await;
            assert_eq!(answer.status, 405, "{method} {path}");
        }
    }
    let options = Request::options("/api/v1/service").body(dgate_core::Body::empty()).unwrap();
    kit.send(options).await.is(405);
}
