//! Every form of a tag on every kind of resource that a request meets, in a server process.

use dgate_proxy::testing::{Answer, TestClient, TestUpstream};
use http::Request;
use serde_json::{Value, json};

use crate::keys::certificate;
use crate::running::Running;

/// What the server is.
const SERVER: [&str; 9] = [
    "key:value",
    "value",
    "multi:a",
    "multi:b",
    "canary@0.01%:canary_mod",
    "all@100%:yes",
    "none@0%:yes",
    "@(2022-01-01T00:00:00Z)#since:then",
    "@(..2022-01-01T00:00:00Z)#until:then",
];

/// A condition, and whether it holds on that server for `user-1`.
const FORMS: [(&str, bool); 29] = [
    ("name:data", true),
    ("label", true),
    ("#key:value", true),
    ("#key:other", false),
    ("#key", true),
    ("#value", true),
    ("#other", false),
    ("#multi:a,b", true),
    ("#key:value,other", false),
    ("!key:value", false),
    ("!key:other", true),
    ("!key", false),
    ("!other", true),
    ("!key:other,value", false),
    ("?key:value,other", true),
    ("?key:other,another", false),
    ("?multi:a,b", true),
    ("?*key:value,other", true),
    ("?*key:other,another", false),
    ("?*multi:a,b", false),
    ("#since:then", true),
    ("!since:then", false),
    ("#until:then", false),
    ("!until:then", true),
    // The rest is decided for each request.
    ("#all:yes", true),
    ("!all:yes", false),
    ("?*all:yes,no", true),
    ("#none:yes", false),
    (CANARY, false),
];

const CANARY: &str = "#canary:canary_mod";

/// Whether a condition can be decided without a request.
fn is_fixed(condition: &str) -> bool {
    !["all", "none", "canary"].iter().any(|name| condition[1..].trim_start_matches('*').starts_with(name))
}

/// One resource of each kind for each form, and where a request meets it.
struct Resources {
    lists: Value,
    certificates: Vec<Vec<u8>>,
}

fn resources(upstream: &str) -> Resources {
    let mut lists = json!({
        "namespaces": [{ "name": "domains" }, { "name": "certificates" }],
        "domains": [], "modules": [],
        "services": [
            { "name": "s", "urls": [upstream] },
            { "name": "s", "namespace": "domains", "urls": [upstream] },
        ],
        "routes": [{ "name": "all", "namespace": "domains", "paths": ["/**"], "service": "s" }],
    });
    let mut certificates = Vec::new();
    let mut add = |list: &str, resource: Value| lists[list].as_array_mut().unwrap().push(resource);
    for (number, (tag, _)) in FORMS.iter().enumerate() {
        let namespace = format!("n{number}");
        add("namespaces", json!({ "name": namespace, "tags": [tag] }));
        add(
            "domains",
            json!({ "name": "d", "namespace": namespace, "patterns": [format!("{namespace}.example")] }),
        );
        add("services", json!({ "name": "s", "namespace": namespace, "urls": [upstream] }));
        add("routes", json!({ "name": "all", "namespace": namespace, "paths": ["/**"], "service": "s" }));

        let name = format!("d{number}");
        let patterns = [format!("{name}.example")];
        add("domains", json!({ "name": name, "namespace": "domains", "patterns": patterns, "tags": [tag] }));

        let route = |kind: &str, service: &str| {
            let name = format!("{kind}{number}");
            json!({ "name": name, "paths": [format!("/{name}")], "service": service })
        };
        let mut tagged = route("route", "s");
        tagged["tags"] = json!([tag]);
        add("routes", tagged);

        let service = format!("service{number}");
        add("services", json!({ "name": service, "urls": [upstream], "tags": [tag] }));
        add("routes", route("service", &service));

        let service = format!("url{number}");
        add("services", json!({ "name": service, "urls": [{ "url": upstream, "tags": [tag] }] }));
        add("routes", route("url", &service));

        let module = format!("m{number}");
        let source =
            "export function responseModifier(ctx: any) { ctx.upstream().headers.set('x-module', 'ran'); }";
        add("modules", json!({ "name": module, "payload_raw": source, "tags": [tag] }));
        let mut with_module = route("module", "s");
        with_module["modules"] = json!([module]);
        add("routes", with_module);

        let name = format!("c{number}.example");
        let made = rcgen::generate_simple_self_signed([name.clone()]).unwrap();
        if is_fixed(tag) {
            add(
                "domains",
                json!({ "name": format!("c{number}"), "namespace": "certificates", "patterns": [name], "tags": [tag],
                    "cert": made.cert.pem(), "key": made.signing_key.serialize_pem() }),
            );
        }
        certificates.push(made.cert.der().to_vec());
    }
    Resources { lists, certificates }
}

async fn start(lists: &Value) -> Running {
    let configuration = json!({
        "version": "v1",
        "tags": SERVER,
        "proxy": {
            "host": "127.0.0.1", "port": 0, "tls": { "port": 0, "auto_generate": true },
            "canary": { "sticky": "header:x-user", "override": "any" },
            "init_resources": lists,
        },
        "admin": { "port": 0 },
        "storage": { "type": "memory" },
        "access_log": { "format": "off" },
        "log_format": "json",
        "runtime": { "workers": 1 },
    });
    Running::start(&configuration.to_string()).await
}

