//! The server: tonic, in a runtime of its own, so that ending it ends every connection.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tonic::transport::Server;
use tonic::transport::server::Connected;
use tower::service_fn;

use super::super::support::tls;
use super::service::{Talk, answer};
use crate::tls::Authority;

/// A gRPC server that talks, until it is dropped.
pub(super) struct GrpcServer {
    address: SocketAddr,
    scheme: &'static str,
    events: mpsc::UnboundedReceiver<&'static str>,
    runtime: Option<Runtime>,
}

impl GrpcServer {
    pub(super) fn plain() -> Self {
        Self::start("h2c", None)
    }

    /// Its name is `grpc.example`.
    pub(super) fn encrypted(authority: &Authority) -> Self {
        Self::start("https", Some(tls::Server::new(authority, "grpc.example", "h2")))
    }

    fn start(scheme: &'static str, tls: Option<tls::Server>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (said, events) = mpsc::unbounded_channel();
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            let connections = stream::unfold(listener, move |listener| {
                let tls = tls.clone();
                async move {
                    let (tcp, _) = listener.accept().await.unwrap();
                    let connection: Box<dyn Io> = match tls {
                        None => Box::new(tcp),
                        Some(tls) => Box::new(tls.accept(tcp).await.unwrap()),
                    };
                    Some((Ok::<_, std::io::Error>(Connection(connection)), listener))
                }
            });
            let service = service_fn(move |request| answer(request, Talk { events: said.clone() }));
            Server::builder().serve_with_incoming(service, connections).await.unwrap();
        });
        Self { address, scheme, events, runtime: Some(runtime) }
    }

    pub(super) fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Waits for what happens next to calls that do not just run to their end.
    pub(super) async fn event(&mut self) -> &'static str {
        tokio::time::timeout(crate::PATIENCE, self.events.recv()).await.expect("an event in time").unwrap()
    }

    /// Ends it like `kill -9`, and waits until nobody listens any more.
    pub(super) async fn kill(&mut self) {
        self.end();
        crate::eventually("the server ends", async || TcpStream::connect(self.address).await.is_err()).await;
    }

    fn end(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for GrpcServer {
    fn drop(&mut self) {
        self.end();
    }
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

struct Connection(Box<dyn Io>);

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
