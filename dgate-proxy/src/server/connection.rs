//! One client connection: which protocol it speaks, and then that protocol.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::BytesMut;
use dgate_core::context::ConnectionInfo;
use tokio::time::Instant;

use super::handler::GatewayHandler;
use crate::deadline::Deadline;
use crate::drain::{BusyGuard, Drain, Stage};
use crate::gateway::Gateway;
use crate::http1::server::{Server, SharedWire};
use crate::http2;
use crate::io::Io;
use crate::settings::Limits;

/// What every HTTP/2 connection begins with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long a new connection may wait for its first byte when a drain begins: its request is probably under way.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

/// One client connection.
pub(super) struct Connection {
    handler: GatewayHandler,
    drain: Drain,
    limits: Limits,
    h2c: bool,
}

/// How a connection begins.
enum Beginning {
    Http1(BytesMut),
    Http2(BytesMut),
    Nothing,
}

impl Connection {
    pub(super) fn new(gateway: &Gateway, info: Arc<ConnectionInfo>, limits: Limits, h2c: bool) -> Self {
        let drain = gateway.drain().clone();
        Self { handler: GatewayHandler::new(gateway, info), drain, limits, h2c }
    }

    /// Serves it until it ends. It counts as busy until then; an upgraded one counts as a tunnel instead.
    pub(super) async fn serve(mut self, mut io: Io, busy: BusyGuard) {
        let beginning = match &io {
            Io::Tls(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
                Beginning::Http2(BytesMut::new())
            }
            Io::Tls(_) => Beginning::Http1(BytesMut::new()),
            _ if self.h2c => self.first_bytes(&mut io).await,
            _ => Beginning::Http1(BytesMut::new()),
        };
        match beginning {
            Beginning::Nothing => {}
            Beginning::Http2(bytes) => {
                http2::serve(io, bytes, self.handler, &self.limits, &self.drain).await;
                drop(busy);
            }
            Beginning::Http1(bytes) => {
                let wire = SharedWire::new(io, bytes);
                let server = Server {
                    wire,
                    handler: &mut self.handler,
                    limits: self.limits.for_http1(),
                    drain: &self.drain,
                    busy: Some(busy),
                };
                server.run().await;
            }
        }
    }

    /// Reads until it is clear whether the client begins with HTTP/2.
    async fn first_bytes(&self, io: &mut Io) -> Beginning {
        let mut buffer = BytesMut::new();
        let mut deadline = Deadline::default();
        let mut draining = std::pin::pin!(self.drain.reached(Stage::Draining));
        let mut drained = false;
        let begin = Instant::now();
        let mut end = begin + self.limits.header_timeout;
        poll_fn(|cx| {
            loop {
                match io.poll_read_into(cx, &mut buffer, 4 * 1_024) {
                    Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Beginning::Nothing),
                    Poll::Ready(Ok(_)) => {}
                    Poll::Pending => {
                        if !drained && draining.as_mut().poll(cx).is_ready() {
                            drained = true;
                            end = if buffer.is_empty() { begin + FIRST_REQUEST } else { end };
                        }
                        return deadline.poll(cx, end).map(|()| Beginning::Nothing);
                    }
                }
                let known = buffer.len().min(PREFACE.len());
                if buffer[..known] != PREFACE[..known] {
                    return Poll::Ready(Beginning::Http1(std::mem::take(&mut buffer)));
                }
                if known == PREFACE.len() {
                    return Poll::Ready(Beginning::Http2(std::mem::take(&mut buffer)));
                }
            }
        })
        .await
    }
}
