//! `fetch`: many at once, and only to where it may go.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use dgate_core::Kind;
use dgate_modules::{ModuleRunner, ModuleSettings};
use dgate_proxy::testing::{TestGateway, TestUpstream};
use dgate_proxy::{Gateway, ProxySettings};
use http::{Request, Response};
use serde_json::{Value, json};
use tokio::net::UdpSocket;
use tower_service::Service as _;

use crate::kit::{get, resource};

/// A gateway whose modules may fetch.
async fn fetching(source: &str, permissions: &[&str], settings: ProxySettings) -> TestGateway {
    let runner = ModuleRunner::new(ModuleSettings::default());
    // How long the engine computes on a busy machine is not what is tested here.
    let limits = json!({ "cpu": "5s" });
    let module = json!({ "name": "m", "payload_raw": source, "permissions": permissions, "limits": limits });
    let builder = Gateway::builder().hook_runner(Arc::new(runner.clone())).settings(settings).spec([
        resource(Kind::Module, module),
        resource(Kind::Route, json!({ "name": "r", "paths": ["/m/**"], "modules": ["m"] })),
    ]);
    let gateway = TestGateway::build(builder).await;
    runner.connect_fetch(gateway.gateway().fetch_client());
    gateway
}

/// The outcome of one expression, in a handler that may fetch.
async fn outcome(expression: &str, permissions: &[&str], settings: ProxySettings) -> Value {
    let source = format!(
        "export async function requestHandler(ctx) {{
           try {{ ctx.response().json({{ value: await ({expression}) }}); }}
           catch (error) {{ ctx.response().json({{ error: error.name, message: error.message }}); }}
         }}"
    );
    let gateway = fetching(&source, permissions, settings).await;
    get(&gateway, "/m/1").await.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_wait_in_few_runtimes() {
    const CALLS: usize = 1_000;
    // Answers nobody before all are there.
    let barrier = Arc::new(tokio::sync::Barrier::new(CALLS));
    let upstream = TestUpstream::http(move |_| {
        let barrier = barrier.clone();
        async move {
            barrier.wait().await;
            Response::new("there".into())
        }
    })
    .await;
    let source = format!(
        "const runtime = crypto.randomUUID();
         export async function requestHandler(ctx) {{
           const answer = await fetch('{}/x');
           ctx.response().json([runtime, await answer.text(), ctx.query().get('n')]);
         }}",
        upstream.url()
    );
    let gateway = fetching(&source, &["os:net:http=127.0.0.1"], ProxySettings::default()).await;
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..CALLS {
        let mut gateway = gateway.gateway().clone();
        calls.spawn(async move {
            let request = Request::get(format!("/m/x?n={number}")).header("host", "a").body(String::new());
            let answer = gateway.call(request.unwrap()).await.unwrap();
            assert_eq!(answer.status(), 200);
            let body = answer.into_body().collect_limited(1 << 20).await.unwrap().bytes;
            let body: (String, String, String) = serde_json::from_slice(&body).unwrap();
            assert_eq!((body.1.as_str(), body.2), ("there", number.to_string()));
            body.0
        });
    }
    let runtimes: std::collections::HashSet<String> = calls.join_all().await.into_iter().collect();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    assert!(runtimes.len() <= threads, "{} runtimes", runtimes.len());
}

#[tokio::test]
async fn redirects_are_checked_like_requests() {
    let inside = TestUpstream::echo().await;
    let (secret, port) = (inside.url(), inside.address().port());
    let upstream = TestUpstream::http(move |seen| {
        let to = match seen.uri.as_str() {
            "/inside" => secret.clone(),
            "/disguised" => format!("http://[::ffff:127.0.0.1]:{port}/"),
            "/file" => "file:///etc/passwd".to_owned(),
            "/again" => "/again".to_owned(),
            _ => "/inside".to_owned(),
        };
        async move { Response::builder().status(302).header("location", to).body("".into()).unwrap() }
    })
    .await;
    let own = format!("os:net:http=127.0.0.1:{}", upstream.address().port());
    let fetch = |path: &str, more: &str| {
        format!("fetch('{}{path}'{more}).then(async (r) => [r.status, r.redirected])", upstream.url())
    };
    for permissions in [vec![own.as_str()], vec![own.as_str(), "os:net:http"]] {
        for path in ["/inside", "/disguised", "/twice"] {
            let found = outcome(&fetch(path, ""), &permissions, ProxySettings::default()).await;
            assert_eq!(found["error"], "PermissionDenied", "{path} {permissions:?}: {found}");
        }
    }
    assert!(inside.seen().is_empty(), "nobody was asked");
    let found = outcome(&fetch("/file", ""), &[&own], ProxySettings::default()).await;
    assert_eq!(found["error"], "TypeError", "{found}");
    let found = outcome(&fetch("/again", ""), &[&own], ProxySettings::default()).await;
    assert!(found["message"].as_str().unwrap().contains("too many redirects"), "{found}");
    let found =
        outcome(&fetch("/inside", ", { redirect: 'manual' }"), &[&own], ProxySettings::default()).await;
    assert_eq!(found["value"], json!([302, false]));
    let found =
        outcome(&fetch("/inside", ", { redirect: 'error' }"), &[&own], ProxySettings::default()).await;
    assert_eq!(found["error"], "TypeError");
}

