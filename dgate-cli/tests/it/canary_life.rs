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
