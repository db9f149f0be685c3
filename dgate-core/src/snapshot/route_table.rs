//! Which routes match a path: a tree over path segments.
//!
//! `matchit` finds one best match. A gateway needs the *next* one as well, when the best one's conditions do not hold,
//! and a tree that can be changed while the old one serves. So this is a persistent tree: a change copies the nodes
//! on its path and shares all others.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use smallvec::SmallVec;

use crate::pattern::{MAX_PATH, Overlaps, PathPattern, Segment};

/// Byte ranges of captured values in the matched path.
pub type Captures = SmallVec<[(u16, u16); 4]>;

/// Path patterns with values, searched in the order of precedence.
///
/// Precedence: priority, then segment by segment from the left: literal > part-parameter > regex > parameter >
/// one-segment `*` > rest. Values of one pattern are in the order of their rank.
#[derive(Debug)]
pub struct RouteTable<T> {
    levels: BTreeMap<Reverse<i32>, Arc<Node<T>>>,
}

/// A pattern and its value.
#[derive(Debug, Clone)]
pub struct Leaf<T> {
    /// The pattern.
    pub pattern: Arc<PathPattern>,
    /// What belongs to it.
    pub value: T,
}

#[derive(Debug, Clone)]
struct Node<T> {
    /// Values of patterns that end here.
    here: Vec<Leaf<T>>,
    /// Values of patterns that take the rest from here on.
    rest: Vec<Leaf<T>>,
    literals: HashMap<Arc<str>, Arc<Node<T>>, foldhash::fast::RandomState>,
    /// Segments with wildcards, in the order of their rank.
    wild: Vec<(Segment, Arc<Node<T>>)>,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self { here: Vec::new(), rest: Vec::new(), literals: HashMap::default(), wild: Vec::new() }
    }
}

impl<T> Default for RouteTable<T> {
    fn default() -> Self {
        Self { levels: BTreeMap::new() }
    }
}

impl<T> Clone for RouteTable<T> {
    fn clone(&self) -> Self {
        Self { levels: self.levels.clone() }
    }
}

impl<T: Clone> RouteTable<T> {
    /// Adds a value. `before` says whether the new value ranks before another one of the same pattern; `conflict`
    /// looks at each pattern that can match the same paths with the same rank, and may refuse.
    ///
    /// # Errors
    /// What `conflict` returned; nothing was added then.
    pub(crate) fn insert<E>(
        &mut self,
        priority: i32,
        leaf: Leaf<T>,
        overlaps: &mut Overlaps,
        before: impl Fn(&T, &T) -> bool,
        conflict: impl Fn(&Leaf<T>) -> Option<E>,
    ) -> Result<(), E> {
        let (segments, has_rest) = (leaf.pattern.segments(), leaf.pattern.has_rest());
        let root = self.levels.entry(Reverse(priority)).or_default();
        if let Some(error) = root.find_tied(segments, has_rest, overlaps, &conflict) {
            return Err(error);
        }
        let node = segments.iter().fold(Arc::make_mut(root), Node::child_mut);
        let leaves = if has_rest { &mut node.rest } else { &mut node.here };
        let at = leaves.partition_point(|other| !before(&leaf.value, &other.value));
        leaves.insert(at, leaf);
        Ok(())
    }

    /// Removes the values of a pattern that `which` names.
    pub(crate) fn remove(&mut self, priority: i32, pattern: &PathPattern, which: impl Fn(&T) -> bool) {
        let Some(root) = self.levels.get_mut(&Reverse(priority)) else { return };
        let root = Arc::make_mut(root);
        root.remove(pattern.segments(), pattern.has_rest(), &which);
        if root.is_empty() {
            self.levels.remove(&Reverse(priority));
        }
    }

    /// Calls `visit` with the values of each pattern that matches, in the order of precedence, until it returns
    /// `true`.
    ///
    /// `path` must be normalised and start with `/`. Paths of more than 64 KiB match nothing.
    pub fn search<'t>(&'t self, path: &str, visit: &mut dyn FnMut(&'t [Leaf<T>], &Captures) -> bool) {
        if !path.starts_with('/') || path.len() > MAX_PATH {
            return;
        }
        let mut captures = Captures::new();
        for root in self.levels.values() {
            if root.search(path, Some(1), &mut captures, visit) {
                return;
            }
        }
    }

    /// Whether there is no pattern at all.
    pub fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }
}

