//! Clients for tests.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use dgate_core::body::Body;
use http::{HeaderMap, Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client on one connection.
#[derive(Debug)]
pub struct TestClient(Sender);

#[derive(Debug)]
enum Sender {
    Http1(hyper::client::conn::http1::SendRequest<Body>),
    Http2(hyper::client::conn::http2::SendRequest<Body>),
}

impl TestClient {
    /// Connects for HTTP/1.1.
    ///
    /// # Panics
    /// When nobody listens.
    pub async fn http1(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("a handshake");
        tokio::spawn(connection.with_upgrades());
        Self(Sender::Http1(sender))
    }

    /// Connects for HTTP/2, by prior knowledge.
    ///
    /// # Panics
    /// When nobody listens.
    pub async fn http2(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .expect("a handshake");
        tokio::spawn(connection);
        Self(Sender::Http2(sender))
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Panics
    /// When there is none.
    pub async fn send<B: Into<Body>>(&mut self, request: Request<B>) -> Answer {
        self.try_send(request).await.unwrap_or_else(|error| panic!("no answer: {error}"))
    }

    /// Sends a request and returns its answer as it begins, the body still to be read.
    ///
    /// # Errors
    /// When there is none.
    pub async fn begin<B: Into<Body>>(
        &mut self,
        request: Request<B>,
    ) -> Result<http::Response<Body>, hyper::Error> {
        let request = request.map(Into::into);
        let response = match &mut self.0 {
            Sender::Http1(sender) => {
                sender.ready().await?;
                tokio::time::timeout(PATIENCE, sender.send_request(request)).await
            }
            Sender::Http2(sender) => {
                sender.ready().await?;
                tokio::time::timeout(PATIENCE, sender.send_request(request)).await
            }
        };
        Ok(response.expect("an answer in time")?.map(Body::new))
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// When there is none, or it breaks off.
    pub async fn try_send<B: Into<Body>>(
        &mut self,
        request: Request<B>,
    ) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
        let (head, body) = self.begin(request).await?.into_parts();
        let collected = tokio::time::timeout(PATIENCE, body.collect_limited(1 << 30)).await??;
        Ok(Answer { head, body: collected.bytes, trailers: collected.trailers.unwrap_or_default() })
    }
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    head: http::response::Parts,
    /// The body.
    pub body: Bytes,
    /// The trailers.
    pub trailers: HeaderMap,
}

impl Answer {
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// A header as text; empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// A connection for bytes.
#[derive(Debug)]
pub struct RawConnection(TcpStream);

impl RawConnection {
    /// Connects.
    ///
    /// # Panics
    /// When nobody listens.
    pub async fn open(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.expect("a connection"))
    }

    /// Sends bytes. That the other side does not take them is no failure: tests look at what comes back.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.0.write_all(bytes.as_ref()).await;
    }

    /// Says that nothing more will come.
    pub async fn finish(&mut self) {
        let _ = self.0.shutdown().await;
    }

    /// Reads until the other side closes.
    ///
    /// # Panics
    /// When it does not in good time.
    pub async fn read_to_end(&mut self) -> String {
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await;
        // A reset after the answer is as good as an end.
        let _ = read.expect("the other side closes");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Reads until some text has come.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn read_until(&mut self, text: &str) -> String {
        let mut bytes = Vec::new();
        let mut buffer = [0; 4_096];
        loop {
            let so_far = String::from_utf8_lossy(&bytes).into_owned();
            if so_far.contains(text) {
                return so_far;
            }
            let read = tokio::time::timeout(PATIENCE, self.0.read(&mut buffer)).await;
            match read.unwrap_or_else(|_| panic!("`{text}` does not come, only: {so_far}")) {
                Ok(0) | Err(_) => panic!("closed before `{text}` came: {so_far}"),
                Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            }
        }
    }

    /// The stream itself.
    pub fn into_stream(self) -> TcpStream {
        self.0
    }
}
