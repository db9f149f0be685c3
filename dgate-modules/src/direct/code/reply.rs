//! A `Response` that a hook returns.

use super::{Json, Name, Node};

/// A `Response` that a hook returns.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) body: ReplyBody,
    /// Its options, in their order.
    pub(crate) options: Vec<(ReplyOption, Node)>,
}

/// How it was made.
#[derive(Debug)]
pub(crate) enum ReplyBody {
    /// `new Response(…)`.
    Text(Node),
    /// `Response.json(…)`.
    Json(Json),
    /// `Response.redirect(…)`, which has no other options than a status.
    Redirect(Node),
}

#[derive(Debug)]
pub(crate) enum ReplyOption {
    Status,
    Header(Name),
}
