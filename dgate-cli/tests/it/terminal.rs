//! What is different at a terminal.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::gateway::{Gateway, at_a_terminal};
use crate::program::program;

/// A server that answers one request when it is told to.
struct Slow {
    url: String,
    answer: Sender<()>,
    asked: Receiver<()>,
}

impl Slow {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let ((answer, wait), (tell, asked)) = (channel(), channel());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") {
                stream.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            tell.send(()).unwrap();
            wait.recv().unwrap();
            let body = r#"{"data":{"version":"v1"},"revision":1}"#;
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
        });
        Self { url, answer, asked }
    }
}

#[test]
fn who_waits_at_a_terminal_is_told_so_and_nobody_else() {
    let (quiet, shown) = (Slow::start(), Slow::start());
    let mut piped = program(&["--admin", &quiet.url, "export"]);
    let piped = piped.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    quiet.asked.recv().unwrap();

    let line = format!("{} --admin {} export", env!("CARGO_BIN_EXE_dgate-cli"), shown.url);
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut script = script.spawn().unwrap();
    shown.asked.recv().unwrap();
    let mut terminal = script.stdout.take().unwrap();
    let mut seen = String::new();
    while !seen.contains(" export … ") {
        let mut part = [0; 256];
        let count = terminal.read(&mut part).unwrap();
        assert!(count > 0, "it ended: {seen}");
        seen.push_str(&String::from_utf8_lossy(&part[..count]));
    }
    // The other one has waited for longer.
    quiet.answer.send(()).unwrap();
    shown.answer.send(()).unwrap();
    terminal.read_to_string(&mut seen).unwrap();
    assert!(seen.ends_with("\r\u{1b}[Kversion: v1\r\n"), "the line goes when the answer comes: {seen:?}");
    assert!(script.wait().unwrap().success());
    let piped = piped.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(piped.stderr).unwrap(), "");
    assert_eq!(String::from_utf8(piped.stdout).unwrap(), "version: v1\n");
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let gateway = Gateway::start();
    gateway.done("svc mk api urls=http://127.0.0.1:1");
    gateway.done("rt mk r paths=/r service=api");
    for line in ["svc ls", "svc get nobody", "explain /r", "rt mk x path=/x"] {
        let ended = gateway.run(line);
        assert!(!format!("{}{}", ended.stdout, ended.stderr).contains('\u{1b}'), "{line}");
        assert!(!at_a_terminal(&gateway, line, "").contains('\u{1b}'), "NO_COLOR: {line}");
        let line = format!("{} {line}", env!("CARGO_BIN_EXE_dgate-cli"));
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).env("DGATE_ADMIN_API", gateway.ports.admin_url());
        let output =
            script.env_remove("NO_COLOR").env("TERM", "xterm").stdin(Stdio::null()).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains('\u{1b}'), "{line}");
    }
}
