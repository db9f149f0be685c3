//! Which host leads to which namespace.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::pattern::{HostPattern, HostRank, HostShape, Label};
use crate::resource::Domain;
use crate::stored::Stored;
use crate::tags::{CanaryRule, RequestTags, holds};

/// Which host leads to which namespace.
///
/// Rank: priority, then exact hosts, then the most literal text, then the most conditions on tags. Exact hosts are found
/// in a hash map, patterns that end in literal labels in a tree over the labels from the right, all others one by one, in
/// the order of their rank.
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
    /// The domain, as it was written.
    pub spec: Arc<Stored<Domain>>,
    /// Which requests the domain and its namespace are there for; for all when absent.
    pub rule: Option<CanaryRule>,
    /// How many conditions on tags the domain and its namespace have.
    pub(crate) conditions: usize,
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
    /// Every pattern by its canonical text: those that are the same claim the same hosts.
    claims: HashMap<Box<str>, Vec<usize>, RandomState>,
    /// Those for some requests only, in the order of their rank: exact ones by host, and all others.
    canary_hosts: HashMap<Arc<str>, Vec<usize>, RandomState>,
    canary_patterns: Vec<usize>,
    // From here on, only those for all requests.
    exact: HashMap<Arc<str>, usize, RandomState>,
    /// Patterns of parameters and then literal labels, as paths from the right: `/com/example/{p2}`.
    labels: LabelTree,
    /// Those among them that begin with `*.`: `/com/example/{*rest}`. They may stand where a parameter stands, too.
    suffixes: LabelTree,
    /// All others, in the order of their rank.
    scanned: Vec<usize>,
}

/// In such a tree literal labels go before parameters, so that it finds the pattern with the most literal labels at the
/// end: as all its patterns have them nowhere else, that is the one with the most literal text.
#[derive(Debug, Default)]
struct LabelTree {
    tree: matchit::Router<usize>,
    is_used: bool,
}

impl DomainTable {
    /// Adds a pattern. Those with more conditions have to come first: whoever comes first takes the hosts.
    ///
    /// Returns the entry that claims the same hosts with the same rank, if there is one.
    pub(crate) fn insert(&mut self, priority: i32, entry: HostEntry) -> Option<HostEntry> {
        let Self { entries, levels } = self;
        let level = levels.entry(Reverse(priority)).or_default();
        let claims = level.claims.entry(entry.pattern.canonical().into()).or_default();
        let tied = claims.iter().map(|index| &entries[*index]).find(|other| other.ties_with(&entry)).cloned();
        let is_hidden = claims.iter().any(|index| entries[*index].rule.is_none());
        let index = entries.len();
        claims.push(index);
        if entry.rule.is_some() {
            level.insert_canary(index, &entry, entries);
        } else if !is_hidden {
            level.insert(index, &entry, entries);
        }
        entries.push(entry);
        tied
    }

    /// All patterns, in no particular order.
    pub fn entries(&self) -> &[HostEntry] {
        &self.entries
    }

    /// Whether there is no pattern at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The domain that a normalised host belongs to, for a request without canary tags.
    pub fn find(&self, host: &str) -> Option<DomainMatch<'_>> {
        self.find_for(host, None)
    }

    /// The domain that a normalised host belongs to, for a request with these canary tags; those that domains ask for are
    /// drawn.
    pub fn find_for(&self, host: &str, mut tags: Option<&mut RequestTags>) -> Option<DomainMatch<'_>> {
        let find = |level: &Level| level.find(host, &self.entries, tags.as_deref_mut());
        self.found(host, self.levels.values().find_map(find)?)
    }

    /// The domain that a normalised host belongs to whatever the request, among those that are there for all requests.
    pub fn find_certain(&self, host: &str) -> Option<DomainMatch<'_>> {
        self.found(host, self.levels.values().find_map(|level| level.find_certain(host, &self.entries))?)
    }

    fn found(&self, host: &str, index: usize) -> Option<DomainMatch<'_>> {
        let entry = &self.entries[index];
        let parameters = if entry.pattern.is_exact() { Vec::new() } else { entry.pattern.captures(host)? };
        Some(DomainMatch { entry, parameters })
    }
}

impl HostEntry {
    fn rank(&self) -> (HostRank<'_>, Reverse<usize>) {
        (self.pattern.rank(), Reverse(self.conditions))
    }

    /// Whether both claim the same hosts with the same rank, if their patterns are the same.
    fn ties_with(&self, other: &Self) -> bool {
        self.conditions == other.conditions
            && !self.rule.as_ref().zip(other.rule.as_ref()).is_some_and(|(rule, other)| rule.excludes(other))
    }
}

