//! How busy routes are.

use crate::fake::Fake;
use crate::program::run;

#[test]
fn without_a_terminal_it_counts_once() {
    let metrics = |n: u32| {
        format!(
            "dgate_proxy_requests_in_flight 2\ndgate_proxy_requests_total{{namespace=\"default\",route=\"a\",code=\"200\"}} {n}\n"
        )
    };
    let (before, after) = (metrics(5), metrics(9));
    let server = Fake::answering([(200, "", &before), (200, "", &after)]);
    let ended = run(&["--admin", &server.url, "top", "--interval", "10ms", "-o", "json"]);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    let said: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&said["in_flight"], &said["routes"][0]["route"]), (&2.0.into(), &"a".into()));
    assert_eq!(server.asked()[1].line, "GET /metrics");
}
