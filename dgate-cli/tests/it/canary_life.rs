//! The whole life of canaries, by the program alone, against a real server under load.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use crate::program::{Ended, ended, program};
use crate::server::{Ports, Server};

/// Asks and asks on one connection each, until it is finished.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    fn start(port: u16) -> Self {
        let (stop, answered): (Arc<AtomicBool>, Arc<AtomicUsize>) = Default::default();
        let client = |_| {
            let (stop, answered) = (stop.clone(), answered.clone());
            std::thread::spawn(move || {
                let mut failed = Vec::new();
                let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).unwrap());
                while !stop.load(Ordering::Relaxed) {
                    stream.get_mut().write_all(b"GET /x HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
                    let status = answer(&mut stream);
                    if !status.contains(" 200 ") {
                        failed.push(status);
                    }
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                failed
            })
        };
        let clients = (0..4).map(client).collect();
        Self { stop, answered, clients }
    }

    /// Waits until so many more requests were answered.
    fn more(&self, count: usize) {
        let wanted = self.answered.load(Ordering::Relaxed) + count;
        while self.answered.load(Ordering::Relaxed) < wanted {
            assert!(self.clients.iter().any(|client| !client.is_finished()), "nobody asks any more");
            std::thread::yield_now();
        }
    }

    /// The status lines of all answers but the good ones.
    fn finish(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    }
}

/// Reads a whole answer, and returns its status line.
fn answer(stream: &mut BufReader<TcpStream>) -> String {
    let (mut status, mut length) = (String::new(), 0);
    stream.read_line(&mut status).unwrap();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        match line.trim().to_ascii_lowercase().strip_prefix("content-length: ") {
            Some(text) => length = text.parse().unwrap(),
            None if line.trim().is_empty() => break,
            None => {}
        }
    }
    stream.read_exact(&mut vec![0; length]).unwrap();
    status.trim().to_owned()
}

/// Runs a command line, words at spaces.
fn run(ports: Ports, line: &str) -> Ended {
    let words: Vec<&str> = line.split(' ').collect();
    let mut command = program(&words);
    ended(&command.env("DGATE_ADMIN_API", ports.admin_url()).output().unwrap())
}

#[test]
fn a_canary_is_widened_and_promoted_and_another_one_aborted_by_itself() {
    let (folder, ports) = (tempfile::tempdir().unwrap(), Ports::free());
    let _server = Server::start(folder.path(), &ports.configuration());
    let done = |line: &str| {
        let ended = run(ports, line);
        assert_eq!(ended.status, 0, "{line}: {}", ended.stderr);
        ended.stdout
    };
    let echo = ports.echo;
    done(&format!("service create old urls=http://127.0.0.1:{echo}/old"));
    done(&format!("service create new urls=http://127.0.0.1:{echo}/new"));
    done("service create dead urls=http://127.0.0.1:1 retries=0");
    done("route create api paths=/** service=old");

    let load = Load::start(ports.proxy);
    load.more(50);
    done("canary start api --service new --percent 1%");
    for percent in ["10%", "50%", "100%"] {
        load.more(100);
        done(&format!("canary widen api --percent {percent}"));
    }
    load.more(100);
    assert!(done("canary status api --interval 100ms").contains("api-canary"));
    assert!(done("tags explain --path /x --key somebody").contains("route/default/api-canary takes it"));
    done("canary promote api");
    load.more(100);
    assert_eq!(load.finish(), Vec::<String>::new(), "no request has failed");
    assert!(done("route get api -o json").contains("\"new\""));
    assert_ne!(run(ports, "route get api-canary").status, 0);

    let before = done("export");
    let load = Load::start(ports.proxy);
    done("canary start api --service dead --percent 30%");
    let watched = run(ports, "canary watch api --interval 100ms --max-errors 5% --min-requests 20");
    assert_eq!(watched.status, 1, "{}", watched.stderr);
    assert!(watched.stderr.contains("the canary was aborted"), "{}", watched.stderr);
    load.finish();
    assert_eq!(done("export"), before, "as if nothing had been");
    let load = Load::start(ports.proxy);
    load.more(50);
    assert_eq!(load.finish(), Vec::<String>::new());
}

