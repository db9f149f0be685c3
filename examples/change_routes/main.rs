//! Routes that are changed while the gateway serves them.
//!
//! A change set comes true as a whole or not at all, and its answer says what became of each resource. Requests that
//! are under way keep the configuration they began with.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

mod revisions;

use std::sync::Arc;

use dgate_core::apply::{Applied, ApplyError, ChangeSet};
use dgate_core::resource::{Route, Service};
use dgate_core::{Key, Kind};
use dgate_proxy::{Gateway, GatewayHandle};
use tokio::net::TcpListener;

use revisions::Revisions;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let revisions = Arc::new(Revisions::default());
    let gateway = Gateway::builder().events(revisions.clone()).build().await?;
    let mut changed = revisions.watch();
    tokio::spawn(async move {
        while changed.changed().await.is_ok() {
            println!("   (live: revision {})", *changed.borrow_and_update());
        }
    });
    let listener = TcpListener::bind("127.0.0.1:8080").await?;
    println!("listening on http://{}", listener.local_addr()?);
    let server = tokio::spawn(gateway.serve(listener).with_graceful_shutdown(ctrl_c()).into_future());

    let handle = gateway.handle();
    let upstream = dgate_examples::upstream().await?;
    println!("1. What would happen:\n{}", told(&rehearse(handle, &upstream).await));
    println!("2. It happens:\n{}", told(&create(handle, &upstream).await));
    println!("3. A mistake changes nothing:\n{}", told(&misspell(handle).await));
    println!("4. Somebody was faster:\n{}", told(&change_what_was(handle, 0).await));
    println!("5. A service in use stays:\n{}", told(&delete(handle, false).await));
    println!("Now try: curl localhost:8080/users/7; Ctrl-C goes on");
    ctrl_c().await;
    println!("6. A service goes, with the routes that lead to it:\n{}", told(&delete(handle, true).await));
    server.await?;
    Ok(())
}

async fn ctrl_c() {
    drop(tokio::signal::ctrl_c().await);
}

fn users(upstream: &str) -> ChangeSet {
    ChangeSet::new()
        .put(Service::new("users", [upstream]))
        .put(Route::new("users", "/users/**").to_service("users"))
}

/// Checks everything, and changes nothing.
async fn rehearse(handle: &GatewayHandle, upstream: &str) -> Result<Applied, ApplyError> {
    handle.apply(users(upstream).dry_run()).await
}

/// Adds a service and a route to it. Both are live when this returns.
async fn create(handle: &GatewayHandle, upstream: &str) -> Result<Applied, ApplyError> {
    handle.apply(users(upstream)).await
}

/// Everything that is wrong is said at once, with the place and what was probably meant.
async fn misspell(handle: &GatewayHandle) -> Result<Applied, ApplyError> {
    let changes = ChangeSet::new()
        .put(Route::new("orders", "/orders/{id").to_service("users"))
        .put(Route::new("people", "/people/**").to_service("user"));
    handle.apply(changes).await
}

/// Changes what was read at some revision, unless somebody has changed it since.
async fn change_what_was(handle: &GatewayHandle, revision: u64) -> Result<Applied, ApplyError> {
    let changes = ChangeSet::new().put(Route::new("users", "/people/**").to_service("users"));
    handle.apply(changes.expect_revision(revision)).await
}

/// Deletes the service: alone, or with what refers to it.
async fn delete(handle: &GatewayHandle, with_routes: bool) -> Result<Applied, ApplyError> {
    let changes = ChangeSet::new().delete(Key::new(Kind::Service, "default", "users"));
    handle.apply(if with_routes { changes.cascade() } else { changes }).await
}

/// What came of a change set, for people.
fn told(result: &Result<Applied, ApplyError>) -> String {
    let lines: Vec<String> = match result {
        Ok(applied) => {
            let outcomes = applied.outcomes.iter().map(|(key, outcome)| format!("{key} {outcome}"));
            outcomes.chain(applied.warnings.iter().map(|warning| format!("warning: {warning}"))).collect()
        }
        // One by one; they are data, too: `problem.key`, `problem.pointer`, `problem.help`.
        Err(ApplyError::Invalid(problems)) => problems.iter().map(ToString::to_string).collect(),
        Err(error) => vec![error.to_string()],
    };
    format!("   {}\n", lines.join("\n   "))
}

#[cfg(test)]
mod tests;
