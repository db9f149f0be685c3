//! The README's first minutes at the command line, as they are written there.

use std::path::Path;
use std::process::Command;

use crate::server::{Ports, Server, programs};

const README: &str = include_str!("../../../README.md");
const CHAPTER: &str = "## From the command line\n";

/// A command, and what it is said to print.
struct Step {
    command: String,
    printed: String,
}

fn steps() -> Vec<Step> {
    let (_, chapter) = README.split_once(CHAPTER).expect("the README has the chapter");
    let chapter = chapter.split("\n## ").next().unwrap();
    let mut steps: Vec<Step> = Vec::new();
    for block in chapter.split("```console\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => {
                    steps.push(Step { command: command.to_owned(), printed: String::new() });
                }
                (None, Some(step)) => step.printed.extend([line, "\n"]),
                (None, None) => panic!("a block begins without a command: {line}"),
            }
        }
    }
    steps
}

/// Whether a text is what was written, where `…` stands for anything.
fn is_like(printed: &str, written: &str) -> bool {
    let mut parts = written.split('…');
    let Some(mut rest) = parts.next().and_then(|first| printed.strip_prefix(first)) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn run(command: &str, folder: &Path, ports: Ports) -> String {
    let path = format!("{}:{}", programs().display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{{ {command}\n}} 2>&1")]).current_dir(folder).env("PATH", path);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("DGATE_") {
            shell.env_remove(name);
        }
    }
    let output = shell.env("DGATE_ADMIN_API", ports.admin_url()).output().unwrap();
    // As a terminal shows the lines of HTTP.
    String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
}

#[test]
fn the_first_minutes_are_as_the_readme_tells_them() {
    let (folder, ports) = (tempfile::tempdir().unwrap(), Ports::free());
    let of_this_test = |text: &str| {
        let text = text.replace("8080", &ports.proxy.to_string()).replace("9080", &ports.admin.to_string());
        text.replace("8888", &ports.echo.to_string())
    };
    let mut server: Option<Server> = None;
    let steps = steps();
    assert!(steps.len() > 10, "the transcript is there");
    for Step { command, printed } in steps {
        if let Some(name) = command.strip_prefix("cat ") {
            // What is shown of a file is what is in it.
            std::fs::write(folder.path().join(name), &printed).unwrap();
        } else if command.ends_with("dgate-server &") {
            if let Some(server) = server.take() {
                server.stop();
            }
            assert_eq!(
                std::fs::read_to_string(folder.path().join("config.dgate.yaml")).unwrap(),
                "test_server: {}\n"
            );
            server = Some(Server::start(folder.path(), &ports.configuration()));
        } else {
            let expected = of_this_test(&printed);
            let said = run(&of_this_test(&command), folder.path(), ports);
            assert!(
                is_like(&said, &expected),
                "$ {command}\n--- is said to print\n{expected}--- prints\n{said}"
            );
        }
    }
}

#[test]
fn dots_stand_for_anything() {
    assert!(is_like("a b c\n", "a … c\n"));
    assert!(is_like("a\nb\nc\n", "a\n…c\n"));
    assert!(is_like("ab", "ab"));
    assert!(!is_like("a b d\n", "a … c\n"));
    assert!(!is_like("ab", "a"));
}