/// Which kinds a form lets apply.
async fn applied(
    client: &mut TestClient,
    number: usize,
    headers: &[(&str, &str)],
) -> Vec<(&'static str, bool)> {
    let mut get = async |host: &str, path: &str| -> Answer {
        let mut request = Request::get(path).header("host", host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        client.send(request.body(String::new()).unwrap()).await
    };
    let is = |answer: &Answer, otherwise: u16| match answer.status().as_u16() {
        200 => true,
        status => {
            assert_eq!(status, otherwise);
            false
        }
    };
    let mut all = Vec::new();
    all.push(("namespace", is(&get(&format!("n{number}.example"), "/x").await, 404)));
    all.push(("domain", is(&get(&format!("d{number}.example"), "/x").await, 404)));
    all.push(("route", is(&get("localhost", &format!("/route{number}")).await, 404)));
    all.push(("service", is(&get("localhost", &format!("/service{number}")).await, 502)));
    all.push(("url", is(&get("localhost", &format!("/url{number}")).await, 502)));
    let answer = get("localhost", &format!("/module{number}")).await;
    assert_eq!(answer.status(), 200, "a route without its module is still there");
    all.push(("module", answer.headers().contains_key("x-module")));
    all
}

#[tokio::test]
async fn every_form_works_literally_on_every_kind() {
    let upstream = TestUpstream::echo().await;
    let Resources { lists, certificates } = resources(&upstream.url());
    let running = start(&lists).await;
    let mut client = TestClient::http1(running.address("proxy-http")).await;
    for (number, (tag, expected)) in FORMS.into_iter().enumerate() {
        for (kind, is_applied) in applied(&mut client, number, &[("x-user", "user-1")]).await {
            assert_eq!(is_applied, expected, "{tag} on a {kind}");
        }
        let name = format!("c{number}.example");
        let is_shown = certificate(running.address("proxy-https"), &name).await == certificates[number];
        assert_eq!(is_shown, expected && is_fixed(tag), "{tag} on a certificate");
    }
    // One user in ten thousand, and whoever is heard when asking for it.
    let number = FORMS.iter().position(|(tag, _)| *tag == CANARY).unwrap();
    for headers in
        [&[("x-user", "user-3190")][..], &[("x-user", "user-1"), ("x-dgate-canary", "canary:canary_mod")]]
    {
        for (kind, is_applied) in applied(&mut client, number, headers).await {
            assert!(is_applied, "{headers:?} on a {kind}");
        }
    }
    for kind in
        applied(&mut client, number, &[("x-user", "user-3190"), ("x-dgate-canary", "!canary:canary_mod")])
            .await
    {
        assert!(!kind.1, "not if it is forced away: {}", kind.0);
    }
}

#[tokio::test]
async fn what_has_no_request_refuses_what_only_a_request_could_decide() {
    let lists = json!({
        "modules": [{ "name": "m", "payload_raw": "export function job() {}" }],
        "services": [{ "name": "t", "urls": ["tcp://127.0.0.1:1"] }],
    });
    let running = start(&lists).await;
    let made = rcgen::generate_simple_self_signed(["c.example".to_owned()]).unwrap();
    let (cert, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let mut client = TestClient::http1(running.address("admin")).await;
    for (kind, resource, reason) in [
        ("job", json!({ "module": "m", "schedule": "@hourly" }), "a job has none"),
        ("listener", json!({ "address": "127.0.0.1:0", "service": "t" }), "a listener has none"),
        (
            "domain",
            json!({ "patterns": ["c.example"], "cert": cert, "key": key }),
            "the certificate is chosen before there is one",
        ),
        ("service", json!({ "urls": ["tcp://127.0.0.1:1"] }), "a TCP connection has none"),
        ("secret", json!({ "data": "x" }), "a secret is the same for all of them"),
        ("collection", json!({}), "a collection is the same for all of them"),
    ] {
        for (tag, is_refused) in [
            ("#canary:canary_mod", true),
            ("!all:yes", true),
            ("?none:yes,no", true),
            ("#key:value", false),
            ("#since:then", false),
        ] {
            let mut resource = resource.clone();
            resource["tags"] = json!([tag]);
            let request = Request::put(format!("/api/v1/{kind}/default/x?dry_run"))
                .header("host", "localhost")
                .header("content-type", "application/json");
            let answer = client.send(request.body(resource.to_string()).unwrap()).await;
            let said = answer.json();
            assert_eq!(answer.status().as_u16(), if is_refused { 422 } else { 200 }, "{kind} {tag}: {said}");
            if is_refused {
                let expected = format!("`{tag}` is decided for each request, and {reason}");
                assert_eq!(
                    (&said["errors"][0]["pointer"], &said["errors"][0]["detail"]),
                    (&json!("/tags/0"), &json!(expected)),
                    "{said}"
                );
            }
        }
    }
}
