//! What a server carries at an instant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::draw::salt;
use super::share::Threshold;
use super::{CanaryKey, Ramp, ServerTags, Share};

/// What a server carries at an instant: certain tags, and canary tags for some of its requests.
#[derive(Debug, Clone, Default)]
pub struct ActiveTags {
    instant: Timestamp,
    names: BTreeMap<Box<str>, Carried>,
    /// By their bits.
    canaries: Vec<Option<Canary>>,
    next_edge: Option<Timestamp>,
}

/// What is carried under one name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Carried {
    /// Whether there is the name itself, as a tag without a key.
    is_bare: bool,
    values: BTreeSet<Box<str>>,
    /// Values that some requests carry, with their bits.
    bits: BTreeMap<Box<str>, u32>,
}

/// A canary tag and who gets it.
#[derive(Debug, Clone)]
pub struct Canary {
    label: Arc<str>,
    salt: u64,
    /// How many of all 64-bit numbers draw it, apart from what the ramps add.
    threshold: u128,
    ramps: Vec<Ramp>,
}

impl ActiveTags {
    pub(super) fn new(tags: &ServerTags, instant: Timestamp) -> Self {
        let mut names: BTreeMap<Box<str>, Carried> = BTreeMap::new();
        let numbers = tags.canaries();
        let mut canaries: Vec<Option<Canary>> = vec![None; numbers.len()];
        for tag in tags.iter().filter(|tag| tag.is_carried(instant)) {
            let carried = names.entry(tag.name.clone()).or_default();
            match (&tag.value, tag.share) {
                (None, _) => carried.is_bare = true,
                (Some(value), None) => drop(carried.values.insert(value.clone())),
                (Some(value), Some(share)) => {
                    let Some(bit) = numbers.iter().position(|canary| *canary == (&*tag.name, &**value))
                    else {
                        continue;
                    };
                    carried.bits.insert(value.clone(), bit as u32);
                    let canary = canaries[bit].get_or_insert_with(|| Canary::new(&tag.name, value));
                    canary.add(share, instant);
                }
            }
        }
        if canaries.iter().all(Option::is_none) {
            canaries.clear();
        }
        let next_edge = tags.edges_after(instant).map(|edge| edge.at).min();
        Self { instant, names, canaries, next_edge }
    }

    /// The instant.
    pub fn instant(&self) -> Timestamp {
        self.instant
    }

    /// The next instant at which the server carries something else.
    pub fn next_edge(&self) -> Option<Timestamp> {
        self.next_edge
    }

    /// Whether there are tags that only some requests carry.
    pub fn has_canaries(&self) -> bool {
        !self.canaries.is_empty()
    }

    /// Whether shares change with time, so that a request's instant matters.
    pub fn has_ramps(&self) -> bool {
        self.canaries.iter().flatten().any(|canary| !canary.ramps.is_empty())
    }

    /// The tags that all requests carry.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        self.names.iter().flat_map(|(name, carried)| {
            let bare = carried.is_bare.then(|| name.to_string());
            bare.into_iter().chain(carried.values.iter().map(move |value| format!("{name}:{value}")))
        })
    }

    /// The canary tags, with their bits.
    pub fn canaries(&self) -> impl Iterator<Item = (u32, &Canary)> {
        self.canaries.iter().enumerate().filter_map(|(bit, canary)| Some((bit as u32, canary.as_ref()?)))
    }

    /// The canary tag of a bit.
    pub(super) fn canary(&self, bit: u32) -> Option<&Canary> {
        self.canaries.get(bit as usize)?.as_ref()
    }

    /// The bits of all canary tags.
    pub(super) fn all_bits(&self) -> u64 {
        self.canaries().fold(0, |bits, (bit, _)| bits | 1 << bit)
    }

    /// The names of these bits' tags, as logs and metrics know them: `canary:v2`, several with commas.
    pub fn label(&self, bits: u64) -> Option<Arc<str>> {
        let mut labels =
            self.canaries().filter(|(bit, _)| bits & (1 << bit) != 0).map(|(_, canary)| canary.label());
        let first = labels.next()?;
        let rest: Vec<&str> = labels.map(|label| &**label).collect();
        Some(if rest.is_empty() { first.clone() } else { format!("{first},{}", rest.join(",")).into() })
    }

    pub(super) fn named(&self, name: &str) -> Option<&Carried> {
        self.names.get(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(|name| &**name)
    }
}

impl Carried {
    pub(super) fn has(&self, value: &str) -> bool {
        self.values.contains(value)
    }

    /// Whether there is a tag of this name for all requests.
    pub(super) fn is_carried(&self) -> bool {
        self.is_bare || !self.values.is_empty()
    }

    pub(super) fn bit(&self, value: &str) -> Option<u32> {
        self.bits.get(value).copied()
    }

    pub(super) fn all_bits(&self) -> u64 {
        self.bits.values().fold(0, |bits, bit| bits | 1 << bit)
    }
}

impl Canary {
    fn new(name: &str, value: &str) -> Self {
        let label: Arc<str> = format!("{name}:{value}").into();
        Self { salt: salt(&label), label, threshold: 0, ramps: Vec::new() }
    }

    /// The same tag with several shares: whoever is in one of them is in.
    fn add(&mut self, share: Share, instant: Timestamp) {
        match share {
            Share::Ramp(ramp) if instant < ramp.ends => self.ramps.push(ramp),
            share => self.threshold = self.threshold.max(share.threshold(instant)),
        }
    }

    /// The tag: `name:value`.
    pub fn label(&self) -> &Arc<str> {
        &self.label
    }

    /// Whether a key draws it at an instant.
    pub fn is_drawn(&self, key: CanaryKey, instant: Timestamp) -> bool {
        u128::from(key.draw(self.salt)) < self.threshold(instant)
    }

    /// Its share at an instant: `1%`, `13.25%`.
    pub fn share(&self, instant: Timestamp) -> String {
        Threshold(self.threshold(instant)).to_string()
    }

    fn threshold(&self, instant: Timestamp) -> u128 {
        self.ramps.iter().fold(self.threshold, |most, ramp| most.max(ramp.threshold(instant)))
    }
}
