//! Which host leads to which namespace.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::pattern::{HostPattern, HostShape, Label};

/// Which host leads to which namespace.
///
/// Rank: priority, then exact hosts, then the longest literal part. Exact hosts are found in a hash map, patterns of
/// whole labels in a tree over the labels from the right, all others one by one, longest first.
#[derive(Debug, Default)]
pub struct DomainTable {
    entries: Vec<HostEntry>,
    levels: BTreeMap<Reverse<i32>, Level>,
}

/// One pattern of one domain.
#[derive(Debug, Clone)]
pub struct HostEntry {
    /// The pattern.
    pub pattern: Arc<HostPattern>,
    /// The domain's name.
    pub domain: Arc<str>,
    /// The name of the domain's namespace.
    pub namespace: Arc<str>,
    /// The number of the domain's namespace.
    pub namespace_id: u32,
}

/// The domain a host belongs to.
#[derive(Debug)]
pub struct DomainMatch<'t> {
    /// The pattern that matched, and its domain.
    pub entry: &'t HostEntry,
    /// What the pattern captured.
    pub parameters: Vec<(Arc<str>, Arc<str>)>,
}

#[derive(Debug, Default)]
struct Level {
    exact: HashMap<Arc<str>, usize, foldhash::fast::RandomState>,
    /// Patterns of whole labels, as paths from the right: `/com/example/{p2}`.
    labels: LabelTree,
    /// Those among them that begin with `*.`: `/com/example/{*rest}`. They may stand where a parameter stands, too.
    label_suffixes: LabelTree,
    /// All others, in the order of their rank.
    scanned: Vec<usize>,
}

#[derive(Debug, Default)]
struct LabelTree {
    tree: matchit::Router<usize>,
    is_used: bool,
}

impl DomainTable {
    /// Adds a pattern.
    ///
    /// # Errors
    /// The entry that already claims the same hosts with the same priority.
    pub(crate) fn insert(&mut self, priority: i32, entry: HostEntry) -> Result<(), HostEntry> {
        let Self { entries, levels } = self;
        let level = levels.entry(Reverse(priority)).or_default();
        let index = entries.len();
        let taken = match entry.pattern.shape() {
            HostShape::Exact(host) => match level.exact.get(host) {
                Some(taken) => Some(*taken),
                None => {
                    level.exact.insert(host.clone(), index);
                    None
                }
            },
            HostShape::Labels { reversed, rest } => {
                let tree = if *rest { &mut level.label_suffixes } else { &mut level.labels };
                tree.insert(&label_path(reversed, *rest), index).err()
            }
            HostShape::Regex(_) => {
                let same = |known: &&usize| entries[**known].pattern.as_str() == entry.pattern.as_str();
                let taken = level.scanned.iter().find(same).copied();
                if taken.is_none() {
                    let rank = |entry: &HostEntry| {
                        (Reverse(entry.pattern.literal_length()), entry.pattern.to_string())
                    };
                    let at = level.scanned.partition_point(|known| rank(&entries[*known]) < rank(&entry));
                    level.scanned.insert(at, index);
                }
                taken
            }
        };
        match taken.and_then(|taken| entries.get(taken)) {
            Some(taken) => Err(taken.clone()),
            None => {
                entries.push(entry);
                Ok(())
            }
        }
    }

    /// All patterns, in no particular order.
    pub fn entries(&self) -> &[HostEntry] {
        &self.entries
    }

    /// Whether there is no pattern at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The domain a normalised host belongs to.
    pub fn find(&self, host: &str) -> Option<DomainMatch<'_>> {
        let index = self.levels.values().find_map(|level| level.find(host, &self.entries))?;
        let entry = &self.entries[index];
        let parameters = if entry.pattern.is_exact() { Vec::new() } else { entry.pattern.captures(host)? };
        Some(DomainMatch { entry, parameters })
    }
}

impl Level {
    fn find(&self, host: &str, entries: &[HostEntry]) -> Option<usize> {
        if let Some(exact) = self.exact.get(host) {
            return Some(*exact);
        }
        let length = |index: &usize| entries[*index].pattern.literal_length();
        let by_label = self.find_by_label(host, length);
        let least = by_label.as_ref().map(length);
        let longer = |index: &usize| least.is_none_or(|least| length(index) > least);
        let mut scanned = self.scanned.iter().copied().take_while(longer);
        scanned.find(|index| entries[*index].pattern.is_match(host)).or(by_label)
    }