impl<T: Clone> Node<T> {
    fn is_empty(&self) -> bool {
        self.here.is_empty() && self.rest.is_empty() && self.literals.is_empty() && self.wild.is_empty()
    }

    fn child_mut(&mut self, segment: &Segment) -> &mut Self {
        let child = match segment {
            Segment::Literal(text) => self.literals.entry(text.clone()).or_default(),
            wild => {
                let at = self.wild.iter().position(|(known, _)| known.same(wild)).unwrap_or_else(|| {
                    let at = self.wild.partition_point(|(known, _)| goes_before(known, wild));
                    self.wild.insert(at, (wild.clone(), Arc::default()));
                    at
                });
                &mut self.wild[at].1
            }
        };
        Arc::make_mut(child)
    }

    /// Asks about each value of a pattern that ties with one that goes on with these segments from here.
    fn find_tied<E>(
        &self,
        segments: &[Segment],
        has_rest: bool,
        overlaps: &mut Overlaps,
        conflict: &impl Fn(&Leaf<T>) -> Option<E>,
    ) -> Option<E> {
        match segments.split_first() {
            None => if has_rest { &self.rest } else { &self.here }.iter().find_map(conflict),
            Some((Segment::Literal(text), below)) => {
                self.literals.get(text)?.find_tied(below, has_rest, overlaps, conflict)
            }
            Some((wild, below)) => self.wild.iter().find_map(|(known, child)| {
                let tie = overlaps.tie(known, wild);
                tie.then(|| child.find_tied(below, has_rest, overlaps, conflict)).flatten()
            }),
        }
    }

    fn remove(&mut self, segments: &[Segment], rest: bool, which: &dyn Fn(&T) -> bool) {
        let Some((segment, below)) = segments.split_first() else {
            let leaves = if rest { &mut self.rest } else { &mut self.here };
            leaves.retain(|leaf| !which(&leaf.value));
            return;
        };
        match segment {
            Segment::Literal(text) => {
                if let Some(child) = self.literals.get_mut(text) {
                    let child = Arc::make_mut(child);
                    child.remove(below, rest, which);
                    if child.is_empty() {
                        self.literals.remove(text);
                    }
                }
            }
            wild => {
                if let Some(at) = self.wild.iter().position(|(known, _)| known.same(wild)) {
                    let child = Arc::make_mut(&mut self.wild[at].1);
                    child.remove(below, rest, which);
                    if child.is_empty() {
                        self.wild.remove(at);
                    }
                }
            }
        }
    }

    /// Searches below this node; `at` is where the next segment starts, if there is one.
    fn search<'t>(
        &'t self,
        path: &str,
        at: Option<usize>,
        captures: &mut Captures,
        visit: &mut dyn FnMut(&'t [Leaf<T>], &Captures) -> bool,
    ) -> bool {
        let mark = captures.len();
        match at {
            None => {
                if !self.here.is_empty() && visit(&self.here, captures) {
                    return true;
                }
            }
            Some(start) => {
                let end = path[start..].find('/').map_or(path.len(), |slash| start + slash);
                let next = (end < path.len()).then_some(end + 1);
                if let Some(child) = self.literals.get(&path[start..end])
                    && child.search(path, next, captures, visit)
                {
                    return true;
                }
                for (segment, child) in &self.wild {
                    if segment.matches(path, start, end, captures)
                        && child.search(path, next, captures, visit)
                    {
                        return true;
                    }
                    captures.truncate(mark);
                }
            }
        }
        if self.rest.is_empty() {
            return false;
        }
        let start = at.unwrap_or(path.len());
        captures.push((start as u16, path.len() as u16));
        let found = visit(&self.rest, captures);
        captures.truncate(mark);
        found
    }
}

