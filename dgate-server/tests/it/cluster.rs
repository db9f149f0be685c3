//! The nodes of the gateway.

use serde_json::json;

use crate::running::Running;

#[tokio::test]
async fn a_server_by_itself_is_a_cluster_of_one() {
    let running = Running::start(
        "
version: v1
node_id: edge-1
tags: [eu, 'canary@5%:v2']
proxy: {host: 127.0.0.1, port: 0, init_resources: {secrets: [{name: token, data: x}]}}
admin: {port: 0}
access_log: {format: off}
log_format: json
storage: {type: memory}
",
    )
    .await;
    let body = running.admin("/api/v1/cluster").await.json();
    assert_eq!(body["count"], 1, "{body:#}");
    let node = &body["data"][0];
    assert_eq!((&node["id"], &node["this"], &node["ready"]), (&json!("edge-1"), &json!(true), &json!(true)));
    assert_eq!((&node["revision"], &node["tags"]), (&json!(1), &json!(["eu", "canary@5%:v2"])));
    assert_eq!(node["address"], running.address("admin").to_string());
    assert_eq!(node["proxy_address"], running.address("proxy-http").to_string());
    assert!(node["version"].is_string() && node["load"]["connections"].is_number(), "{node:#}");
}