    fn find_by_label(&self, host: &str, length: impl Fn(&usize) -> usize) -> Option<usize> {
        if !self.labels.is_used && !self.label_suffixes.is_used {
            return None;
        }
        let path = reversed(host);
        match (self.labels.find(&path), self.label_suffixes.find(&path)) {
            (Some(exact), Some(suffix)) if length(&suffix) > length(&exact) => Some(suffix),
            (exact, suffix) => exact.or(suffix),
        }
    }
}

impl LabelTree {
    /// Adds a path; fails with the index of another one that matches the same hosts.
    fn insert(&mut self, path: &str, index: usize) -> Result<(), usize> {
        match self.tree.insert(path, index) {
            Ok(()) => {
                self.is_used = true;
                Ok(())
            }
            Err(_) => Err(self.find(&example_of(path)).unwrap_or(index)),
        }
    }

    fn find(&self, path: &str) -> Option<usize> {
        self.tree.at(path).ok().map(|found| *found.value)
    }
}

/// `api.example.com` as `/com/example/api`.
fn reversed(host: &str) -> String {
    let mut path = String::with_capacity(host.len() + 1);
    for label in host.rsplit('.') {
        path.push('/');
        path.push_str(label);
    }
    path
}

fn label_path(reversed: &[Label], rest: bool) -> String {
    use std::fmt::Write;
    let mut path = String::new();
    for (index, label) in reversed.iter().enumerate() {
        let _ = match label {
            Label::Literal(text) => write!(path, "/{text}"),
            Label::Parameter(_) => write!(path, "/{{p{index}}}"),
        };
    }
    if rest {
        path.push_str("/{*rest}");
    }
    path
}

/// A path that the pattern matches, to find out who else matches it.
fn example_of(pattern: &str) -> String {
    pattern
        .split('/')
        .map(|label| if label.starts_with('{') { "0" } else { label })
        .collect::<Vec<_>>()
        .join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(patterns: &[(i32, &str)]) -> DomainTable {
        let mut table = DomainTable::default();
        for (priority, pattern) in patterns {
            table.insert(*priority, entry(pattern)).unwrap();
        }
        table
    }

    fn entry(pattern: &str) -> HostEntry {
        HostEntry {
            pattern: Arc::new(pattern.parse().unwrap()),
            domain: pattern.into(),
            namespace: "default".into(),
            namespace_id: 0,
        }
    }

    fn found<'t>(table: &'t DomainTable, host: &str) -> Option<&'t str> {
        table.find(host).map(|found| found.entry.pattern.as_str())
    }

    #[test]
    fn exact_then_the_longest_literal() {
        let table = table(&[
            (0, "api.example.com"),
            (0, "*.example.com"),
            (0, "{t}.example.com"),
            (0, "*.com"),
            (0, "*api*"),
            (0, "*my-very-long-api-host*"),
            (0, "/^x/"),
            (0, "*"),
        ]);
        assert_eq!(found(&table, "api.example.com"), Some("api.example.com"));
        assert_eq!(found(&table, "www.example.com"), Some("{t}.example.com"));
        assert_eq!(found(&table, "a.b.example.com"), Some("*.example.com"));
        assert_eq!(found(&table, "other.com"), Some("*.com"));
        assert_eq!(found(&table, "my-very-long-api-host.example.com"), Some("*my-very-long-api-host*"));
        assert_eq!(found(&table, "api.net"), Some("*api*"));
        assert_eq!(found(&table, "nothing.net"), Some("*"));
    }

    #[test]
    fn priority_goes_before_exactness() {
        let table = table(&[(0, "api.example.com"), (1, "*.example.com")]);
        assert_eq!(found(&table, "api.example.com"), Some("*.example.com"));
    }

    #[test]
    fn equal_claims_are_refused_with_the_other_claim() {
        for (first, second) in [
            ("example.com", "EXAMPLE.com"),
            ("*.example.com", "*.example.com"),
            ("{a}.example.com", "{b}.example.com"),
            ("*api*", "*api*"),
        ] {
            let mut table = table(&[(0, first)]);
            assert_eq!(&*table.insert(0, entry(second)).unwrap_err().domain, first);
            assert!(table.insert(1, entry(second)).is_ok());
        }
    }

    #[test]
    fn parameters_are_captured() {
        let table = table(&[(0, "{tenant}.{region}.example.com")]);
        let found = table.find("acme.eu.example.com").unwrap();
        let parameters: Vec<_> = found.parameters.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(parameters, [("tenant", "acme"), ("region", "eu")]);
    }
}
