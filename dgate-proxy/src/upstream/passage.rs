//! What the layers on the way to an upstream tell one another.

use http::Extensions;

use super::ReturnSlot;
use crate::forwarding::LateHeaders;

/// What the layers on the way to an upstream tell one another about a request: one extension for all of it, as each of
/// them costs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Passage {
    /// Headers that are still to be written.
    pub(crate) late: Option<LateHeaders>,
    /// Where an attempt leaves the request's head.
    pub(super) slot: Option<ReturnSlot>,
}

impl Passage {
    /// The one of a request.
    pub(super) fn of(extensions: &mut Extensions) -> &mut Self {
        extensions.get_or_insert_default()
    }

    /// Takes the slot out: a head that lies in a slot must not hold it, or neither would ever be freed.
    pub(super) fn take_slot(extensions: &mut Extensions) -> Option<ReturnSlot> {
        extensions.get_mut::<Self>().and_then(|passage| passage.slot.take())
    }
}
