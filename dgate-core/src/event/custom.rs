//! Events that modules emit.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::Event;
use crate::context::RequestId;

/// An event that a module emitted.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CustomEvent {
    /// Its own identifier, a UUID that sorts by time.
    pub id: String,
    /// When it was emitted.
    pub time: Timestamp,
    /// The namespace of the module.
    pub namespace: Arc<str>,
    /// The module that emitted it.
    pub source: Arc<str>,
    /// Its name, such as `order.paid`.
    pub name: String,
    /// What it says.
    pub data: Value,
    /// How many events led to it, itself included.
    pub depth: u8,
}

/// Why an event is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CustomEventError {
    /// The name has something in it that names have not.
    #[error(
        "`{0}` is no name of an event: write letters, digits, `.`, `_` and `-`, 128 at most, a letter first"
    )]
    BadName(String),
    /// The gateway has events of this name.
    #[error("events called `{0}` are the gateway's own")]
    Reserved(String),
    /// It says too much.
    #[error("an event has at most {} KiB of data, not {} KiB", CustomEvent::LARGEST >> 10, .0.div_ceil(1024))]
    TooLarge(usize),
    /// One event led to another too often.
    #[error(
        "`{0}` would be the event of an event of an event of an event: most likely they go round in circles"
    )]
    TooDeep(String),
}

impl CustomEvent {
    /// The largest depth: what an event leads to is one deeper.
    pub const DEEPEST: u8 = 3;
    /// Most data, in bytes of JSON.
    pub const LARGEST: usize = 64 << 10;

    /// An event that no other event led to.
    ///
    /// ```
    /// use dgate_core::event::{CustomEvent, Event};
    /// let paid = CustomEvent::new("shop".into(), "checkout".into(), "order.paid", 7.into())?;
    /// let cause = Event::Custom(paid);
    /// let shipped = CustomEvent::new("shop".into(), "stock".into(), "order.shipped", 7.into())?.because_of(&cause)?;
    /// assert_eq!(shipped.depth, 2);
    /// assert!(CustomEvent::new("shop".into(), "x".into(), "resource.route.create", 7.into()).is_err());
    /// # Ok::<(), dgate_core::event::CustomEventError>(())
    /// ```
    ///
    /// # Errors
    /// When the name is none, or the gateway's own, or there is too much data.
    pub fn new(
        namespace: Arc<str>,
        source: Arc<str>,
        name: &str,
        data: Value,
    ) -> Result<Self, CustomEventError> {
        let fits = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-');
        if name.len() > 128
            || !name.starts_with(|char: char| char.is_ascii_alphabetic())
            || !name.chars().all(fits)
        {
            return Err(CustomEventError::BadName(name.to_owned()));
        }
        let first = name.split('.').next().unwrap_or(name);
        if matches!(first, "resource" | "config" | "upstream") || matches!(name, "request" | "fetch") {
            return Err(CustomEventError::Reserved(name.to_owned()));
        }
        let size = serde_json::to_string(&data).map_or(0, |text| text.len());
        if size > Self::LARGEST {
            return Err(CustomEventError::TooLarge(size));
        }
        Ok(Self {
            id: RequestId::generate().to_string(),
            time: Timestamp::now(),
            namespace,
            source,
            name: name.to_owned(),
            data,
            depth: 1,
        })
    }

    /// The same as what another event led to.
    ///
    /// # Errors
    /// When it would be deeper than [`CustomEvent::DEEPEST`].
    pub fn because_of(mut self, cause: &Event) -> Result<Self, CustomEventError> {
        self.depth = cause.depth() + 1;
        if self.depth > Self::DEEPEST { Err(CustomEventError::TooDeep(self.name)) } else { Ok(self) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str) -> Result<CustomEvent, CustomEventError> {
        CustomEvent::new("n".into(), "m".into(), name, Value::Null)
    }

    #[test]
    fn names_have_rules() {
        for name in ["a", "order.paid", "Order-Paid_2", "resources.x", "requests", "fetch.done"] {
            assert_eq!(event(name).unwrap().name, name);
        }
        for name in ["", ".a", "1a", "a b", "a/b", "ä", &"a".repeat(129)] {
            assert_eq!(event(name), Err(CustomEventError::BadName(name.to_owned())));
        }
        for name in ["request", "fetch", "config.applied", "resource.route.create", "upstream.up"] {
            assert_eq!(event(name), Err(CustomEventError::Reserved(name.to_owned())));
        }
    }

    #[test]
    fn events_do_not_go_round_in_circles() {
        let mut cause = Event::ConfigApplied { revision: 1 };
        for depth in 1..=3 {
            let next = event("next").unwrap().because_of(&cause).unwrap();
            assert_eq!(next.depth, depth);
            cause = Event::Custom(next);
        }
        let refused = event("next").unwrap().because_of(&cause);
        assert_eq!(refused, Err(CustomEventError::TooDeep("next".to_owned())));
    }

    #[test]
    fn data_is_bounded() {
        let text = Value::String("x".repeat(CustomEvent::LARGEST));
        let error = CustomEvent::new("n".into(), "m".into(), "large", text).unwrap_err();
        assert_eq!(error.to_string(), "an event has at most 64 KiB of data, not 65 KiB");
    }
}
