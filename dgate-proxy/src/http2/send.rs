//! A body on its way out.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use dgate_core::body::{Body, BodyError};
use h2::{Reason, SendStream};
use http_body::Body as _;

use crate::http1::is_forbidden_trailer;

/// Watches a body on its way out.
pub(super) trait Watch {
    /// So many bytes found room.
    fn moved(&mut self, bytes: usize);

    /// There is no room. Ready when that has gone on for too long.
    fn poll_too_slow(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// Why a body was not sent to its end.
#[derive(Debug)]
pub(super) enum Unsent {
    /// The body broke off.
    Broken(BodyError),
    /// The peer does not want it any more, or has gone.
    Gone,
    /// The peer makes no room for it.
    TooSlow,
}

impl From<h2::Error> for Unsent {
    fn from(_: h2::Error) -> Self {
        Self::Gone
    }
}

impl Unsent {
    /// How the peer is told.
    pub(super) fn reason(&self) -> Reason {
        match self {
            // It must not look complete.
            Self::Broken(_) => Reason::INTERNAL_ERROR,
            Self::Gone | Self::TooSlow => Reason::CANCEL,
        }
    }
}

/// Sends a whole body, as fast as the peer makes room. Nothing is read from it that there is no room for.
pub(super) async fn send_body(
    stream: &mut SendStream<Bytes>,
    mut body: Body,
    watch: &mut (impl Watch + Send),
) -> Result<(), Unsent> {
    loop {
        let frame = poll_fn(|cx| {
            if let Poll::Ready(frame) = Pin::new(&mut body).poll_frame(cx) {
                return Poll::Ready(Ok(frame));
            }
            // The peer may lose interest while nothing is sent.
            stream.poll_reset(cx).map(|_| Err(Unsent::Gone))
        });
        let Some(frame) = frame.await? else {
            stream.send_data(Bytes::new(), true)?;
            return Ok(());
        };
        match frame.map_err(Unsent::Broken)?.into_data() {
            Ok(data) => {
                let is_last = body.is_end_stream();
                send_data(stream, data, is_last, watch).await?;
                if is_last {
                    return Ok(());
                }
            }
            Err(frame) => {
                let Ok(mut trailers) = frame.into_trailers() else { continue };
                let forbidden: Vec<_> =
                    trailers.keys().filter(|name| is_forbidden_trailer(name)).cloned().collect();
                for name in forbidden {
                    trailers.remove(name);
                }
                stream.send_trailers(trailers)?;
                return Ok(());
            }
        }
    }
}

async fn send_data(
    stream: &mut SendStream<Bytes>,
    mut data: Bytes,
    is_last: bool,
    watch: &mut (impl Watch + Send),
) -> Result<(), Unsent> {
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        let room = match stream.capacity() {
            0 => poll_fn(|cx| poll_room(stream, watch, cx)).await?,
            room => room,
        };
        let piece = data.split_to(room.min(data.len()));
        watch.moved(piece.len());
        stream.send_data(piece, is_last && data.is_empty())?;
    }
    Ok(())
}

/// How much room there is, once there is some.
fn poll_room(
    stream: &mut SendStream<Bytes>,
    watch: &mut impl Watch,
    cx: &mut Context<'_>,
) -> Poll<Result<usize, Unsent>> {
    match stream.poll_capacity(cx) {
        Poll::Ready(Some(Ok(room))) => Poll::Ready(Ok(room)),
        Poll::Ready(Some(Err(_)) | None) => Poll::Ready(Err(Unsent::Gone)),
        Poll::Pending => {
            ready!(watch.poll_too_slow(cx));
            Poll::Ready(Err(Unsent::TooSlow))
        }
    }
}
