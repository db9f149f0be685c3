//! `protocol`: a wire format for TCP connections.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{default_namespace, is_default, named_resource};

/// A wire format for TCP connections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// The name, unique in its namespace.
    pub name: String,
    /// The namespace it belongs to.
    #[serde(default = "default_namespace")]
    pub namespace: String,
    /// The author's version of the definition.
    #[serde(default, skip_serializing_if = "is_default")]
    pub version: String,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "is_default")]
    pub description: String,
    /// Modules whose connection hooks run.
    #[serde(default, skip_serializing_if = "is_default")]
    pub modules: Vec<String>,
    /// How a frame is delimited; derived from the fields when absent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub framing: Option<Framing>,
    /// The fields of a frame, in order.
    #[serde(default, skip_serializing_if = "is_default")]
    pub format_definitions: Vec<Field>,
    /// Fields per direction (`client`, `server`), when the directions differ.
    #[serde(default, skip_serializing_if = "is_default")]
    pub messages: BTreeMap<String, Vec<Field>>,
    /// The field by which answers find their request.
    #[serde(default, skip_serializing_if = "is_default")]
    pub request_key: Option<String>,
    /// Labels and conditions.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tags: Vec<String>,
}

named_resource!(Protocol);

/// How a frame is delimited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Framing {
    /// By which means.
    pub kind: FramingKind,
    /// `length`: where the length stands, in bytes from the start.
    #[serde(default, skip_serializing_if = "is_default")]
    pub offset: Option<u32>,
    /// `length`: how many bytes it has; `fixed`: how long a frame is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub size: Option<u32>,
    /// `length`: the byte order.
    #[serde(default, skip_serializing_if = "is_default")]
    pub endian: Endian,
    /// `length`: what has to be added to it to get the length of the whole frame.
    #[serde(default, skip_serializing_if = "is_default")]
    pub adjust: i32,
    /// `delimiter`: the bytes that end a frame, hexadecimal.
    #[serde(default, skip_serializing_if = "is_default")]
    pub bytes: Option<String>,
}

impl Framing {
    /// Framing of a kind, with nothing else said.
    pub const fn of(kind: FramingKind) -> Self {
        Self { kind, offset: None, size: None, endian: Endian::Big, adjust: 0, bytes: None }
    }
}

/// The means by which a frame is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FramingKind {
    /// A length at a fixed place.
    Length,
    /// Bytes that end a frame.
    Delimiter,
    /// All frames are equally long.
    Fixed,
    /// A variable-length integer in front.
    Varint,
}

/// Byte order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Endian {
    /// Most significant byte first.
    #[default]
    Big,
    /// Least significant byte first.
    Little,
}

/// One field of a frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The name, unique among its siblings.
    pub name: String,
    /// `uint8`…`uint64`, `int8`…`int64`, `float32`, `float64`, `bool`, `bits:N`, `varint`, `zigzag`, `bytes`, `string`,
    /// `cstring`, `ipv4`, `ipv6`, `uuid`, `struct`, `array`, `switch`, `padding`, `checksum`, `computed`.
    #[serde(rename = "type")]
    pub field_type: String,
    /// The byte order.
    #[serde(default, skip_serializing_if = "is_default")]
    pub endian: Endian,
    /// How many bytes: a number or an expression such as `variable.data_len.length`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub length: Option<Length>,
    /// The bytes that end it, hexadecimal.
    #[serde(default, skip_serializing_if = "is_default")]
    pub until: Option<String>,
    /// `array`: how many items, a number or an expression, or `until`/`eos`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub repeat: Option<Length>,
    /// The field is there only when this expression is not zero.
    #[serde(default, rename = "if", skip_serializing_if = "is_default")]
    pub condition: Option<String>,
    /// `switch`: fields by the value of an earlier field.
    #[serde(default, skip_serializing_if = "is_default")]
    pub switch: Option<Value>,
    /// `struct` and `array`: the fields inside.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fields: Vec<Field>,
    /// Names for integer values.
    #[serde(default, rename = "enum", skip_serializing_if = "is_default")]
    pub names: Option<Value>,
    /// The only value it may have.
    #[serde(default, rename = "const", skip_serializing_if = "is_default")]
    pub constant: Option<Value>,
    /// Which values it may have.
    #[serde(default, skip_serializing_if = "is_default")]
    pub valid: Option<Value>,
    /// The largest length or value.
    #[serde(default, skip_serializing_if = "is_default")]
    pub max: Option<u64>,
    /// The value when encoding finds none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub default: Option<Value>,
    /// Never show it in logs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sensitive: bool,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "is_default")]
    pub doc: String,
}

/// A number, or an expression over earlier fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Length {
    /// So many.
    Number(u64),
    /// As many as the expression says.
    Expression(String),
}
