//! HTTP/1.1 and HTTP/1.0 (RFC 9112), on both sides.
//!
//! Why our own: the two halves of a proxied request run in one task here, without channels between them; an idle
//! connection holds no buffer; interim responses pass through; and every byte of a request's framing is seen, so that
//! nothing ambiguous is ever passed on. Parsing heads is left to `httparse`.

mod body_decoder;
mod body_sender;
mod chunked;
pub(crate) mod client;
mod encode;
mod framing;
mod head;
mod outgoing;
mod read_room;
pub(crate) mod server;

pub(crate) use chunked::is_forbidden_trailer;
pub(crate) use client::MOST_INTERIM;
pub(crate) use framing::{FramingError, content_length, has_no_body, has_token};
pub(crate) use head::HeadLimits;
pub(crate) use server::ServerLimits;
