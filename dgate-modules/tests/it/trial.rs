//! Modules of a running gateway, tried apart from it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dgate_core::apply::resource_set;
use dgate_core::resource::Module;
use dgate_core::store::{MemoryStore, Store};
use dgate_modules::ModuleSettings;
use dgate_modules::local::{LocalGateway, Network, Trial};
use http::Request;

#[tokio::test]
async fn nothing_is_left_of_a_trial() {
    let documents = Arc::new(MemoryStore::new());
    let module = Module::new("m", "export const requestHandler = (ctx) => { ctx.response().status(204); };");
    for _ in 0..3 {
        let trial = Trial {
            revision: 7,
            resources: resource_set([module.clone().into()]),
            documents: documents.clone() as Arc<dyn Store>,
            settings: ModuleSettings::default(),
            network: Network::default(),
        };
        let gateway = LocalGateway::of_module(trial, "default", "m", "/**").await.unwrap();
        let reply = gateway.send(Request::get("/").body(Bytes::new()).unwrap()).await;
        assert_eq!(reply.response.status(), 204);
    }
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while Arc::strong_count(&documents) > 1 {
        assert!(tokio::time::Instant::now() < deadline, "something holds the store still");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
