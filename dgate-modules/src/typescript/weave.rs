//! Putting pieces into a source.

use super::positions::Inserted;

/// A source with pieces put into it, each at its place.
pub(super) fn woven(source: &str, mut pieces: Vec<(usize, String)>) -> (String, Inserted) {
    // The sort is stable, and what encloses comes first.
    pieces.sort_by_key(|(at, _)| *at);
    let mut text = String::with_capacity(source.len() * 2);
    let mut inserted = Vec::with_capacity(pieces.len());
    let mut last = 0;
    for (at, piece) in pieces {
        text.push_str(&source[last..at]);
        text.push_str(&piece);
        inserted.push((at, piece.len()));
        last = at;
    }
    text.push_str(&source[last..]);
    (text, Inserted::new(inserted))
}
