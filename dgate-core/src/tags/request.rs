//! Which canary tags one request carries.

use std::sync::Arc;

use jiff::Timestamp;

use super::{ActiveTags, CanaryKey, CanaryRule};

/// Which canary tags one request carries. A tag is drawn when something asks for it, and then stays as it was drawn.
#[derive(Debug, Clone)]
pub struct RequestTags {
    active: Arc<ActiveTags>,
    key: CanaryKey,
    instant: Timestamp,
    /// What has been drawn.
    known: u64,
    /// What of it the request carries.
    carried: u64,
    /// Answers that are to be settled when a namespace has the tag.
    wanted: Vec<Box<str>>,
}

impl RequestTags {
    /// Nothing drawn yet, for a client and the instant of its request.
    pub fn new(active: Arc<ActiveTags>, key: CanaryKey, instant: Timestamp) -> Self {
        Self { active, key, instant, known: 0, carried: 0, wanted: Vec::new() }
    }

    /// Goes on with the tags of a namespace, which are the server's and more.
    pub fn enter(&mut self, active: &Arc<ActiveTags>) {
        if !Arc::ptr_eq(&self.active, active) {
            self.active = active.clone();
            for text in std::mem::take(&mut self.wanted) {
                self.force(&text);
            }
        }
    }

    /// Settles what a request carries, whatever it would draw: `name:value`, or `!name:value`. Returns whether that is a
    /// canary tag of this server; if it is not, it may be one of the namespace that is [entered](Self::enter).
    pub fn force(&mut self, text: &str) -> bool {
        let (label, is_carried) = text.strip_prefix('!').map_or((text, true), |label| (label, false));
        let Some((bit, _)) = self.active.canaries().find(|(_, canary)| **canary.label() == *label) else {
            self.wanted.push(text.into());
            return false;
        };
        self.known |= 1 << bit;
        self.carried = self.carried & !(1 << bit) | u64::from(is_carried) << bit;
        true
    }

    /// Which of these bits the request carries.
    pub fn carries(&mut self, bits: u64) -> u64 {
        let mut unknown = bits & !self.known;
        while unknown != 0 {
            let bit = unknown.trailing_zeros();
            unknown &= unknown - 1;
            let is_drawn =
                self.active.canary(bit).is_some_and(|canary| canary.is_drawn(self.key, self.instant));
            self.carried |= u64::from(is_drawn) << bit;
        }
        self.known |= bits;
        self.carried & bits
    }

    /// What the request carries of what something has asked for.
    pub fn carried(&self) -> u64 {
        self.carried
    }

    /// Whether a rule holds for the request.
    pub fn holds(&mut self, rule: &CanaryRule) -> bool {
        let carried = self.carries(rule.bits());
        rule.holds(carried)
    }

    /// The server's tags.
    pub fn active(&self) -> &Arc<ActiveTags> {
        &self.active
    }

    /// All canary tags that the request carries: `name:value`.
    pub fn labels(&mut self) -> Vec<Arc<str>> {
        let carried = self.carries(self.active.all_bits());
        let canaries = self.active.canaries().filter(|(bit, _)| carried & (1 << bit) != 0);
        canaries.map(|(_, canary)| canary.label().clone()).collect()
    }
}

/// All tags that the server carries for a request.
#[derive(Debug, Clone)]
pub struct CarriedTags {
    active: Arc<ActiveTags>,
    canaries: Option<Box<RequestTags>>,
}

impl CarriedTags {
    pub(crate) fn new(active: Arc<ActiveTags>, canaries: Option<Box<RequestTags>>) -> Self {
        Self { active, canaries }
    }

    /// The tags as texts: `edge`, `region:eu`, then the canary tags. What was not asked for yet is drawn.
    pub fn texts(&self) -> Vec<String> {
        let mut texts: Vec<String> = self.active.texts().collect();
        if let Some(canaries) = &self.canaries {
            // Drawing is the same each time.
            let mut canaries = canaries.clone();
            canaries.enter(&self.active);
            texts.extend(canaries.labels().iter().map(|label| label.to_string()));
        }
        texts
    }
}

/// Whether a resource applies to a request. A request without canary tags carries none.
pub(crate) fn holds(rule: Option<&CanaryRule>, tags: Option<&mut RequestTags>) -> bool {
    match (rule, tags) {
        (None, _) => true,
        (Some(rule), Some(tags)) => tags.holds(rule),
        (Some(rule), None) => rule.holds(0),
    }
}
