//! Which file is read.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Where files are looked for when nobody says where.
const PLACES: [&str; 6] = [
    "config.dgate.yaml",
    "config.dgate.yml",
    "config.dgate.toml",
    "config.dgate.json",
    "dgate.yaml",
    "/etc/dgate/config.yaml",
];

/// Variables that may name the file; the second one is DGate 1's.
const VARIABLES: [&str; 2] = ["DGATE_CONFIG", "DG_CONFIG_PATH"];

/// Where the configuration comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundAt {
    /// The command line names it.
    Flag(PathBuf),
    /// A variable names it.
    Variable(&'static str, PathBuf),
    /// It lies where it is looked for.
    Place(PathBuf),
    /// Nowhere: there are only defaults.
    Defaults,
}

impl FoundAt {
    /// The file, if there is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Flag(path) | Self::Variable(_, path) | Self::Place(path) => Some(path),
            Self::Defaults => None,
        }
    }
}

/// Finds the file: the one that is named, else the first one that is there. A file that is named has to be there; that is
/// found out when it is read.
pub fn find(flag: Option<PathBuf>, variable: impl Fn(&str) -> Option<OsString>) -> FoundAt {
    if let Some(path) = flag {
        return FoundAt::Flag(path);
    }
    for name in VARIABLES {
        if let Some(path) = variable(name).filter(|path| !path.is_empty()) {
            return FoundAt::Variable(name, path.into());
        }
    }
    let there = PLACES.into_iter().map(PathBuf::from).find(|path| path.exists());
    there.map_or(FoundAt::Defaults, FoundAt::Place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_wins_over_variables() {
        let variable = |name: &str| (name == "DG_CONFIG_PATH").then(|| "/v".into());
        assert_eq!(find(Some("/f".into()), variable), FoundAt::Flag("/f".into()));
        assert_eq!(find(None, variable), FoundAt::Variable("DG_CONFIG_PATH", "/v".into()));
        let both = |name: &str| Some(name.into());
        assert_eq!(find(None, both), FoundAt::Variable("DGATE_CONFIG", "DGATE_CONFIG".into()));
        assert_eq!(find(None, |_| Some("".into())), FoundAt::Defaults, "an empty variable names nothing");
    }
}
