//! `apply`, `sync`, `diff`, `validate`: files that say what shall be there.

mod apply;
mod check;
#[cfg(test)]
mod count;
mod diff;
mod send;
mod source;
mod text;
mod validate;

pub(crate) use apply::{Apply, Sync};
pub(crate) use diff::Diff;
pub(crate) use validate::Validate;

use std::path::PathBuf;

use clap::Args;

/// Where it is written what shall be there.
#[derive(Debug, Args)]
pub(crate) struct Sources {
    /// A file, a folder (all YAML, JSON and TOML files in it), or `-` for standard input. May be given several times.
    /// `${VAR}`, `${VAR:-default}`, `${VAR:?message}` and `${file:PATH}` in values are replaced; `$$` is a dollar sign.
    #[arg(short, long = "file", value_name = "FILE|DIR|-", required = true)]
    files: Vec<PathBuf>,
}