/// A module that leaves its name in answers, and takes its time.
fn module(folder: &std::path::Path, name: &str, millis: u32) {
    let source = format!(
        "import {{ sleep }} from \"dgate\";\nexport async function responseModifier(ctx: any) {{\n  if ({millis}) await \
         sleep({millis});\n  ctx.upstream().headers.set(\"x-module\", \"{name}\");\n}}\n"
    );
    std::fs::write(folder.join(format!("{name}.ts")), source).unwrap();
}

#[test]
fn a_canary_of_a_module_goes_from_one_percent_to_all_and_another_one_is_taken_back() {
    let (folder, ports) = (tempfile::tempdir().unwrap(), Ports::free());
    let _server = Server::start(folder.path(), &ports.configuration());
    let done = |line: &str| {
        let ended = run(ports, line);
        assert_eq!(ended.status, 0, "{line}: {}", ended.stderr);
        ended.stdout
    };
    done(&format!("service create echo urls=http://127.0.0.1:{}", ports.echo));
    for name in ["one", "two", "three"] {
        module(folder.path(), name, 0);
        done(&format!("module deploy {}", folder.path().join(format!("{name}.ts")).display()));
    }
    done("route create api paths=/** service=echo modules=one");
    let module_of_next = || {
        let answer = done("explain /x --send -o json");
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        answer["answer"]["headers"]["x-module"].as_str().unwrap().to_owned()
    };
    let load = Load::start(ports.proxy);
    load.more(50);
    assert_eq!(module_of_next(), "one");
    done("canary start api --module one=two --percent 1%");
    for percent in ["10%", "50%", "100%"] {
        load.more(100);
        done(&format!("canary widen api --percent {percent}"));
    }
    load.more(50);
    assert_eq!(module_of_next(), "two", "everybody has it");
    done("canary promote api");
    load.more(50);
    assert_eq!(module_of_next(), "two");
    assert!(done("route get api -o json").contains("\"two\""));

    let before = done("export");
    done("canary start api --module two=three --percent 50%");
    load.more(100);
    done("canary abort api");
    load.more(50);
    assert_eq!(module_of_next(), "two");
    assert_eq!(done("export"), before, "as if nothing had been");
    assert_eq!(load.finish(), Vec::<String>::new(), "no request has failed");
}

#[test]
fn a_slow_canary_is_aborted_by_itself_when_enough_was_seen() {
    let (folder, ports) = (tempfile::tempdir().unwrap(), Ports::free());
    let _server = Server::start(folder.path(), &ports.configuration());
    let done = |line: &str| {
        let ended = run(ports, line);
        assert_eq!(ended.status, 0, "{line}: {}", ended.stderr);
        ended
    };
    done(&format!("service create echo urls=http://127.0.0.1:{}", ports.echo));
    for (name, millis) in [("fast", 0), ("slow", 100)] {
        module(folder.path(), name, millis);
        done(&format!("module deploy {}", folder.path().join(format!("{name}.ts")).display()));
    }
    done("route create api paths=/** service=echo modules=fast");
    let before = done("export").stdout;
    let load = Load::start(ports.proxy);
    done("canary start api --module fast=slow --percent 50%");
    let watch = "canary watch api --interval 50ms --max-latency 2";
    // However slow it is: a few requests say nothing.
    let early = done(&format!("{watch} --min-requests 1000000 --for 300ms -o json"));
    assert!(early.stdout.lines().count() > 0 && early.stderr.is_empty(), "{}", early.stderr);
    done("route get api-canary");
    let watched = run(ports, &format!("{watch} --min-requests 20"));
    assert_eq!(watched.status, 1, "{}", watched.stderr);
    assert!(watched.stderr.contains("the canary was aborted: its answers take "), "{}", watched.stderr);
    assert!(
        watched.stdout.contains("VARIANT") && watched.stdout.contains("api-canary"),
        "{}",
        watched.stdout
    );
    load.more(50);
    assert_eq!(load.finish(), Vec::<String>::new(), "being slow is no failure, and neither is being aborted");
    assert_eq!(done("export").stdout, before, "as if nothing had been");
    assert!(done("log").stdout.contains("canary is aborted, as its answers take"));
}
