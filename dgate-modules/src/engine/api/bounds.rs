//! How large something may be that a built-in makes or walks through.

use boa_engine::{Context, JsResult, JsValue};

use crate::engine::host::Host;
use crate::engine::limits::refused;
use crate::failure::LimitKind;

/// How large something may be, and which limit says so.
#[derive(Clone, Copy)]
pub(super) struct Most {
    pub(super) size: f64,
    pub(super) limit: LimitKind,
}

impl Most {
    /// Characters of a text.
    pub(super) fn text(host: &Host) -> Self {
        Self { size: host.longest_text(), limit: LimitKind::String }
    }

    /// Elements of a list.
    pub(super) fn list(host: &Host) -> Self {
        Self { size: host.longest_list(), limit: LimitKind::List }
    }

    /// # Errors
    /// When something is larger.
    pub(super) fn bounds(self, size: f64, context: &Context) -> JsResult<()> {
        if size > self.size {
            let message = format!("larger than modules may have it ({})", self.size);
            return Err(refused(self.limit, message, context));
        }
        Ok(())
    }
}

/// The characters of a text; other values have none.
pub(super) fn text_length(value: &JsValue) -> f64 {
    value.as_string().map_or(0.0, |text| text.len() as f64)
}
