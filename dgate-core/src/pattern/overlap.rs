//! Whether two segments of patterns can match the same text, without one of them going before the other.

use std::collections::{HashMap, HashSet};

use regex_automata::Anchored;
use regex_automata::dfa::{Automaton, dense};
use regex_automata::util::start;

use super::segment::Segment;

/// The largest automaton that is looked at, in bytes.
const LARGEST: usize = 1 << 20;
/// How many pairs of states of two automata are looked at.
const MOST_STATES: usize = 4_096;
/// How many pairs of segments are looked at.
const MOST_PAIRS: usize = 2_000;

/// Which segments can match the same text, as far as that is known already.
///
/// Finding out takes time that grows with the expressions, so there is a limit to it. Beyond, segments count as
/// different, and the order of their texts decides.
#[derive(Debug, Default)]
pub(crate) struct Overlaps {
    known: HashMap<(String, String), bool>,
}

impl Overlaps {
    /// Whether some text matches both, and neither goes before the other.
    pub(crate) fn tie(&mut self, a: &Segment, b: &Segment) -> bool {
        if a.same(b) {
            return true;
        }
        if a.rank() != b.rank() || differ_at_an_end(a, b) {
            return false;
        }
        let pair = (a.pattern().into_owned(), b.pattern().into_owned());
        if let Some(known) = self.known.get(&pair) {
            return *known;
        }
        let tie = self.known.len() < MOST_PAIRS && common_text(&pair.0, &pair.1).unwrap_or(false);
        self.known.insert(pair, tie);
        tie
    }
}

/// Whether the texts in front, or those at the end, exclude each other.
fn differ_at_an_end(a: &Segment, b: &Segment) -> bool {
    let (Segment::Parts(a), Segment::Parts(b)) = (a, b) else { return false };
    let front = |parts: &[super::segment::Part]| parts.first()?.literal().map(str::to_owned);
    let end = |parts: &[super::segment::Part]| parts.last()?.literal().map(str::to_owned);
    let in_front = front(a).zip(front(b)).is_some_and(|(a, b)| !a.starts_with(&*b) && !b.starts_with(&*a));
    let at_end = end(a).zip(end(b)).is_some_and(|(a, b)| !a.ends_with(&*b) && !b.ends_with(&*a));
    in_front || at_end
}

/// Whether there is a segment that both expressions match as a whole; nothing when that takes too much to find out.
///
/// Walks both automata at once: a common text is a way to a pair of accepting states.
fn common_text(a: &str, b: &str) -> Option<bool> {
    let (a, b) = (automaton(a)?, automaton(b)?);
    let start = start::Config::new().anchored(Anchored::Yes);
    let first = (a.start_state(&start).ok()?, b.start_state(&start).ok()?);
    let mut seen = HashSet::from([first]);
    let mut open = vec![first];
    while let Some((in_a, in_b)) = open.pop() {
        if a.is_match_state(a.next_eoi_state(in_a)) && b.is_match_state(b.next_eoi_state(in_b)) {
            return Some(true);
        }
        for byte in (0..=u8::MAX).filter(|byte| *byte != b'/') {
            let next = (a.next_state(in_a, byte), b.next_state(in_b, byte));
            if !a.is_dead_state(next.0) && !b.is_dead_state(next.1) && seen.insert(next) {
                open.push(next);
            }
        }
        if seen.len() > MOST_STATES {
            return None;
        }
    }
    Some(false)
}

fn automaton(source: &str) -> Option<dense::DFA<Vec<u32>>> {
    let limits = dense::Config::new().dfa_size_limit(Some(LARGEST)).determinize_size_limit(Some(LARGEST));
    dense::Builder::new().configure(limits).build(&format!("^(?:{source})$")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::PathPattern;

    fn tie(a: &str, b: &str) -> bool {
        let segment = |text: &str| {
            let pattern: PathPattern = format!("/{text}").parse().unwrap();
            pattern.segments()[0].clone()
        };
        Overlaps::default().tie(&segment(a), &segment(b))
    }

    #[test]
    fn examples() {
        for (a, b, expected) in [
            ("{a:[0-9]+}", "{b:[0-9]+}", true),
            ("{a:[0-9]+}", "{b:[a-z]+}", false),
            ("{a:[0-9]+}", "{b:[0-9a-z]+}", true),
            ("{a:[0-9]{4}}", "{b:[0-9]{2}}", false),
            ("{a:a.*}", "{b:.*b}", true),
            ("{a:a.*z}", "{b:b.*z}", false),
            ("{a:x?}", "{b:y?}", true),
            ("{a:(?i)abc}", "{b:ABC}", true),
            ("{a:(?i)abc}", "{b:abd}", false),
            ("{a:[0-9]+}", "{b}", false),
            ("{a}", "{b}", true),
            ("{a}-x", "{b}-y", false),
            ("x-{a}", "y-{a}", false),
            ("{a}-{b}", "{a}_{b}", true),
            ("{a}-{b}", "{c}-{d}", true),
            ("{a}-x", "y-{b}", false),
            ("a", "a", true),
            ("a", "b", false),
        ] {
            assert_eq!(tie(a, b), expected, "{a} {b}");
            assert_eq!(tie(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn what_is_too_large_is_not_looked_at() {
        assert_eq!(common_text(r"(\w{50}){20}", r"(\w{50}){20}x"), None);
    }
}
