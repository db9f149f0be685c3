//! Sizes: `"64KiB"`, `"10MiB"`.

use std::fmt;
use std::str::FromStr;

use super::{UnitError, text_unit};

const UNITS: [(&str, u64); 9] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("kB", 1_000),
    ("k", 1_000),
    ("B", 1),
];

/// A number of bytes written with a unit: `"64KiB"`, `"10MiB"`, `"1GB"`, `"512B"`.
///
/// ```
/// use dgate_core::units::ByteSize;
/// assert_eq!("10MiB".parse::<ByteSize>().unwrap().bytes(), 10 * 1024 * 1024);
/// assert_eq!(ByteSize::new(65_536).to_string(), "64KiB");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteSize(u64);

impl ByteSize {
    /// So many bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The size in bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// The size in bytes, as large as the platform can address.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl FromStr for ByteSize {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let text = text.trim();
            let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
            let (_, size) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
            digits.parse::<u64>().ok()?.checked_mul(*size)
        };
        let zero = || (text.trim() == "0").then_some(0);
        parse().or_else(zero).map(Self).ok_or_else(|| UnitError {
            text: text.to_owned(),
            expected: "a size such as \"64KiB\" or \"10MiB\"",
        })
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) = UNITS
            .iter()
            .find(|(_, size)| self.0 >= *size && self.0.is_multiple_of(*size))
            .unwrap_or(&("B", 1));
        write!(f, "{}{unit}", self.0 / size)
    }
}

text_unit!(
    ByteSize,
    "size",
    "a size with a unit, such as \"64KiB\" or \"10MiB\"",
    r"^\s*\d+\s*(GiB|MiB|KiB|GB|MB|KB|kB|k|B)\s*$|^0$"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        for text in ["0B", "512B", "64KiB", "10MiB", "3GiB", "1GB", "1500B"] {
            assert_eq!(text.parse::<ByteSize>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "10", "MiB", "-1KiB", "10 XB", "99999999999GiB", "1.5MiB"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }
}
