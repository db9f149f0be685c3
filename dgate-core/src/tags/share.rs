//! For which share of the requests a server carries a canary tag.

use std::fmt;

use jiff::Timestamp;

use super::TagError;
use crate::units::Percent;

/// For which share of the requests a server carries a canary tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Always the same.
    Fixed(Percent),
    /// Another one at each instant.
    Ramp(Ramp),
}

/// A share that goes from one percentage to another one over a window, and stays there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ramp {
    /// When it begins.
    pub begins: Timestamp,
    /// When it has got there.
    pub ends: Timestamp,
    /// The share at its beginning.
    pub from: Percent,
    /// The share at its end, and from then on.
    pub to: Percent,
}

impl Ramp {
    /// How many of all 64-bit numbers are below the share at an instant, exact to a microsecond.
    pub(super) fn threshold(&self, instant: Timestamp) -> u128 {
        let micros = |instant: Timestamp| i128::from(instant.as_microsecond());
        let length = (micros(self.ends) - micros(self.begins)).max(1);
        let gone = (micros(instant) - micros(self.begins)).clamp(0, length);
        let (from, to) = (self.from.of_all_numbers().cast_signed(), self.to.of_all_numbers().cast_signed());
        (from + (to - from) * gone / length) as u128
    }
}

impl Share {
    /// How many of all 64-bit numbers are below the share at an instant.
    pub(super) fn threshold(&self, instant: Timestamp) -> u128 {
        match self {
            Self::Fixed(percent) => percent.of_all_numbers(),
            Self::Ramp(ramp) => ramp.threshold(instant),
        }
    }
}

/// Reads `1%`, or `1%..50%` for a ramp.
pub(super) fn percents(tag: &str, text: &str) -> Result<(Percent, Option<Percent>), TagError> {
    match text.split_once("..") {
        None => Ok((percent(tag, text)?, None)),
        Some((from, to)) => Ok((percent(tag, from)?, Some(percent(tag, to)?))),
    }
}

fn percent(tag: &str, text: &str) -> Result<Percent, TagError> {
    let is_tight = !text.contains(char::is_whitespace);
    text.parse().ok().filter(|_| is_tight).ok_or_else(|| {
        let reason = format!("`{text}` is no share: write `0%` to `100%`, with at most six decimals");
        TagError::at(tag, text, reason)
    })
}

/// A share as a person reads it: `1%`, `13.25%`.
pub(super) struct Threshold(pub(super) u128);

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Millionths of a percent, as they are written.
        let millionths = (self.0 * 100_000_000 + (1 << 63)) >> 64;
        let (whole, fraction) = (millionths / 1_000_000, millionths % 1_000_000);
        if fraction == 0 {
            return write!(f, "{whole}%");
        }
        let digits = format!("{fraction:06}");
        write!(f, "{whole}.{}%", digits.trim_end_matches('0'))
    }
}
