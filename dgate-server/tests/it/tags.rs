//! Tags of a server process: its keys, their reload, and time.

use dgate_proxy::testing::{TestClient, TestUpstream};
use http::Request;
use rustix::process::Signal;

use crate::load::Load;
use crate::running::{Running, configuration};

/// Routes of which each has a condition, beside one for all others, and keys of the proxy.
fn with_routes(upstream: &TestUpstream, tags: &str, keys: &str) -> String {
    let routes = [
        ("label", "name:data"),
        ("has", "#key:value"),
        ("has-name", "#key"),
        ("has-bare", "#value"),
        ("has-not", "!key:value"),
        ("any", "?key:value,other"),
        ("one", "?*key:value,other"),
        ("since", "#timed:value"),
        ("canary", "#canary:canary_mod"),
    ];
    let routes =
        routes.map(|(name, tag)| format!("{{name: {name}, paths: [/{name}], service: s, tags: ['{tag}']}}"));
    let routes = routes.join(", ");
    configuration(&upstream.url(), &format!("tags: {tags}"))
        .replace("routes: [{name: all, paths: ['/**'], service: s}]", &format!("routes: [{routes}]"))
        .replace("proxy:\n", &format!("proxy:\n{keys}"))
}

async fn status(running: &Running, path: &str, headers: &[(&str, &str)]) -> u16 {
    let mut request = Request::get(path).header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut client = TestClient::http1(running.address("proxy-http")).await;
    client.send(request.body(String::new()).unwrap()).await.status().as_u16()
}

#[tokio::test]
async fn the_forms_of_the_configuration_work_literally() {
    let upstream = TestUpstream::echo().await;
    let tags = "['key:value', 'value', 'canary@0.01%:canary_mod', '@(2022-01-01T00:00:00Z)#timed:value']";
    let keys = "  canary: {sticky: 'header:x-user', override: any}\n";
    let running = Running::start(&with_routes(&upstream, tags, keys)).await;
    for (path, expected) in [
        ("/label", 200),
        ("/has", 200),
        ("/has-name", 200),
        ("/has-bare", 200),
        ("/has-not", 404),
        ("/any", 200),
        ("/one", 200),
        ("/since", 200),
    ] {
        assert_eq!(status(&running, path, &[]).await, expected, "{path}");
    }
    // One user in ten thousand: which one, every server says alike.
    assert_eq!(status(&running, "/canary", &[("x-user", "user-3190")]).await, 200);
    assert_eq!(status(&running, "/canary", &[("x-user", "user-1")]).await, 404);
    assert_eq!(
        status(&running, "/canary", &[("x-user", "user-1"), ("x-dgate-canary", "canary:canary_mod")]).await,
        200
    );
}

#[tokio::test]
async fn the_keys_of_canaries_can_be_changed_while_the_server_runs() {
    let upstream = TestUpstream::echo().await;
    let running = Running::start(&with_routes(&upstream, "['canary@50%:canary_mod']", "")).await;
    let forced = [("cookie", "user=user-1"), ("x-dgate-canary", "canary:canary_mod")];
    let reload = async |tags: &str, keys: &str| {
        let before = running.log().matches("the configuration was read again").count();
        running.configure(&with_routes(&upstream, tags, keys));
        running.signal(Signal::HUP);
        crate::eventually("it was read again", async || {
            running.log().matches("the configuration was read again").count() > before
        })
        .await;
    };
    let cookie = "  canary: {sticky: 'cookie:user', override: off}\n";
    reload("['canary@0%:canary_mod']", cookie).await;
    assert_eq!(status(&running, "/canary", &forced).await, 404, "nobody is heard");
    reload("['canary@0%:canary_mod']", "  canary: {override: trusted}\n").await;
    assert_eq!(status(&running, "/canary", &forced).await, 404, "nobody is trusted");
    let trusted = "  canary: {override: trusted}\n  trusted_proxies: [127.0.0.1/32]\n";
    reload("['canary@0%:canary_mod']", trusted).await;
    assert_eq!(status(&running, "/canary", &forced).await, 200);
    for (percent, keys, user_0) in [("1%", cookie, 404), ("100%", cookie, 200)] {
        reload(&format!("['canary@{percent}:canary_mod']"), keys).await;
        for _ in 0..3 {
            assert_eq!(status(&running, "/canary", &[("cookie", "user=user-1")]).await, user_0, "{percent}");
        }
    }
}

