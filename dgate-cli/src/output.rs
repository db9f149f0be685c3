//! How results are written: data to standard output, everything else to standard error.

mod notes;
mod progress;
pub(crate) mod style;
mod table;

use std::fmt::Display;
use std::io::{self, Write};

use clap::ValueEnum;
use serde_json::Value;

pub(crate) use progress::with_progress;
pub(crate) use table::Table;

use crate::exit::Exit;
use crate::failure::Failure;

/// How results are written to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For people with wide terminals: more columns.
    Wide,
    /// For programs.
    Json,
    /// For files.
    Yaml,
    /// Identities only, one a line.
    Name,
}

/// Where results go, and how they are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// What was asked for.
    pub(crate) format: Option<Format>,
}

impl Output {
    pub(crate) const fn new(format: Option<Format>) -> Self {
        Self { format }
    }

    /// The format, where people get tables unless they say otherwise.
    pub(crate) fn format(self) -> Format {
        self.format.unwrap_or(Format::Table)
    }

    /// Whether the result is for people.
    pub(crate) fn is_for_people(self) -> bool {
        matches!(self.format(), Format::Table | Format::Wide)
    }

    /// Writes one value of several that follow each other: as a YAML document if asked for, else as a line of JSON.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn next_value(self, value: &Value) -> Result<(), Failure> {
        match self.format() {
            Format::Yaml => text(format!("---\n{}", yaml(value)?.trim_end())),
            _ => text(value),
        }
    }

    /// Writes a value: as YAML if asked for, else as JSON.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn value(self, value: &Value) -> Result<(), Failure> {
        match self.format() {
            Format::Yaml => text(yaml(value)?.trim_end()),
            _ => text(format!("{value:#}")),
        }
    }
}

/// Writes a text and the end of its line.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn text(what: impl Display) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    written(writeln!(stdout, "{what}").and_then(|()| stdout.flush()))
}

/// Writes bytes as they are.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    written(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

/// A value as YAML.
///
/// # Errors
/// When it cannot be written as YAML.
pub(crate) fn yaml(value: &Value) -> Result<String, Failure> {
    serde_saphyr::to_string(value)
        .map_err(|error| Failure::new(Exit::Failed, format!("this cannot be written as YAML: {error}")))
}

/// Who closes standard output early (`| head`) does not want to know more, and is told nothing.
fn written(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Failed, format!("standard output cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}
