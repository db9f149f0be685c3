//! `URL`.

use super::Node;

/// A `URL` that is made.
#[derive(Debug)]
pub(crate) struct MadeUrl {
    pub(crate) input: Node,
    pub(crate) base: Option<Node>,
}

/// A part of a `URL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UrlPart {
    Hash,
    Host,
    Hostname,
    Href,
    Origin,
    Pathname,
    Port,
    Protocol,
    Search,
}

impl UrlPart {
    /// The part of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "hash" => Self::Hash,
            "host" => Self::Host,
            "hostname" => Self::Hostname,
            "href" => Self::Href,
            "origin" => Self::Origin,
            "pathname" => Self::Pathname,
            "port" => Self::Port,
            "protocol" => Self::Protocol,
            "search" => Self::Search,
            _ => return None,
        })
    }
}
