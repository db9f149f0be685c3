//! What people write into files: YAML, TOML or JSON, with references to variables, and where in it something stands.
//!
//! The configuration of a server and the files of `dgate-cli apply` are read alike.
//!
//! ```
//! use dgate_core::text::{Format, Spans};
//! let text = "routes:\n- name: hello\n  paths: [/hello]\n";
//! let value = Format::Yaml.parse(text).unwrap();
//! assert_eq!(value["routes"][0]["name"], "hello");
//! let place = Spans::of(text, Format::Yaml).value("/routes/0/paths/0").unwrap();
//! assert_eq!((place.line, place.column), (3, 11));
//! ```

mod format;
mod interpolate;
mod node;
mod position;
mod spans;

pub use format::{Format, SyntaxError};
pub use interpolate::{Interpolated, Sources, coerce, escape_references, interpolate};
pub use position::Position;
pub use spans::Spans;
