//! Quantities as people write them: `"30s"`, `"10MiB"`, `"20%"`.

mod byte_size;
mod duration;
mod network;
mod percent;

pub use byte_size::ByteSize;
pub use duration::HumanDuration;
pub use network::{Address, Network};
pub use percent::Percent;

/// The text is no quantity of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct UnitError {
    text: String,
    expected: &'static str,
}

/// Serialises as the canonical text, deserialises from any accepted text, and appears as a string in schemas.
macro_rules! text_unit {
    ($unit:ty, $name:literal, $expected:literal, $pattern:literal) => {
        impl serde::Serialize for $unit {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $unit {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $unit {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "description": $expected,
                    "pattern": $pattern,
                    "x-dgate-unit": $name,
                })
            }
        }

        impl std::fmt::Debug for $unit {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    };
}
use text_unit;
