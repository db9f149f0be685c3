//! The instants at which a server's tags change.

use jiff::Timestamp;

use super::{ServerTag, ServerTags, Share};

/// An instant at which something changes with a tag of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge<'t> {
    /// The instant.
    pub at: Timestamp,
    /// The tag.
    pub tag: &'t ServerTag,
    /// What changes.
    pub kind: EdgeKind,
}

/// What changes with a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// The server carries it from now on.
    Begins,
    /// The server does not carry it any more.
    Ends,
    /// Its share has reached its end, and stays there.
    RampEnds,
}

impl ServerTags {
    /// All edges after an instant, the earliest first.
    pub fn edges_between(&self, after: Timestamp, until: Timestamp) -> Vec<Edge<'_>> {
        let mut edges: Vec<_> = self.edges_after(after).filter(|edge| edge.at <= until).collect();
        edges.sort_by_key(|edge| edge.at);
        edges
    }

    pub(super) fn edges_after(&self, instant: Timestamp) -> impl Iterator<Item = Edge<'_>> {
        self.iter().flat_map(edges).filter(move |edge| edge.at > instant)
    }
}

fn edges(tag: &ServerTag) -> impl Iterator<Item = Edge<'_>> {
    let end = match tag.share {
        Some(Share::Ramp(_)) => EdgeKind::RampEnds,
        _ => EdgeKind::Ends,
    };
    let from = tag.when.from.map(|at| Edge { at, tag, kind: EdgeKind::Begins });
    let until = tag.when.until.map(|at| Edge { at, tag, kind: end });
    from.into_iter().chain(until)
}