impl Level {
    fn insert(&mut self, index: usize, entry: &HostEntry, entries: &[HostEntry]) {
        let is_in_tree = match entry.pattern.shape() {
            HostShape::Exact(host) => {
                self.exact.insert(host.clone(), index);
                true
            }
            HostShape::Labels { reversed, rest } if ends_in_literals(reversed) => {
                let tree = if *rest { &mut self.suffixes } else { &mut self.labels };
                tree.insert(&label_path(reversed, *rest), index)
            }
            _ => false,
        };
        if !is_in_tree {
            let at =
                self.scanned.partition_point(|known| entries[*known].pattern.rank() < entry.pattern.rank());
            self.scanned.insert(at, index);
        }
    }

    fn insert_canary(&mut self, index: usize, entry: &HostEntry, entries: &[HostEntry]) {
        let list = match entry.pattern.shape() {
            HostShape::Exact(host) => self.canary_hosts.entry(host.clone()).or_default(),
            _ => &mut self.canary_patterns,
        };
        let at = list.partition_point(|known| entries[*known].rank() <= entry.rank());
        list.insert(at, index);
    }

    fn find(&self, host: &str, entries: &[HostEntry], mut tags: Option<&mut RequestTags>) -> Option<usize> {
        let certain = self.find_certain(host, entries);
        if self.canary_hosts.is_empty() && self.canary_patterns.is_empty() {
            return certain;
        }
        let is_better =
            |index: &usize| certain.is_none_or(|certain| entries[*index].rank() < entries[certain].rank());
        let exact = self.canary_hosts.get(host).map_or(&[][..], Vec::as_slice);
        let mut canaries = exact.iter().chain(&self.canary_patterns).copied().take_while(is_better);
        let found = canaries.find(|index| {
            let entry = &entries[*index];
            entry.pattern.is_match(host) && holds(entry.rule.as_ref(), tags.as_deref_mut())
        });
        found.or(certain)
    }

    fn find_certain(&self, host: &str, entries: &[HostEntry]) -> Option<usize> {
        if let Some(exact) = self.exact.get(host) {
            return Some(*exact);
        }
        let rank = |index: usize| entries[index].pattern.rank();
        let by_label = self.find_by_label(host).into_iter().flatten().min_by_key(|index| rank(*index));
        let is_better = |index: &usize| by_label.is_none_or(|by_label| rank(*index) < rank(by_label));
        let mut scanned = self.scanned.iter().copied().take_while(is_better);
        scanned.find(|index| entries[*index].pattern.is_match(host)).or(by_label)
    }

    fn find_by_label(&self, host: &str) -> [Option<usize>; 2] {
        if !self.labels.is_used && !self.suffixes.is_used {
            return [None; 2];
        }
        let path = reversed(host);
        [self.labels.find(&path), self.suffixes.find(&path)]
    }
}

impl LabelTree {
    /// Adds a path, unless the tree has no place for it.
    fn insert(&mut self, path: &str, index: usize) -> bool {
        let is_inserted = self.tree.insert(path, index).is_ok();
        self.is_used |= is_inserted;
        is_inserted
    }

    fn find(&self, path: &str) -> Option<usize> {
        self.tree.at(path).ok().map(|found| *found.value)
    }
}

/// Whether there are only parameters before the literal labels, of which there is one at least.
fn ends_in_literals(reversed: &[Label]) -> bool {
    let is_literal = |label: &Label| matches!(label, Label::Literal(_));
    reversed.first().is_some_and(is_literal) && reversed.is_sorted_by_key(|label| !is_literal(label))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored::Meta;

    fn table(patterns: &[(i32, &str)]) -> DomainTable {
        let mut table = DomainTable::default();
        for (priority, pattern) in patterns {
            assert!(table.insert(*priority, entry(pattern)).is_none());
        }
        table
    }

    fn entry(pattern: &str) -> HostEntry {
        let spec = crate::decode(serde_json::json!({ "name": "d", "patterns": [pattern] })).unwrap();
        HostEntry {
            pattern: Arc::new(pattern.parse().unwrap()),
            domain: pattern.into(),
            namespace: "default".into(),
            namespace_id: 0,
            spec: Arc::new(Stored { spec: Arc::new(spec), meta: Meta::unstored() }),
            rule: None,
            conditions: 0,
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
        assert_eq!(found(&table, "xyz.net"), Some("/^x/"));
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
            ("*api*", "*API*"),
            ("{env}-api.*", "{e}-api.*"),
            ("{a}.x.{b}.com", "{b}.x.{a}.com"),
            ("/^x/", "/^x/"),
        ] {
            let mut table = table(&[(0, first)]);
            assert_eq!(&*table.insert(0, entry(second)).unwrap().domain, first);
            assert!(table.insert(1, entry(second)).is_none());
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
