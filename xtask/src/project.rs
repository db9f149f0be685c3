//! The workspace that is worked on.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand, Package};

/// The workspace that is worked on, as Cargo describes it.
#[derive(Debug)]
pub(crate) struct Project {
    metadata: Metadata,
    /// Whether missing tools may be installed.
    pub(crate) install: bool,
}

impl Project {
    pub(crate) fn load(install: bool) -> Result<Self> {
        let metadata = MetadataCommand::new().no_deps().exec().context("cargo metadata")?;
        Ok(Self { metadata, install })
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.metadata.workspace_root.clone().into_std_path_buf()
    }

    /// Where Cargo puts what it builds.
    pub(crate) fn target(&self) -> PathBuf {
        self.metadata.target_directory.clone().into_std_path_buf()
    }

    /// Our crates, by name.
    pub(crate) fn members(&self) -> Vec<&Package> {
        let mut members = self.metadata.workspace_packages();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        members
    }

    /// `cargo` at the root, with a line of arguments; those that may contain spaces are added by the caller.
    pub(crate) fn cargo(&self, arguments: &str) -> Command {
        let mut command = Command::new("cargo");
        command.args(arguments.split_whitespace()).current_dir(self.root());
        command
    }

    /// What is below the root's file `path`.
    pub(crate) fn read(&self, path: &str) -> Result<String> {
        std::fs::read_to_string(self.root().join(path)).with_context(|| path.to_owned())
    }
}
