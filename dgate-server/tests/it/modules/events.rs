//! Events that modules emit, in the whole server.

use dgate_proxy::testing::RawConnection;
use serde_json::{Value, json};

use crate::running::Running;

const CONFIGURATION: &str = r#"
version: v1
proxy:
  host: 127.0.0.1
  port: 0
  init_resources:
    modules:
      - name: shop
        permissions: ["event:emit=order.*", "event:emit=config.x"]
        payload_raw: |
          import { emit } from "dgate/events";
          export function requestHandler(ctx) {
            try {
              emit(ctx.query().get("name"), { id: ctx.query().get("id") });
              ctx.response().send("told");
            } catch (error) {
              ctx.response().send(`${error.name}: ${error.message}`);
            }
          }
    routes: [{name: shop, paths: ["/emit"], modules: [shop]}]
admin: {port: 0}
access_log: {format: off}
log_format: json
storage: {type: memory}
"#;

#[tokio::test]
async fn what_modules_emit_can_be_followed() {
    let running = Running::start(CONFIGURATION).await;
    let mut follower = RawConnection::open(running.address("admin")).await;
    follower.send("GET /api/v1/events?name=order.* HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    follower.read_until("\r\n\r\n").await;
    assert_eq!(running.get("/emit?name=order.paid&id=7").await.text(), "told");
    let text = follower.read_until("\n\n").await;
    let data = text.lines().find_map(|line| line.strip_prefix("data: "));
    let event: Value = data.unwrap().parse().unwrap();
    assert_eq!(
        (&event["name"], &event["namespace"], &event["source"], &event["data"]),
        (&json!("order.paid"), &json!("default"), &json!("shop"), &json!({ "id": "7" }))
    );
    assert!(event["id"].is_string() && event["time"].is_string(), "{event}");

    for (name, answer) in [
        ("user.gone", "PermissionDenied: permission `event:emit=user.gone` is not granted"),
        ("config.x", "TypeError: events called `config.x` are the gateway's own"),
        ("order.%20", "TypeError: `order. ` is no name of an event"),
    ] {
        let text = running.get(&format!("/emit?name={name}")).await.text();
        assert!(text.starts_with(answer), "{text}");
    }
}
