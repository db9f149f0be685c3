//! The few styles there are. They are removed where standard output or error is no terminal, and with `NO_COLOR`.

use anstyle::{AnsiColor, Style};

/// The word `error:`.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// The word `warning:`.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// The word `help:`.
pub(crate) const HELP: Style = AnsiColor::Cyan.on_default();
/// Where something is.
pub(crate) const PLACE: Style = Style::new().bold();
/// The head of a table.
pub(crate) const HEAD: Style = Style::new().bold();
/// Something is there that was not.
pub(crate) const ADDED: Style = AnsiColor::Green.on_default();
/// Something is gone.
pub(crate) const REMOVED: Style = AnsiColor::Red.on_default();
/// Something is another than before.
pub(crate) const CHANGED: Style = AnsiColor::Yellow.on_default();
