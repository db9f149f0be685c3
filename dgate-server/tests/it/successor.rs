//! A new process takes over the listening sockets.

use dgate_proxy::testing::TestUpstream;
use rustix::process::Signal;

use crate::load::Load;
use crate::running::{Running, configuration, line_of, send_signal};

/// Ends a process that is no child of this one, when the test is over.
struct Stranger(u32);

impl Drop for Stranger {
    fn drop(&mut self) {
        send_signal(self.0, Signal::KILL);
    }
}

/// The process that took over.
async fn successor(running: &Running) -> Stranger {
    running.says("the new process serves").await;
    let line = line_of(&running.log(), "the new process serves").unwrap();
    Stranger(u32::try_from(line["pid"].as_u64().unwrap()).unwrap())
}

#[tokio::test]
async fn sigusr2_under_load_fails_no_request_and_refuses_no_connection() {
    let upstream = TestUpstream::echo().await;
    let running = Running::start(&configuration(&upstream.url(), "runtime: {workers: 2}")).await;
    let address = running.address("proxy-http");
    let load = Load::start(address, 16, "/x");
    load.more(100).await;
    let admin = running.address("admin");
    running.signal(Signal::USR2);
    let new = successor(&running).await;
    let (status, log) = running.end().await;
    assert!(status.success(), "{log}");
    load.more(200).await;
    let report = load.finish().await;
    assert_eq!((report.failed.as_slice(), report.refused), (&[][..], 0), "of {} requests", report.answered);
    let ready = crate::running::get(admin, "a", "/readyz").await;
    assert_eq!(ready.status(), 200, "the new process answers where the old one did");
    drop(new);
}

#[tokio::test]
async fn a_new_process_that_does_not_start_changes_nothing() {
    let upstream = TestUpstream::echo().await;
    let running = Running::start(&configuration(&upstream.url(), "")).await;
    running.configure("prxy: {}");
    running.signal(Signal::USR2);
    running.says("nobody has taken over").await;
    assert!(running.log().contains("the new process ended before it served"), "{}", running.log());
    assert_eq!(running.get("/").await.status(), 200);
    // And with a good file it can be tried again.
    running.configure(&configuration(&upstream.url(), ""));
    running.signal(Signal::USR2);
    let _new = successor(&running).await;
    assert!(running.end().await.0.success());
}
