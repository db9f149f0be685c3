//! Clients that ask and ask, and notice when one of their requests fails.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// Load from some connections, until it is finished.
pub(crate) struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    answered: AtomicUsize,
    refused: AtomicUsize,
    failed: Mutex<Vec<String>>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) answered: usize,
    /// Connections that could not be made.
    pub(crate) refused: usize,
    /// Requests that were not answered with 200, or not to their end.
    pub(crate) failed: Vec<String>,
}

impl Load {
    /// Half of the connections are kept, the others are for one request each.
    pub(crate) fn start(address: SocketAddr, connections: usize, path: &'static str) -> Self {
        let shared: Arc<Shared> = Arc::default();
        let client = |index: usize| {
            let shared = shared.clone();
            tokio::spawn(async move {
                while !shared.stop.load(Ordering::Relaxed) {
                    match TcpStream::connect(address).await {
                        Ok(stream) => shared.ask(stream, path, index % 2 == 0).await,
                        Err(_) => {
                            shared.refused.fetch_add(1, Ordering::Relaxed);
                            tokio::time::sleep(Duration::from_millis(20)).await;
                        }
                    }
                }
            })
        };
        let clients = (0..connections).map(client).collect();
        Self { shared, clients }
    }

    /// How many requests were answered so far.
    pub(crate) fn answered(&self) -> usize {
        self.shared.answered.load(Ordering::Relaxed)
    }

    /// Waits until so many more requests were answered.
    pub(crate) async fn more(&self, count: usize) {
        let wanted = self.answered() + count;
        crate::eventually("requests are answered", async || self.answered() >= wanted).await;
    }

    /// Stops asking, once what was asked is answered.
    pub(crate) async fn finish(self) -> Report {
        self.shared.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await.unwrap();
        }
        Report {
            answered: self.shared.answered.load(Ordering::Relaxed),
            refused: self.shared.refused.load(Ordering::Relaxed),
            failed: self.shared.failed.lock().unwrap().clone(),
        }
    }
}

impl Shared {
    /// Asks on one connection until the server ends it.
    async fn ask(&self, mut stream: TcpStream, path: &str, keep: bool) {
        let option = if keep { "keep-alive" } else { "close" };
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: {option}\r\n\r\n");
        for number in 0.. {
            if number > 0 && self.stop.load(Ordering::Relaxed) {
                return;
            }
            match exchange(&mut stream, &request).await {
                Ok(stays_open) => {
                    self.answered.fetch_add(1, Ordering::Relaxed);
                    if !stays_open {
                        return;
                    }
                }
                Err(error) => {
                    let text = format!("request {number} of a connection: {error}");
                    self.failed.lock().unwrap().push(text);
                    return;
                }
            }
        }
    }
}

/// Sends a request and reads its answer, which has to be a complete 200. Says whether the connection stays open.
async fn exchange(stream: &mut TcpStream, request: &str) -> Result<bool, String> {
    let text = |error: std::io::Error| error.to_string();
    stream.write_all(request.as_bytes()).await.map_err(text)?;
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.map_err(text)? == 0 {
            return Err(format!("closed after {} bytes", bytes.len()));
        }
        let so_far = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = so_far.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        if !head.starts_with("http/1.1 200 ") {
            return Err(format!("answered with {}", head.lines().next().unwrap_or_default()));
        }
        let header = |name: &str| {
            let mut headers = head.lines().filter_map(|line| line.split_once(": "));
            headers.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned())
        };
        let length: usize = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        if body.len() >= length {
            return Ok(header("connection").is_none_or(|option| option != "close"));
        }
    }
}