/// The order of wildcard segments. It is total, so that the result never depends on the order of insertion.
fn goes_before(segment: &Segment, other: &Segment) -> bool {
    segment.rank().cmp(&other.rank()).then_with(|| segment.pattern().cmp(&other.pattern())).is_lt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn insert(table: &mut RouteTable<&'static str>, priority: i32, pattern: &'static str) {
        let leaf = Leaf { pattern: Arc::new(pattern.parse().unwrap()), value: pattern };
        table.insert(priority, leaf, &mut Overlaps::default(), |a, b| a < b, |_| None::<()>).unwrap();
    }

    fn found(table: &RouteTable<&'static str>, path: &str) -> Vec<&'static str> {
        let mut found = Vec::new();
        table.search(path, &mut |leaves, _| {
            found.extend(leaves.iter().map(|leaf| leaf.value));
            false
        });
        found
    }

    #[test]
    fn precedence_is_by_segment_from_the_left() {
        let mut table = RouteTable::default();
        for pattern in
            ["/**", "/a/**", "/a/*", "/{x}/b", "/a/b", "/a/{x}", "/a/{n:[a-z]+}", "/a/b{x}", "/*/b"]
        {
            if pattern != "/a/*" {
                insert(&mut table, 0, pattern);
            }
        }
        assert_eq!(
            found(&table, "/a/b"),
            ["/a/b", "/a/{n:[a-z]+}", "/a/{x}", "/a/**", "/{x}/b", "/*/b", "/**"]
        );
        assert_eq!(found(&table, "/a/bc"), ["/a/b{x}", "/a/{n:[a-z]+}", "/a/{x}", "/a/**", "/**"]);
        assert_eq!(found(&table, "/a"), ["/a/**", "/**"]);
        assert_eq!(found(&table, "/"), ["/**"]);
    }

    #[test]
    fn priority_goes_before_everything() {
        let mut table = RouteTable::default();
        insert(&mut table, 0, "/a/b");
        insert(&mut table, 5, "/**");
        insert(&mut table, -5, "/a/{x}");
        assert_eq!(found(&table, "/a/b"), ["/**", "/a/b", "/a/{x}"]);
    }

    #[test]
    fn a_change_leaves_the_old_table_alone() {
        let mut table = RouteTable::default();
        insert(&mut table, 0, "/a/b");
        let old = table.clone();
        insert(&mut table, 0, "/a/c");
        table.remove(0, &"/a/b".parse().unwrap(), |_| true);
        assert_eq!(found(&old, "/a/b"), ["/a/b"]);
        assert!(found(&old, "/a/c").is_empty());
        assert!(found(&table, "/a/b").is_empty());
        assert_eq!(found(&table, "/a/c"), ["/a/c"]);
        table.remove(0, &"/a/c".parse().unwrap(), |_| true);
        assert!(table.is_empty());
    }

    const PATTERNS: [&str; 22] = [
        "/",
        "/a",
        "/a/",
        "/a/b",
        "/a/b/c",
        "/{x}",
        "/{x}/b",
        "/a/{x}",
        "/a/{x}/c",
        "/*/b",
        "/a/*/c",
        "/**",
        "/a/**",
        "/a/b/**",
        "/{x}/**",
        "/{x:[ab]+}",
        "/a/{x:[a-c]+}/**",
        "/a-{x}",
        "/{x}-{y}",
        "/a{x}c",
        "/{r...}/",
        "//a",
    ];

    proptest! {
        /// The tree finds exactly the patterns that match one by one, with the same captures, in any order of insertion.
        #[test]
        fn it_agrees_with_matching_one_by_one(
            mut chosen in proptest::sample::subsequence(PATTERNS.to_vec(), 0..PATTERNS.len()),
            path in "/[abc/-]{0,8}",
            seed in any::<u64>(),
        ) {
            chosen.retain(|pattern| !pattern.contains("...}/"));
            let mut table = RouteTable::default();
            chosen.iter().for_each(|pattern| insert(&mut table, 0, pattern));
            let mut shuffled = chosen.clone();
            let turn = if shuffled.is_empty() { 0 } else { seed as usize % shuffled.len() };
            shuffled.rotate_left(turn);
            shuffled.reverse();
            let mut other = RouteTable::default();
            shuffled.iter().for_each(|pattern| insert(&mut other, 0, pattern));

            let mut seen = Vec::new();
            table.search(&path, &mut |leaves, captures| {
                for leaf in leaves {
                    let values: Vec<_> = captures.iter().map(|(from, to)| path[usize::from(*from)..usize::from(*to)].to_owned()).collect();
                    seen.push((leaf.value, values));
                }
                false
            });
            prop_assert_eq!(found(&other, &path), seen.iter().map(|(value, _)| *value).collect::<Vec<_>>());

            let mut expected: Vec<_> = chosen.iter().filter_map(|text| {
                let pattern: PathPattern = text.parse().unwrap();
                let captured = pattern.captures(&path)?;
                Some((*text, captured.iter().map(|(_, value)| (*value).to_owned()).collect::<Vec<_>>()))
            }).collect();
            seen.sort();
            expected.sort();
            prop_assert_eq!(seen, expected);
        }
    }
}
