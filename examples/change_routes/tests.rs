use dgate_proxy::testing::{TestGateway, TestUpstream};

use super::*;

async fn status(gateway: &TestGateway) -> u16 {
    gateway.get("/users/7").await.status().as_u16()
}

#[tokio::test]
async fn changes_go_live_as_a_whole_or_not_at_all() {
    let upstream = TestUpstream::echo().await;
    let revisions = Arc::new(Revisions::default());
    let live = revisions.watch();
    let gateway = TestGateway::build(Gateway::builder().events(revisions)).await;
    let handle = gateway.gateway().handle();

    let rehearsed = told(&rehearse(handle, &upstream.url()).await);
    assert_eq!((status(&gateway).await, *live.borrow()), (404, 0), "nothing has happened");

    let created = told(&create(handle, &upstream.url()).await);
    assert_eq!(created, "   service/default/users created\n   route/default/users created\n");
    assert_eq!(rehearsed, created, "the rehearsal said so");
    assert_eq!((status(&gateway).await, *live.borrow()), (200, 1));

    let problems = told(&misspell(handle).await);
    assert!(problems.contains("route/default/orders /paths/0: "), "{problems}");
    assert!(problems.contains("(did you mean `users`?)"), "{problems}");

    let conflict = told(&change_what_was(handle, 0).await);
    assert_eq!(conflict, "   the configuration is at revision 1, not at 0\n");

    let in_use = told(&delete(handle, false).await);
    assert!(in_use.contains("service/default/users is used by route/default/users"), "{in_use}");
    assert_eq!((status(&gateway).await, *live.borrow()), (200, 1), "none of these changed anything");

    assert!(change_what_was(handle, 1).await.is_ok());
    assert_eq!(status(&gateway).await, 404, "it is at another path now");
    assert_eq!(gateway.get("/people/7").await.status(), 200);

    let deleted = told(&delete(handle, true).await);
    assert_eq!(deleted, "   route/default/users deleted\n   service/default/users deleted\n");
    assert_eq!((gateway.get("/people/7").await.status().as_u16(), *live.borrow()), (404, 3));
    assert_eq!(handle.live().load().revision, 3);
}

/// A request keeps the configuration with which it began.
#[tokio::test]
async fn requests_under_way_are_not_disturbed() {
    let (arrived, go_on) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let upstream = TestUpstream::http({
        let (arrived, go_on) = (arrived.clone(), go_on.clone());
        move |_| {
            let (arrived, go_on) = (arrived.clone(), go_on.clone());
            async move {
                arrived.notify_one();
                go_on.notified().await;
                http::Response::new("still here".into())
            }
        }
    })
    .await;
    let gateway = Arc::new(TestGateway::start([]).await);
    let handle = gateway.gateway().handle();
    create(handle, &upstream.url()).await.unwrap();
    let request = tokio::spawn({
        let gateway = gateway.clone();
        async move { gateway.get("/users/7").await }
    });
    arrived.notified().await;
    delete(handle, true).await.unwrap();
    assert_eq!(status(&gateway).await, 404);
    go_on.notify_one();
    assert_eq!(request.await.unwrap().text(), "still here");
}
