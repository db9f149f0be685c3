//! Upstreams for tests.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use dgate_core::body::Body;
use http::{HeaderMap, Method, Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// An upstream that listens on a port of its own, until it is dropped.
#[derive(Debug)]
pub struct TestUpstream {
    address: SocketAddr,
    scheme: &'static str,
    state: Arc<State>,
    server: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct State {
    connections: AtomicUsize,
    seen: Mutex<Vec<Seen>>,
}

/// A request as an upstream saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its method.
    pub method: Method,
    /// Its target.
    pub uri: String,
    /// Its version.
    pub version: Version,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// Its trailers.
    pub trailers: HeaderMap,
}

impl Seen {
    /// A header as text; empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

impl TestUpstream {
    /// Answers every request with what it saw, as JSON: method, path, headers, body.
    pub async fn echo() -> Self {
        Self::http(|seen| async move {
            let headers: serde_json::Map<_, _> = seen
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("?").into()))
                .collect();
            let answer = json!({
                "method": seen.method.as_str(),
                "path": seen.uri,
                "headers": headers,
                "body": String::from_utf8_lossy(&seen.body),
            });
            Response::new(Body::from(answer.to_string()))
        })
        .await
    }

    /// Answers requests by a function, over HTTP/1.1. It sees whole requests.
    pub async fn http<F, R>(answer: F) -> Self
    where
        F: Fn(Seen) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Response<Body>> + Send + 'static,
    {
        Self::serve("http", answer, Ok::<_, std::future::Ready<Response<Body>>>).await
    }

    /// Answers requests by a function, over HTTP/2 without TLS. It sees whole requests.
    pub async fn h2c<F, R>(answer: F) -> Self
    where
        F: Fn(Seen) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Response<Body>> + Send + 'static,
    {
        Self::serve("h2c", answer, Ok::<_, std::future::Ready<Response<Body>>>).await
    }

    /// Answers requests by a function that reads their bodies itself, over HTTP/1.1.
    pub async fn streaming<F, R>(answer: F) -> Self
    where
        F: Fn(Request<Body>) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Response<Body>> + Send + 'static,
    {
        let unused = |_: Seen| async { Response::new(Body::empty()) };
        Self::serve("http", unused, move |request| Err(answer(request))).await
    }

    /// The same, over HTTP/2 without TLS.
    pub async fn streaming_h2c<F, R>(answer: F) -> Self
    where
        F: Fn(Request<Body>) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Response<Body>> + Send + 'static,
    {
        let unused = |_: Seen| async { Response::new(Body::empty()) };
        Self::serve("h2c", unused, move |request| Err(answer(request))).await
    }

    /// Answers connections by a function: for everything that is not quite HTTP.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn raw<F, R>(answer: F) -> Self
    where
        F: Fn(TcpStream) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self::accept("http", listener, Arc::default(), move |stream, _| answer(stream))
    }

    async fn serve<F, R, G, S>(scheme: &'static str, whole: F, streamed: G) -> Self
    where
        F: Fn(Seen) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Response<Body>> + Send + 'static,
        G: Fn(Request<Body>) -> Result<Request<Body>, S> + Clone + Send + Sync + 'static,
        S: Future<Output = Response<Body>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let state: Arc<State> = Arc::default();
        Self::accept(scheme, listener, state, move |stream, state| {
            let (whole, streamed) = (whole.clone(), streamed.clone());
            async move {
                let service = service_fn(move |request: Request<Incoming>| {
                    let (whole, streamed, state) = (whole.clone(), streamed.clone(), state.clone());
                    async move {
                        Ok::<_, Infallible>(match streamed(request.map(Body::new)) {
                            Err(answer) => answer.await,
                            Ok(request) => whole(see(request, &state).await).await,
                        })
                    }
                });
                let io = TokioIo::new(stream);
                // A gateway that hangs up is part of what is tested.
                if scheme == "h2c" {
                    let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    let _ = builder.serve_connection(io, service).await;
                } else {
                    let builder = hyper::server::conn::http1::Builder::new();
                    let _ = builder.serve_connection(io, service).with_upgrades().await;
                }
            }
        })
    }

    fn accept<F, R>(scheme: &'static str, listener: TcpListener, state: Arc<State>, answer: F) -> Self
    where
        F: Fn(TcpStream, Arc<State>) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let address = listener.local_addr().expect("an address");
        let server = tokio::spawn({
            let state = state.clone();
            async move {
                let mut connections = tokio::task::JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    state.connections.fetch_add(1, Ordering::Relaxed);
                    connections.spawn(answer(stream, state.clone()));
                }
            }
        });
        Self { address, scheme, state, server }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, as a service names it.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// How many connections it accepted.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }

    /// The requests it saw.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for TestUpstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn see(request: Request<Body>, state: &State) -> Seen {
    let (head, body) = request.into_parts();
    let collected = body.collect_limited(1 << 30).await.unwrap_or_default();
    let seen = Seen {
        method: head.method,
        uri: head.uri.to_string(),
        version: head.version,
        headers: head.headers,
        body: collected.bytes,
        trailers: collected.trailers.unwrap_or_default(),
    };
    state.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen.clone());
    seen
}