/// A name server that gives another address each time.
async fn fickle(addresses: &'static [[u8; 4]]) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let local = socket.local_addr().unwrap();
    let asked = AtomicU32::new(0);
    tokio::spawn(async move {
        let mut buffer = [0; 512];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
            let name = buffer[12..length].iter().position(|byte| *byte == 0).unwrap();
            let question = &buffer[12..12 + name + 5];
            let is_a = question[name + 1..name + 3] == [0, 1];
            let mut answer = buffer[..2].to_vec();
            answer.extend_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
            answer.extend_from_slice(question);
            if is_a {
                let number = asked.fetch_add(1, Ordering::Relaxed) as usize;
                // It may not be remembered.
                answer.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
                answer.extend_from_slice(&addresses[number % addresses.len()]);
            }
            socket.send_to(&answer, peer).await.unwrap();
        }
    });
    local
}

#[tokio::test]
async fn a_name_that_changes_its_address_leads_nowhere_inside() {
    let upstream = TestUpstream::echo().await;
    let port = upstream.address().port();
    let server = fickle(&[[127, 0, 0, 1], [169, 254, 169, 254], [10, 0, 0, 1], [127, 0, 0, 2]]).await;
    let settings = || {
        let mut settings = ProxySettings::default();
        settings.client.dns_server = Some(server);
        settings
    };
    let all = format!(
        "Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((n) => fetch('http://rebind.example:{port}/' + n).then((r) => r.status, (e) => e.name)))"
    );
    let found = outcome(&all, &["os:net:http"], settings()).await;
    assert_eq!(found["value"], json!(vec!["PermissionDenied"; 8]), "{found}");
    assert!(upstream.seen().is_empty());
    // A grant that names the host means it, wherever it is.
    let one = format!("fetch('http://rebind.example:{port}/').then((r) => r.status)");
    let server = fickle(&[[127, 0, 0, 1]]).await;
    let mut inside = ProxySettings::default();
    inside.client.dns_server = Some(server);
    let found = outcome(&one, &["os:net:http=rebind.example"], inside).await;
    assert_eq!(found["value"], 200, "{found}");
}

#[tokio::test]
async fn requests_end_when_they_are_told_to() {
    let silent = TestUpstream::http(|_| std::future::pending()).await;
    let url = silent.url();
    let permissions = ["os:net:http=127.0.0.1"];
    let aborted = format!(
        "(() => {{ const c = new AbortController(); setTimeout(() => c.abort(), 5); return fetch('{url}/', {{ signal: c.signal }}); }})()"
    );
    let found = outcome(&aborted, &permissions, ProxySettings::default()).await;
    assert_eq!(found["error"], "AbortError", "{found}");
    let late = format!("fetch('{url}/', {{ timeout: 20 }})");
    assert_eq!(outcome(&late, &permissions, ProxySettings::default()).await["error"], "TimeoutError");
    let signal = format!("fetch('{url}/', {{ signal: AbortSignal.timeout(20) }})");
    assert_eq!(outcome(&signal, &permissions, ProxySettings::default()).await["error"], "TimeoutError");
    let before = format!("fetch('{url}/', {{ signal: AbortSignal.abort('no') }}).catch((reason) => reason)");
    assert_eq!(outcome(&before, &permissions, ProxySettings::default()).await["value"], "no");
    let many = format!("Promise.all(Array.from({{ length: 300 }}, () => fetch('{url}/')))");
    let found = outcome(&many, &permissions, ProxySettings::default()).await;
    assert!(found["message"].as_str().unwrap().contains("more than 256 operations"), "{found}");
}

