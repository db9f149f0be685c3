//! A server that answers what it is told to, and keeps what it was asked.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;

use serde_json::Value;

/// What the program asked.
pub(crate) struct Asked {
    /// Method and target.
    pub(crate) line: String,
    /// In lower case, with line ends.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A server with answers for so many requests.
pub(crate) struct Fake {
    pub(crate) url: String,
    asked: Receiver<Asked>,
    thread: JoinHandle<()>,
}

impl Fake {
    /// Answers with each status, further header lines and body in turn.
    pub(crate) fn answering<const N: usize>(answers: [(u16, &str, &str); N]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers: Vec<_> = answers
            .iter()
            .map(|(status, headers, body)| {
                format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
            })
            .collect();
        let (send, asked) = channel();
        let thread = std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let request = read(&mut stream);
                stream.write_all(answer.as_bytes()).unwrap();
                send.send(request).unwrap();
            }
        });
        Self { url, asked, thread }
    }

    /// Everything that was asked, once every answer has been given.
    pub(crate) fn asked(self) -> Vec<Asked> {
        self.thread.join().unwrap();
        self.asked.try_iter().collect()
    }
}

/// A server that speaks TLS, with a certificate of its own for `localhost`, and answers one request.
pub(crate) struct TlsFake {
    pub(crate) url: String,
    /// The certificate, PEM.
    pub(crate) certificate: String,
    thread: JoinHandle<Option<Asked>>,
}

impl TlsFake {
    pub(crate) fn answering(body: &str) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap();
        let config =
            config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let answer = format!("HTTP/1.1 200 X\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let thread = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream);
            // Who does not trust the certificate asks nothing.
            stream.conn.complete_io(&mut stream.sock).ok()?;
            let asked = read(&mut stream);
            stream.write_all(answer.as_bytes()).unwrap();
            stream.flush().unwrap();
            Some(asked)
        });
        Self { url, certificate: made.cert.pem(), thread }
    }

    /// What was asked, if anything was.
    pub(crate) fn asked(self) -> Option<Asked> {
        self.thread.join().unwrap()
    }
}

fn read(stream: &mut impl Read) -> Asked {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let line = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    let head = head.to_lowercase();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    Asked { line, head, body }
}