#[tokio::test]
async fn a_tag_comes_and_goes_at_its_instant_without_a_failed_request() {
    let upstream = TestUpstream::echo().await;
    let now = jiff::Timestamp::now();
    let at = |seconds: i64| now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
    let tags = format!("['@({}..{})#timed:value']", at(3), at(5));
    let running = Running::start(&with_routes(&upstream, &tags, "")).await;
    let load = Load::start(running.address("proxy-http"), 4, "/label");
    crate::eventually("it has come", async || status(&running, "/since", &[]).await == 200).await;
    assert!(jiff::Timestamp::now() >= at(3), "not before its instant");
    crate::eventually("it has gone", async || status(&running, "/since", &[]).await == 404).await;
    assert!(jiff::Timestamp::now() >= at(5));
    assert_eq!(load.finish().await.failed.as_slice(), &[][..] as &[String]);
}

/// A route whose modules answer with what they are and what they see, and the tags of its namespace.
fn with_modules(tags: &str) -> String {
    let module = |name: &str, tags: &str| {
        format!(
            "
      - name: {name}
        tags: {tags}
        payload_raw: |
          export function requestHandler(ctx: any) {{
            ctx.response().send(`{name} ${{ctx.tags().join(' ')}}`);
          }}"
        )
    };
    format!(
        "version: v1
tags: [edge]
proxy:
  host: 127.0.0.1
  port: 0
  canary: {{sticky: 'header:x-user'}}
  init_resources:
    namespaces: [{{name: default, server_tags: {tags}}}]
    modules:{}{}
    routes: [{{name: all, paths: ['/**'], modules: [old, new]}}]
admin: {{port: 0}}
access_log: {{format: off}}
log_format: json
",
        module("old", "['!canary:new']"),
        module("new", "['#canary:new']"),
    )
}

#[tokio::test]
async fn answers_can_be_forced_for_the_tags_of_a_namespace() {
    let text = with_modules("['canary@0%:new']").replace("canary: {", "canary: {override: any, ");
    let running = Running::start(&text).await;
    let mut client = TestClient::http1(running.address("proxy-http")).await;
    for (forced, expected) in [("other:x, canary:new", "new edge canary:new"), ("!canary:new", "old edge")] {
        let request = Request::get("/").header("host", "a").header("x-dgate-canary", forced);
        assert_eq!(client.send(request.body(String::new()).unwrap()).await.text(), expected, "{forced}");
    }
}

#[tokio::test]
async fn a_canary_module_goes_from_one_percent_to_all_and_back_without_a_failed_request() {
    let running = Running::start(&with_modules("['canary@1%:new']")).await;
    let load = Load::start(running.address("proxy-http"), 4, "/x");
    let mut client = TestClient::http1(running.address("proxy-http")).await;
    let mut of = async |user: &str| {
        let request =
            Request::get("/").header("host", "a").header("x-user", user).body(String::new()).unwrap();
        client.send(request).await.text()
    };
    load.more(50).await;
    // The first one is among the 50 %, as the documented hash says.
    let mut said = Vec::new();
    for (round, tags) in ["['canary@50%:new']", "['canary@100%:new']", "['new:x']"].into_iter().enumerate() {
        running.configure(&with_modules(tags));
        running.signal(Signal::HUP);
        crate::eventually("it was read again", async || {
            running.log().matches("the configuration was read again").count() > round
        })
        .await;
        load.more(50).await;
        said.push([of("user-3").await, of("user-0").await]);
    }
    let told: Vec<[&str; 2]> = said.iter().map(|said| [said[0].as_str(), said[1].as_str()]).collect();
    assert_eq!(
        told,
        [
            ["new edge canary:new", "old edge"],
            ["new edge canary:new", "new edge canary:new"],
            ["old edge new:x", "old edge new:x"],
        ]
    );
    let report = load.finish().await;
    assert_eq!((report.failed.as_slice(), report.refused), (&[][..], 0));
}
