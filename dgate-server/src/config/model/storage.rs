//! `storage`.

use std::fmt;

use dgate_core::units::{ByteSize, HumanDuration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where resources and documents are kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// By which means.
    #[serde(rename = "type")]
    pub kind: StorageType,
    /// With `file`: the directory. Each server needs its own.
    pub dir: String,
    /// With `file`: the key that protects secrets, 32 random bytes in base64 or hexadecimal. Without it and
    /// `encryption_key_file`, there is one in the directory, made at the first start.
    #[schemars(extend("writeOnly" = true))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_key: Option<String>,
    /// With `file`: a file with that key, for its owner only; made when it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_key_file: Option<String>,
    /// With `file`: how much of the changelog is kept.
    pub changelog: Changelog,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            kind: StorageType::default(),
            dir: ".dgate/data".to_owned(),
            encryption_key: None,
            encryption_key_file: None,
            changelog: Changelog::default(),
        }
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Storage").field("kind", &self.kind).field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// How much of the changelog is kept: whatever is older, or more, is forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Changelog {
    /// How long.
    pub max_age: HumanDuration,
    /// How much.
    pub max_size: ByteSize,
}

impl Default for Changelog {
    fn default() -> Self {
        Self { max_age: HumanDuration::from_secs(90 * 24 * 60 * 60), max_size: ByteSize::new(64 << 20) }
    }
}

/// The means by which resources and documents are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StorageType {
    /// In a file: nothing that was acknowledged is lost.
    #[default]
    File,
    /// In memory: the configuration file is all there is after a restart.
    Memory,
}

impl StorageType {
    /// The name as it stands in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Memory => "memory",
        }
    }
}
