//! The compiler's complaints as faults with places in the written source.

use oxc::diagnostics::Diagnostics;

use super::positions::{Inserted, place};
use super::{Fault, Place};

/// `inserted` says what was put into the text that the complaints are about.
pub(super) fn faults(diagnostics: Diagnostics, source: &str, inserted: Option<&Inserted>) -> Vec<Fault> {
    diagnostics
        .into_iter()
        .map(|diagnostic| {
            // Of something declared twice, the second declaration is the fault.
            let labels = &diagnostic.labels;
            let label = if diagnostic.message.ends_with("already been declared") {
                labels.last()
            } else {
                labels.first()
            };
            let offset = label.map_or(0, |label| label.offset());
            let offset = offset as usize;
            let offset = inserted.map_or(offset, |inserted| inserted.original(offset));
            Fault {
                place: place(source, offset),
                message: diagnostic.message.to_string(),
                help: diagnostic.help.as_ref().map(ToString::to_string),
            }
        })
        .collect()
}

impl Fault {
    pub(super) fn at(source: &str, offset: usize, message: impl Into<String>) -> Self {
        Self { place: place(source, offset), message: message.into(), help: None }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
