//! Server-sent events.

use std::io::Write;

use dgate_admin::api::LogTap;
use dgate_core::Body;
use dgate_core::event::{CustomEvent, Event, EventSink};
use http::Method;
use serde_json::{Value, json};

use crate::kit::{Kit, LOCAL, request};

/// Reads events from a stream.
struct Events {
    body: Body,
    text: String,
}

impl Events {
    async fn open(kit: &Kit, path: &str, last: Option<&str>) -> Self {
        let headers: Vec<_> = last.map(|last| ("last-event-id", last)).into_iter().collect();
        let response = kit.api.answer(request(Method::GET, path, None, &headers), LOCAL.into()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next event: its name, its identifier and its data.
    async fn next(&mut self) -> (String, u64, Value) {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name));
                    line.unwrap_or_default().trim().to_owned()
                };
                let next = (
                    field("event:"),
                    field("id:").parse().unwrap_or_default(),
                    field("data:").parse().unwrap(),
                );
                let length = self.text.len() - rest.len();
                self.text.drain(..length);
                return next;
            }
            let frame = self.body.frame().await.unwrap().unwrap();
            self.text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
        }
    }
}

async fn put(kit: &Kit, index: u64) {
    let path = format!("/api/v1/service/default/s{index}");
    kit.put(&path, json!({ "urls": ["http://a"] })).await.is(201);
}

#[tokio::test]
async fn watchers_see_every_revision_once_and_in_order_across_reconnects() {
    let kit = Kit::start().await;
    put(&kit, 1).await;
    let mut events = Events::open(&kit, "/api/v1/watch", None).await;
    for index in 2..=4 {
        put(&kit, index).await;
    }
    for revision in 2..=4 {
        let (name, id, data) = events.next().await;
        assert_eq!((&*name, id), ("change", revision));
        assert_eq!(data["changes"][0]["resource"], format!("service/default/s{revision}"));
    }
    drop(events);
    for index in 5..=300 {
        put(&kit, index).await;
    }
    let mut events = Events::open(&kit, "/api/v1/watch", Some("4")).await;
    for revision in 5..=300 {
        assert_eq!(events.next().await.1, revision);
    }
    put(&kit, 301).await;
    assert_eq!(events.next().await.1, 301);
    let mut from_the_beginning = Events::open(&kit, "/api/v1/watch?since=0", None).await;
    assert_eq!(from_the_beginning.next().await.1, 1);
    let wrong = request(Method::GET, "/api/v1/watch", None, &[("last-event-id", "x")]);
    kit.send(wrong).await.is(400);
}

#[tokio::test]
async fn who_was_away_for_too_long_is_told_to_begin_anew() {
    let kit = Kit::start().await;
    for index in 1..=1_003 {
        put(&kit, index).await;
    }
    let mut events = Events::open(&kit, "/api/v1/watch?since=1", None).await;
    assert_eq!(events.next().await.0, "reset");
    assert_eq!(events.next().await.1, 4, "the memory store keeps a thousand revisions");
}

#[tokio::test]
async fn the_log_is_followed_by_level_target_and_text() {
    let say = |tap: &mut LogTap, line: Value| tap.write_all(format!("{line}\n").as_bytes()).unwrap();
    let kit = Kit::start().await;
    let mut tap = kit.logs.clone();
    assert!(!tap.is_followed());
    let mut events = Events::open(&kit, "/api/v1/logs?level=warn&target=audit&q=needle", None).await;
    assert!(tap.is_followed());
    for (level, target, message) in [
        ("INFO", "audit", "needle 1"),
        ("WARN", "other", "needle 2"),
        ("WARN", "audit", "hay"),
        ("ERROR", "audit::x", "needle 3"),
    ] {
        say(&mut tap, json!({ "level": level, "target": target, "message": message }));
    }
    let (name, _, line) = events.next().await;
    assert_eq!((&*name, &line["message"]), ("line", &json!("needle 3")));
    for _ in 0..2_000 {
        say(&mut tap, json!({ "level": "ERROR", "target": "audit", "message": "needle" }));
    }
    let (name, _, data) = events.next().await;
    assert_eq!((&*name, data["lines"].as_u64().unwrap() > 900), ("dropped", true));
    drop(events);
    assert!(!tap.is_followed());
    kit.get("/api/v1/logs?level=loud").await.is(400);
}

#[tokio::test]
async fn events_are_followed_by_name() {
    let kit = Kit::start().await;
    let mut all = Events::open(&kit, "/api/v1/events", None).await;
    let mut orders = Events::open(&kit, "/api/v1/events?name=order.*", None).await;
    put(&kit, 1).await;
    let (name, _, event) = all.next().await;
    let expected = json!({ "name": "resource.service.create", "namespace": "default", "kind": "service", "resource": "s1" });
    assert_eq!((&*name, event), ("event", expected));
    assert_eq!(all.next().await.2, json!({ "name": "config.applied", "revision": 1 }));
    let emit = |name: &str, data: Value| {
        let event = CustomEvent::new("default".into(), "shop".into(), name, data).unwrap();
        kit.events.emit(Event::Custom(event));
    };
    emit("other", Value::Null);
    emit("order.paid", json!({ "total": 7 }));
    let (_, _, event) = orders.next().await;
    assert_eq!(
        (&event["name"], &event["source"], &event["depth"], &event["data"]),
        (&json!("order.paid"), &json!("shop"), &json!(1), &json!({ "total": 7 }))
    );
    (0..3_000).for_each(|number| emit("order.many", number.into()));
    loop {
        let (name, _, data) = orders.next().await;
        if name == "dropped" {
            assert!(data["events"].as_u64().unwrap() > 1_000, "{data}");
            break;
        }
    }
}
