//! Message bodies.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Frame, SizeHint};

/// Why a body could not be read or written.
pub type BodyError = Box<dyn StdError + Send + Sync>;

type Stream = Pin<Box<dyn http_body::Body<Data = Bytes, Error = BodyError> + Send>>;

/// A request or response body: nothing, bytes at hand, or a stream of frames with trailers.
///
/// Bodies stream with backpressure. Nothing is read unless somebody asks, and nobody can ask for all of it without
/// saying how much that may be.
///
/// ```
/// use dgate_core::body::Body;
/// use http_body::Body as _;
/// assert_eq!(Body::from("hello").size_hint().exact(), Some(5));
/// assert!(Body::empty().is_end_stream());
/// ```
#[derive(Default)]
pub struct Body(Kind);

#[derive(Default)]
enum Kind {
    #[default]
    Empty,
    Full(Bytes),
    Stream(Stream),
}

impl Body {
    /// No bytes at all.
    pub const fn empty() -> Self {
        Self(Kind::Empty)
    }

    /// Bytes at hand.
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        if bytes.is_empty() { Self::empty() } else { Self(Kind::Full(bytes)) }
    }

    /// Any other body. One that is a [`Body`] already is not boxed again, one that has ended becomes empty.
    pub fn new<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        if body.is_end_stream() {
            return Self::empty();
        }
        let mut slot = Some(body);
        if let Some(body) = (&mut slot as &mut dyn std::any::Any).downcast_mut::<Option<Self>>() {
            return body.take().unwrap_or_default();
        }
        slot.map(|body| Self(Kind::Stream(Box::pin(MapError { body })))).unwrap_or_default()
    }

    /// The bytes, when they are at hand: empty for an empty body, nothing for a stream.
    pub fn bytes(&self) -> Option<Bytes> {
        match &self.0 {
            Kind::Empty => Some(Bytes::new()),
            Kind::Full(bytes) => Some(bytes.clone()),
            Kind::Stream(_) => None,
        }
    }

    /// Whether it is a stream, of which more may come.
    pub const fn is_stream(&self) -> bool {
        matches!(self.0, Kind::Stream(_))
    }

    /// Reads the whole body, at most `limit` bytes of it.
    ///
    /// # Errors
    /// [`CollectError::TooLarge`] when there is more, [`CollectError::Failed`] when it ends in an error.
    pub async fn collect_limited(mut self, limit: usize) -> Result<Collected, CollectError> {
        if let Some(bytes) = self.bytes() {
            let collected = Collected { bytes, trailers: None };
            return if collected.bytes.len() <= limit { Ok(collected) } else { Err(CollectError::TooLarge) };
        }
        let known = http_body::Body::size_hint(&self).lower();
        if known > limit as u64 {
            return Err(CollectError::TooLarge);
        }
        let mut bytes = BytesMut::with_capacity(known as usize);
        let mut trailers = None;
        while let Some(frame) = self.frame().await {
            match frame.map_err(CollectError::Failed)?.into_data() {
                Ok(data) if bytes.len() + data.len() > limit => return Err(CollectError::TooLarge),
                Ok(data) => bytes.extend_from_slice(&data),
                Err(frame) => trailers = frame.into_trailers().ok().or(trailers),
            }
        }
        Ok(Collected { bytes: bytes.freeze(), trailers })
    }

    /// The next frame; nothing at the end.
    pub async fn frame(&mut self) -> Option<Result<Frame<Bytes>, BodyError>> {
        std::future::poll_fn(|cx| http_body::Body::poll_frame(Pin::new(self), cx)).await
    }
}

/// A body that was read as a whole.
#[derive(Debug, Clone, Default)]
pub struct Collected {
    /// Its bytes.
    pub bytes: Bytes,
    /// Its trailers, if it had any.
    pub trailers: Option<HeaderMap>,
}

/// Why a body was not read as a whole.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// It is larger than allowed.
    #[error("the body is too large")]
    TooLarge,
    /// It ended in an error.
    #[error("the body broke off")]
    Failed(#[source] BodyError),
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                self.0 = Kind::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Kind::Stream(stream) => {
                let frame = ready!(stream.as_mut().poll_frame(cx));
                if frame.is_none() {
                    self.0 = Kind::Empty;
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Full(_) => false,
            Kind::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Stream(stream) => stream.size_hint(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Empty => f.write_str("Body::Empty"),
            Kind::Full(bytes) => write!(f, "Body::Full({} bytes)", bytes.len()),
            Kind::Stream(_) => f.write_str("Body::Stream(…)"),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::full(bytes)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::full(bytes)
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::full(text)
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::full(text)
    }
}

pin_project_lite::pin_project! {
    /// Makes a body's error a [`BodyError`].
    struct MapError<B> {
        #[pin]
        body: B,
    }
}

impl<B> http_body::Body for MapError<B>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BodyError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.project().body.poll_frame(cx).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
