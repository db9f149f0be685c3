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
    const WARNING: &str = "warning: there is no module default/other as yet\n";
    let lines = (200, "", EVENTS);
    let of_module = |server: Fake, name: &[&str]| {
        let ended = run(&[&["--admin", &server.url.clone(), "module", "logs"], name].concat());
        let asked = server.asked();
        let last = &asked.last().unwrap().line;
        assert_eq!(last, "GET /api/v1/logs?level=trace&target=dgate%3A%3Amodule");
        (ended.stdout.lines().count(), ended.stderr.contains(WARNING))
    };
    let server = Fake::answering([(200, "", "{}"), lines]);
    assert_eq!(of_module(server, &["greet"]), (1, false));
    let server = Fake::answering([(404, "", r#"{"detail":"it is not there"}"#), lines]);
    assert_eq!(of_module(server, &["other"]), (0, true));
    assert_eq!(of_module(Fake::answering([lines]), &[]), (2, false));
}