/// What an upstream sees, in all ways of asking.
#[tokio::test]
async fn requests_are_sent_as_they_are_written() {
    let upstream = TestUpstream::echo().await;
    let url = upstream.url();
    let sent = async |arguments: &str| {
        let expression = format!("fetch({arguments}).then((r) => r.json())").replace("URL_", &url);
        let found = outcome(&expression, &["os:net:http=127.0.0.1"], ProxySettings::default()).await;
        let seen = &found["value"];
        let kind = seen["headers"]["content-type"].clone();
        if seen.is_null() { found } else { json!([seen["method"], seen["path"], kind, seen["body"]]) }
    };
    let text = "text/plain;charset=UTF-8";
    for (arguments, expected) in [
        ("'URL_/a?b=1#c'", json!(["GET", "/a?b=1", null, ""])),
        ("new URL('URL_/a')", json!(["GET", "/a", null, ""])),
        ("{ toString: () => 'URL_/a' }", json!(["GET", "/a", null, ""])),
        ("new Request('URL_/a', { method: 'put', body: 'x' })", json!(["PUT", "/a", text, "x"])),
        ("'URL_/a', { method: 'post', body: 'h\u{e9}' }", json!(["POST", "/a", text, "h\u{e9}"])),
        ("'URL_/a', { method: 'query', body: 1 }", json!(["query", "/a", text, "1"])),
        ("'URL_/a', { method: 'POST', body: new Uint8Array([97]) }", json!(["POST", "/a", null, "a"])),
        (
            "'URL_/a', { method: 'POST', body: new URLSearchParams({ a: 'b c' }) }",
            json!(["POST", "/a", "application/x-www-form-urlencoded;charset=UTF-8", "a=b+c"]),
        ),
        (
            "'URL_/a', { method: 'POST', body: 'x', headers: { 'Content-Type': 'a/b' } }",
            json!(["POST", "/a", "a/b", "x"]),
        ),
        (
            "'URL_/a', { method: 'POST', body: 'x', signal: new AbortController().signal }",
            json!(["POST", "/a", text, "x"]),
        ),
    ] {
        assert_eq!(sent(arguments).await, expected, "{arguments}");
    }
    for arguments in [
        "'URL_/a', { body: 'x' }",
        "'URL_/a', { method: 'TRACE' }",
        "'URL_/a', { method: 'a b' }",
        "'URL_/a', { headers: { 'a b': '1' } }",
        "'URL_/a'.replace('http://', 'http://u:p@')",
        "'/a'",
        "",
    ] {
        assert_eq!(sent(arguments).await["error"], "TypeError", "{arguments}");
    }
    // The promise tells, as that of any `async` function.
    let rejected = "fetch('/a').then(() => 1, () => 2)";
    let found = outcome(rejected, &["os:net:http"], ProxySettings::default()).await;
    assert_eq!(found["value"], 2);
}

#[tokio::test]
async fn answers_are_as_they_came() {
    let upstream = TestUpstream::http(|seen| async move {
        let answer = Response::builder().header("x-a", "1").header("x-a", "2").header("set-cookie", "a=b");
        match seen.uri.as_str() {
            "/to" => answer.status(302).header("location", "/there?x").body("".into()).unwrap(),
            "/bare" => answer.status(204).body("".into()).unwrap(),
            "/odd" => answer.status(299).body("{\"a\":[1]}".into()).unwrap(),
            _ => answer.status(404).body("there".into()).unwrap(),
        }
    })
    .await;
    let got = async |path: &str, read: &str| {
        let expression = format!("fetch('{}{path}').then(async (r) => {read})", upstream.url());
        let found = outcome(&expression, &["os:net:http=127.0.0.1"], ProxySettings::default()).await;
        found["value"].clone()
    };
    let about = "[r.status, r.ok, r.redirected, new URL(r.url).pathname, r.headers.get('x-a'), r.bodyUsed]";
    assert_eq!(got("/x", about).await, json!([404, false, false, "/x", "1, 2", false]));
    assert_eq!(got("/to", about).await, json!([404, false, true, "/there", "1, 2", false]));
    assert_eq!(got("/odd", about).await, json!([299, true, false, "/odd", "1, 2", false]));
    assert_eq!(got("/odd", "(await r.json()).a[0]").await, 1);
    assert_eq!(got("/bare", "[r.status, await r.text(), r.bodyUsed]").await, json!([204, "", false]));
    let twice = "[await r.text(), r.bodyUsed, await r.text().catch((error) => error.name)]";
    assert_eq!(got("/x", twice).await, json!(["there", true, "TypeError"]));
    let kept = "[r instanceof Response, r.headers === r.headers, r.headers.getSetCookie()]";
    assert_eq!(got("/x", kept).await, json!([true, true, ["a=b"]]));
}

/// An answer that is passed on keeps what its upstream said, but for how it was framed.
#[tokio::test]
async fn an_answer_can_be_passed_on() {
    let upstream = TestUpstream::http(|_| async {
        let answer = Response::builder().status(201).header("x-a", "1").header("set-cookie", "a=b");
        answer.header("set-cookie", "c=d").body(vec![b'x'; 1 << 20].into()).unwrap()
    })
    .await;
    let source = format!("export const requestHandler = () => fetch('{}/');", upstream.url());
    let gateway = fetching(&source, &["os:net:http=127.0.0.1"], ProxySettings::default()).await;
    let answer = get(&gateway, "/m/1").await;
    assert_eq!((answer.status().as_u16(), answer.text().len()), (201, 1 << 20));
    assert_eq!(answer.header("x-a"), "1");
    assert_eq!(answer.headers().get_all("set-cookie").iter().count(), 2);
}

#[tokio::test]
async fn bodies_are_read_up_to_the_limit() {
    let upstream = TestUpstream::http(|seen| {
        let size: usize = seen.uri.trim_start_matches('/').parse().unwrap_or(0);
        async move { Response::new(vec![b'x'; size].into()) }
    })
    .await;
    let length = |size: usize| {
        format!("fetch('{}/{size}').then((r) => r.text()).then((t) => t.length)", upstream.url())
    };
    let permissions = ["os:net:http=127.0.0.1"];
    assert_eq!(outcome(&length(1 << 20), &permissions, ProxySettings::default()).await["value"], 1 << 20);
    let found = outcome(&length((1 << 20) + 1), &permissions, ProxySettings::default()).await;
    assert_eq!(found["error"], "RangeError", "{found}");
}
