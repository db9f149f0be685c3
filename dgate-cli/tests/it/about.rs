//! What the program says about itself.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::fake::TlsFake;
use crate::program::{ended, program, run};

/// An address where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn version_needs_no_server() {
    let ended = run(&["version", "--client"]);
    assert_eq!(
        (ended.status, ended.stdout.as_str()),
        (0, concat!("dgate-cli  ", env!("CARGO_PKG_VERSION"), "\n"))
    );
    let ended = run(&["--admin", &nobody(), "version"]);
    assert_eq!(ended.status, 0);
    assert!(ended.stdout.contains("server     unknown"), "{}", ended.stdout);
    let ended = run(&["--admin", &nobody(), "version", "-o", "json"]);
    let said: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(said, serde_json::json!({ "client": env!("CARGO_PKG_VERSION"), "server": null }));
    assert_eq!(run(&["--version"]).stdout, concat!("dgate-cli ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn a_command_line_that_makes_no_sense_is_usage() {
    for arguments in
        [&["nonsense"] as &[&str], &["version", "--nonsense"], &[], &["--timeout", "5", "version"]]
    {
        let ended = run(arguments);
        assert_eq!(ended.status, 2, "{arguments:?}");
        assert_eq!(ended.stdout, "", "{arguments:?}");
        assert!(
            ended.stderr.contains("Usage:") || ended.stderr.contains("--help"),
            "{arguments:?}: {}",
            ended.stderr
        );
    }
}

#[test]
fn help_tells_the_exit_statuses() {
    let help = run(&["--help"]).stdout;
    assert!(help.contains("9  the server cannot be reached"), "{help}");
    assert!(help.contains("DGATE_ADMIN_API"), "{help}");
}

#[test]
fn secrets_from_the_environment_are_not_in_the_help() {
    let output = program(&["--help"]).env("DGATE_ADMIN_AUTH", "root:hunter2").output().unwrap();
    assert!(!ended(&output).stdout.contains("hunter2"));
}

#[test]
fn every_shell_gets_a_completion() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ended = run(&["completion", shell]);
        assert_eq!(ended.status, 0, "{}", ended.stderr);
        assert!(ended.stdout.contains("dgate-cli") && ended.stdout.contains("completion"), "{shell}");
    }
    // A shell that knows the script completes with it.
    let script = run(&["completion", "bash"]).stdout;
    let line = "COMP_WORDS=(dgate-cli vers) COMP_CWORD=1; _dgate__cli dgate-cli vers dgate-cli; echo ${COMPREPLY[@]}";
    let mut bash = std::process::Command::new("bash")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    bash.stdin.take().unwrap().write_all(format!("{script}\n{line}\n").as_bytes()).unwrap();
    let output = bash.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "version\n");
}

#[test]
fn manual_pages_are_printed_or_written() {
    assert!(run(&["man"]).stdout.starts_with(".ie"));
    let directory = tempfile::tempdir().unwrap();
    let ended = run(&["man", "--dir", directory.path().to_str().unwrap()]);
    assert_eq!((ended.status, ended.stdout.as_str()), (0, ""));
    let pages: Vec<_> =
        std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    for page in ["dgate-cli.1", "dgate-cli-version.1", "dgate-cli-completion.1"] {
        assert!(pages.iter().any(|found| found == page), "{page}: {pages:?}");
    }
}

#[test]
fn credentials_go_to_the_server_and_nowhere_else() {
    let (admin, asked) = (TcpListener::bind("127.0.0.1:0").unwrap(), std::sync::mpsc::channel());
    let url = format!("http://{}", admin.local_addr().unwrap());
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let location = format!("http://{}/api/v1/stats", elsewhere.local_addr().unwrap());
    let send = asked.0.clone();
    let redirect =
        format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
    let first = std::thread::spawn(move || {
        for _ in 0..2 {
            send.send(answer(&admin, &redirect)).unwrap();
        }
    });
    let body = r#"{"data":{"version":"9.9.9"}}"#;
    let other = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let second = std::thread::spawn(move || answer(&elsewhere, &other));

    let ended = run(&["--admin", &url, "--auth", "root:pw", "version"]);
    assert!(ended.stdout.contains(&format!("is redirected to {location}")), "{}", ended.stdout);
    let ended = run(&["--admin", &url, "--auth", "root:pw", "-Vf", "version"]);
    assert!(ended.stdout.contains("server     9.9.9"), "{}", ended.stdout);
    assert!(ended.stderr.contains("307 Temporary Redirect"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("pw"), "{}", ended.stderr);
    first.join().unwrap();
    for request in asked.1.try_iter() {
        assert!(request.contains("authorization: Basic cm9vdDpwdw=="), "{request}");
    }
    assert!(!second.join().unwrap().contains("authorization"));
}

/// Reads one request's head, and answers it.
fn answer(listener: &TcpListener, response: &str) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    stream.write_all(response.as_bytes()).unwrap();
    String::from_utf8(head).unwrap()
}

#[test]
fn certificates_are_checked() {
    let body = r#"{"data":{"version":"9.9.9"}}"#;
    let server = TlsFake::answering(body);
    let ended = run(&["--admin", &server.url, "--api-key", "hunter2", "version"]);
    assert!(ended.stdout.contains("cannot be reached: invalid peer certificate"), "{}", ended.stdout);
    assert!(server.asked().is_none(), "nothing is told to a stranger");

    let server = TlsFake::answering(body);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, &server.certificate).unwrap();
    let ended =
        run(&["--admin", &server.url, "--cacert", file.to_str().unwrap(), "--api-key", "hunter2", "version"]);
    assert!(ended.stdout.contains("server     9.9.9"), "{}", ended.stdout);
    assert!(server.asked().unwrap().head.contains("x-api-key: hunter2"));

    std::fs::write(&file, "nonsense").unwrap();
    let ended = run(&["--admin", "https://localhost:1", "--cacert", file.to_str().unwrap(), "svc", "ls"]);
    assert_eq!(ended.status, 2);
    assert!(ended.stderr.contains("there is no certificate in it"), "{}", ended.stderr);
}
