//! What time will bring: the edges of a server's tags, and what they touch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Kind;
use crate::resource::{AnyResource, Resource as _};
use crate::snapshot::Snapshot;
use crate::tags::{ActiveTags, Applies, Conditions, Edge, EdgeKind, ServerTags};

/// What changes at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedEdge {
    /// The instant.
    pub at: Timestamp,
    /// The tags of the server that change.
    pub tags: Vec<PlannedTag>,
    /// The resources that apply from then on, and did not before, or not to all requests.
    pub begins: Vec<String>,
    /// The resources that apply to some requests from then on, and did not before.
    pub begins_for_some: Vec<String>,
    /// The resources that do not apply any more.
    pub ends: Vec<String>,
}

/// A tag of the server that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTag {
    /// The tag as it was written.
    pub tag: String,
    /// The namespace that adds it; nothing when it is the server's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// What changes.
    pub change: EdgeKind,
}

/// The edges of what runs, until an instant, the earliest first.
///
/// ```
/// use dgate_core::clock::ManualClock;
/// use dgate_core::resource::Route;
/// use dgate_core::{apply::resource_set, compile::compile_at, tags::ServerTags, timeline::plan};
/// let mut sale = Route::new("sale", "/sale");
/// sale.tags = vec!["#season:sale".into()];
/// let (tags, _) = ServerTags::parse(&["@(2026-01-01T00:00:00Z..2026-02-01T00:00:00Z)#season:sale".into()]);
/// let clock = ManualClock::new("2025-12-01T00:00:00Z".parse().unwrap()).clock();
/// let (snapshot, _) = compile_at(&resource_set([sale.into()]), &tags, &clock, None).unwrap();
///
/// let edges = plan(&snapshot, "2027-01-01T00:00:00Z".parse().unwrap());
/// assert_eq!(edges.len(), 2);
/// assert_eq!(edges[0].begins, ["route/default/sale"]);
/// assert_eq!(edges[1].ends, ["route/default/sale"]);
/// ```
pub fn plan(snapshot: &Snapshot, until: Timestamp) -> Vec<PlannedEdge> {
    let now = snapshot.tags().instant();
    let mut edges: BTreeMap<Timestamp, PlannedEdge> = BTreeMap::new();
    let server = snapshot.server_tags();
    note_tags(&mut edges, server.edges_between(now, until), None);
    for (name, stored, tables) in snapshot.resources().namespaces() {
        let own = ServerTags::parse(&stored.spec.server_tags).0;
        note_tags(&mut edges, own.edges_between(now, until), Some(name));
        let inside = server.with(&own).0;
        let instants: BTreeSet<Timestamp> =
            std::iter::once(now).chain(inside.edges_between(now, until).iter().map(|edge| edge.at)).collect();
        if instants.len() == 1 {
            continue;
        }
        let course = |tags: &ServerTags| instants.iter().map(|instant| tags.at(*instant)).collect::<Vec<_>>();
        let (outside, inside) = (course(server), course(&inside));
        let of_namespace = on_each(&Conditions::of(&stored.spec.tags), &outside);
        note(&mut edges, &stored.spec.key().to_string(), &of_namespace, &instants);
        for resource in tables.iter() {
            // Domains are looked at before anybody knows the namespace.
            let tags = if resource.spec.kind() == Kind::Domain { &outside } else { &inside };
            let key = resource.key().to_string();
            let of_resource = and(&of_namespace, on_each(&Conditions::of(resource.spec.tags()), tags));
            note(&mut edges, &key, &of_resource, &instants);
            let AnyResource::Service(service) = &resource.spec else { continue };
            for url in service.urls.iter().filter(|url| !url.tags.is_empty()) {
                let of_url = and(&of_resource, on_each(&Conditions::of(&url.tags), tags));
                note(&mut edges, &format!("{key} {}", url.url), &of_url, &instants);
            }
        }
    }
    edges.into_values().collect()
}

/// Whether conditions hold, instant by instant.
fn on_each(conditions: &Conditions, course: &[ActiveTags]) -> Vec<Applies> {
    course.iter().map(|tags| conditions.on(tags)).collect()
}

fn and(all: &[Applies], others: Vec<Applies>) -> Vec<Applies> {
    all.iter().zip(others).map(|(applies, other)| applies.clone().and(other)).collect()
}

/// Notes the edges of some tags.
fn note_tags(
    edges: &mut BTreeMap<Timestamp, PlannedEdge>,
    tags: Vec<Edge<'_>>,
    namespace: Option<&Arc<str>>,
) {
    for edge in tags {
        let planned = edges.entry(edge.at).or_insert_with(|| PlannedEdge::at(edge.at));
        let namespace = namespace.map(|name| name.to_string());
        planned.tags.push(PlannedTag { tag: edge.tag.text().to_owned(), namespace, change: edge.kind });
    }
}

/// Notes what becomes of something at each instant but the first one, which is now.
fn note(
    edges: &mut BTreeMap<Timestamp, PlannedEdge>,
    name: &str,
    applies: &[Applies],
    instants: &BTreeSet<Timestamp>,
) {
    for (pair, at) in applies.windows(2).zip(instants.iter().skip(1)) {
        let planned = edges.entry(*at).or_insert_with(|| PlannedEdge::at(*at));
        let list = match (&pair[0], &pair[1]) {
            (Applies::Always | Applies::Sometimes(_), Applies::Never) => &mut planned.ends,
            (Applies::Never | Applies::Sometimes(_), Applies::Always) => &mut planned.begins,
            (Applies::Never | Applies::Always, Applies::Sometimes(_)) => &mut planned.begins_for_some,
            _ => continue,
        };
        list.push(name.to_owned());
    }
}

impl PlannedEdge {
    fn at(at: Timestamp) -> Self {
        Self { at, tags: Vec::new(), begins: Vec::new(), begins_for_some: Vec::new(), ends: Vec::new() }
    }
}
