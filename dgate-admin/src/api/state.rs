//! What all requests share.

use std::sync::Arc;

use dgate_core::publish::Published;
use dgate_core::stored::StoredAny;
use dgate_core::{Key, Kind};
use serde_json::Value;

use super::Context;
use super::failure::Failure;
use crate::auth::Auth;

/// What all requests share.
pub(crate) struct State {
    pub(crate) context: Context,
    pub(crate) auth: Auth,
    /// The OpenAPI document, as text.
    pub(crate) openapi: String,
}

impl State {
    /// What is live.
    pub(crate) fn live(&self) -> Arc<Published> {
        self.context.applier.live().load()
    }

    /// A resource or a document.
    pub(crate) async fn find(&self, key: &Key) -> Result<Option<StoredAny>, Failure> {
        if key.kind == Kind::Document {
            return Ok(self.context.store.document(key).await?.map(|document| document.erase()));
        }
        Ok(self.live().resources.get(key))
    }

    /// What may be shown of a resource: without secrets, and with what the store knows about it.
    pub(crate) fn show(&self, stored: &StoredAny) -> Value {
        let mut shown = self.show_spec(stored);
        if let (Value::Object(shown), Ok(Value::Object(meta))) =
            (&mut shown, serde_json::to_value(&stored.meta))
        {
            shown.extend(meta);
        }
        shown
    }

    /// The same without what the store knows about it.
    pub(crate) fn show_spec(&self, stored: &StoredAny) -> Value {
        stored.spec.public(&|secret| self.context.fingerprints.of(secret))
    }
}
