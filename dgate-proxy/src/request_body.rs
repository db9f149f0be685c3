//! What can go wrong with the body of a request, in whatever version of HTTP.

use std::io;

/// Why a request body broke off. The client is to blame.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestBodyError {
    /// Its framing is broken, or it ended too early.
    #[error("the request body is broken: {0}")]
    Broken(String),
    /// The client sends too slowly.
    #[error("the client sends its request body too slowly")]
    TooSlow,
    /// The connection failed, or the client gave up.
    #[error("the client's connection failed")]
    Io(#[source] io::Error),
    /// The request was answered already.
    #[error("the request is over")]
    Over,
}
