use dgate_core::resource::{Balance, EnvValue, Route, Service};
use dgate_core::{decode, resource::Module};
use serde_json::{Value, json};

#[test]
fn spellings_of_dgate_1_and_2_are_accepted_and_written_canonically() {
    let service: Service = decode(json!({
        "name": "s", "urls": ["http://a"], "connectTimeout": "250ms", "request_timeout_ms": 1500, "retryTimeout": "50ms",
        "tlsSkipVerify": true, "http2Only": true, "hideDGateHeaders": true, "retryBudget": 10,
        "healthCheck": { "passive": { "maxFailures": 3, "eject_for_ms": 250 } },
    }))
    .unwrap();
    let written = serde_json::to_value(&service).unwrap();
    assert_eq!(written["connect_timeout"], "250ms");
    assert_eq!(written["request_timeout"], "1s500ms");
    assert_eq!(written["retry_timeout"], "50ms");
    assert_eq!(written["retry_budget"], "10%");
    assert_eq!(written["health_check"]["passive"]["eject_for"], "250ms");
    assert_eq!(written["hide_dgate_headers"], true);
    assert_eq!(decode::<Service>(written).unwrap(), service, "what is written is what is read");

    let module: Module =
        decode(json!({ "name": "m", "moduleType": "javascript", "payloadRaw": "1" })).unwrap();
    assert_eq!(serde_json::to_value(&module).unwrap()["type"], "javascript");
}

#[test]
fn every_mistake_is_reported_at_once_with_its_place() {
    let problems = decode::<Service>(json!({
        "nam": "s",
        "urls": ["http://a", 7, { "url": "http://b", "wieght": 3 }],
        "balance": "round_robbin",
        "retries": -1,
        "retry_on": ["conect", 700],
        "connect_timeout": 30,
        "request_timeout": "soon",
        "health_check": { "active": { "path": 5 } },
        "tls": [],
    }))
    .unwrap_err();
    let found: Vec<_> =
        problems.iter().map(|problem| (problem.pointer.as_str(), problem.message.as_str())).collect();
    for expected in [
        ("/nam", "unknown field `nam`"),
        ("", "missing field `name`"),
        ("/urls/1", "expected a string or a mapping, found `7`"),
        ("/urls/2/wieght", "unknown field `wieght`"),
        ("/balance", "unknown value `round_robbin`"),
        ("/retries", "`-1` is too small, the least is 0"),
        ("/retry_on/1", "`700` is too large, the most is 599"),
        ("/connect_timeout", "expected a string, found `30`"),
        ("/health_check/active/path", "expected a string, found `5`"),
        ("/tls", "expected a mapping, found a list"),
    ] {
        assert!(found.contains(&expected), "{expected:?} is missing in {found:#?}");
    }
    let help = |pointer: &str| {
        problems
            .iter()
            .find(|problem| problem.pointer == pointer)
            .and_then(|problem| problem.help.clone())
            .unwrap()
    };
    assert_eq!(help("/nam"), "did you mean `name`?");
    assert!(help("/balance").ends_with("did you mean `round_robin`?"), "{}", help("/balance"));
    assert!(help("/connect_timeout").contains("\"250ms\""));
    assert!(problems.iter().any(|problem| problem.pointer == "/request_timeout" && problem.message.contains("`soon` is not")));
    assert!(problems.iter().any(|problem| problem.pointer == "/retry_on/0"));
}

#[test]
fn the_hash_balancer_is_written_as_documented() {
    for on in ["ip", "path", "header:x-user", "cookie:sid"] {
        let service: Service =
            decode(json!({ "name": "s", "urls": ["http://a"], "balance": { "hash": { "on": on } } }))
                .unwrap();
        assert!(matches!(service.balance, Balance::Hash(_)));
        assert_eq!(serde_json::to_value(&service).unwrap()["balance"], json!({ "hash": { "on": on } }));
    }
    let wrong =
        decode::<Service>(json!({ "name": "s", "urls": [], "balance": { "hash": { "on": "host" } } }));
    assert!(wrong.unwrap_err().to_string().contains("/balance/hash/on"));
}

#[test]
fn free_form_values_keep_their_spelling() {
    let document: dgate_core::resource::Document = decode(json!({
        "id": "a", "collection": "c", "data": { "someKey": 1, "timeoutMs": 5 }, "ttlMs": 1000,
    }))
    .unwrap();
    assert_eq!(document.data, json!({ "someKey": 1, "timeoutMs": 5 }));
    assert_eq!(document.ttl.unwrap().to_string(), "1s");
    let module: Module =
        decode(json!({ "name": "m", "payloadRaw": "", "env": { "apiKey": "x", "b": { "secret": "s" } } }))
            .unwrap();
    assert_eq!(module.env["apiKey"], EnvValue::Text("x".into()));
    assert_eq!(module.env["b"], EnvValue::Secret("s".into()));
    assert_eq!(
        serde_json::to_value(&module).unwrap()["env"],
        json!({ "apiKey": "x", "b": { "secret": "s" } })
    );
}

#[test]
fn routes_accept_shorthand_conditions() {
    let route: Route = decode(json!({
        "name": "r", "paths": ["/"], "stripPath": true,
        "match": { "headers": { "x": "1", "y": { "regex": "a+" } }, "query": { "q": { "present": true } } },
    }))
    .unwrap();
    assert!(route.strip_path);
    let written = serde_json::to_value(&route).unwrap();
    assert_eq!(written["match"]["headers"]["x"], "1");
    assert_eq!(written.get("websocket"), None, "defaults are not written");
    assert_eq!(written["methods"], Value::from(vec!["*"]));
}
