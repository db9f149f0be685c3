//! The server's log, as it is written.

use crate::fake::Fake;
use crate::program::run;

const EVENTS: &str = "event: line\ndata: {\"timestamp\":\"2026-11-25T22:00:00Z\",\"level\":\"INFO\",\"target\":\"dgate::module\",\
    \"message\":\"hi\",\"namespace\":\"default\",\"module\":\"greet\"}\n\n\
    event: dropped\ndata: {\"lines\":7}\n\n\
    event: line\ndata: {\"timestamp\":\"2026-11-25T22:00:01Z\",\"level\":\"WARN\",\"target\":\"dgate_proxy\",\"message\":\"slow\",\
    \"took\":1.5,\"why\":\"no idea\"}\n\n";

#[test]
fn lines_are_for_people_or_for_programs() {
    let server = Fake::answering([(200, "content-type: text/event-stream\r\n", EVENTS)]);
    let ended = run(&["--admin", &server.url, "logs", "-f", "--level", "debug", "-q", "a b"]);
    assert_eq!(
        ended.stdout,
        "2026-11-25T22:00:00Z INFO  dgate::module: hi namespace=default module=greet\n\
         2026-11-25T22:00:01Z WARN  dgate_proxy: slow took=1.5 why=\"no idea\"\n"
    );
    assert_eq!((ended.status, ended.stderr.as_str()), (0, "7 lines were dropped: they came too fast\n"));
    assert_eq!(server.asked()[0].line, "GET /api/v1/logs?level=debug&q=a%20b");
    let server = Fake::answering([(200, "", EVENTS)]);
    let ended = run(&["--admin", &server.url, "logs", "-o", "json"]);
    let lines = ended.stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    assert_eq!(lines.map(|line| line["message"].clone()).collect::<Vec<_>>(), ["hi", "slow"]);
}

#[test]
fn a_modules_lines_are_its_own() {
    for (name, expected) in [(Some("greet"), 1), (Some("other"), 0), (None, 2)] {
        let server = Fake::answering([(200, "", EVENTS)]);
        let url = server.url.clone();
        let words = ["--admin", &url, "module", "logs"].into_iter().chain(name).collect::<Vec<_>>();
        assert_eq!(run(&words).stdout.lines().count(), expected, "{name:?}");
        assert_eq!(server.asked()[0].line, "GET /api/v1/logs?level=trace&target=dgate%3A%3Amodule");
    }
}
