//! A small HTTP server for what is not proxied: the Admin API, the test server.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dgate_core::body::BodyError;
use dgate_proxy::server::TlsServer;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

/// How long a client may take for a request's head.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// The pause after an accept that failed for want of resources.
const PAUSE: Duration = Duration::from_millis(50);

/// A response that is at hand as a whole.
pub(crate) type SmallResponse = Response<Full<Bytes>>;

/// Answers requests.
pub(crate) trait Answer: Send + Sync + 'static {
    /// What answers carry.
    type Body: http_body::Body<Data = Bytes, Error: Into<BodyError>> + Send + 'static;

    /// Answers a request of a client.
    fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> impl Future<Output = Response<Self::Body>> + Send;
}

/// Serves connections until it is dropped. Connections that were accepted go on.
pub(crate) async fn serve<A: Answer>(listener: TcpListener, tls: Option<Arc<TlsServer>>, answer: Arc<A>) {
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (answer, tls) = (answer.clone(), tls.clone());
        tokio::spawn(async move {
            let Some(tls) = tls else { return serve_connection(stream, peer, answer).await };
            // Who does not finish the handshake is not worth a word either.
            if let Ok(Ok(stream)) = tokio::time::timeout(HEADER_TIMEOUT, tls.accept(stream, true)).await {
                serve_connection(stream, peer, answer).await;
            }
        });
    }
}

async fn serve_connection<A: Answer>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    answer: Arc<A>,
) {
    let service = service_fn(move |request| {
        let answer = answer.clone();
        async move { Ok::<_, Infallible>(answer.answer(request, peer).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    // Who breaks off is not worth a word.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

/// A response with JSON.
pub(crate) fn json(status: StatusCode, value: &serde_json::Value) -> SmallResponse {
    let mut response = Response::new(Full::from(format!("{value}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
