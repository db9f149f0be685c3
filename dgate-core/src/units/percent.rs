//! Percentages as exact decimals: `"20%"`, `"0.01%"`.

use std::fmt;
use std::str::FromStr;

use super::{UnitError, text_unit};

/// Millionths of a percent that make the whole.
const WHOLE: u32 = 100_000_000;

/// A share between 0 % and 100 %, exact to six decimals: `"20%"`, `"0.01%"`.
///
/// ```
/// use dgate_core::units::Percent;
/// let p: Percent = "0.01%".parse().unwrap();
/// assert_eq!(p.ratio(), 0.0001);
/// assert_eq!(p.to_string(), "0.01%");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Percent {
    /// Millionths of a percent, at most [`WHOLE`].
    millionths: u32,
}

impl Percent {
    /// A whole number of percent; more than 100 counts as 100.
    pub const fn whole(percent: u32) -> Self {
        Self { millionths: if percent >= 100 { WHOLE } else { percent * 1_000_000 } }
    }

    /// The share as a number between 0 and 1.
    pub fn ratio(self) -> f64 {
        f64::from(self.millionths) / f64::from(WHOLE)
    }

    /// The share as a threshold for a uniformly distributed 64-bit number: `x < threshold` holds for this share
    /// of all `x`. `None` stands for 100 %, which no 64-bit number can express.
    pub fn threshold(self) -> Option<u64> {
        u64::try_from(self.of_all_numbers()).ok()
    }

    /// How many of all 64-bit numbers make the share, rounded down.
    pub(crate) fn of_all_numbers(self) -> u128 {
        u128::from(self.millionths) * (1 << 64) / u128::from(WHOLE)
    }

    /// Whether the share is 0 %.
    pub const fn is_zero(self) -> bool {
        self.millionths == 0
    }
}

impl FromStr for Percent {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let number = text.trim().strip_suffix('%')?.trim_end();
            let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
            let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            if !digits(whole) || !digits(fraction) || fraction.len() > 6 {
                return None;
            }
            let scale = 10u32.pow(6 - fraction.len() as u32);
            let millionths = whole
                .parse::<u32>()
                .ok()?
                .checked_mul(1_000_000)?
                .checked_add(fraction.parse::<u32>().ok()? * scale)?;
            (millionths <= WHOLE).then_some(Self { millionths })
        };
        parse().ok_or_else(|| UnitError {
            text: text.to_owned(),
            expected: "a percentage from \"0%\" to \"100%\" with at most six decimals",
        })
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.millionths / 1_000_000, self.millionths % 1_000_000);
        if fraction == 0 {
            return write!(f, "{whole}%");
        }
        let digits = format!("{fraction:06}");
        write!(f, "{whole}.{}%", digits.trim_end_matches('0'))
    }
}

text_unit!(
    Percent,
    "percent",
    "a percentage such as \"20%\" or \"0.01%\"",
    r"^\s*\d{1,3}(\.\d{1,6})?\s*%\s*$"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        for text in ["0%", "0.000001%", "0.01%", "1%", "12.5%", "100%"] {
            assert_eq!(text.parse::<Percent>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "%", "20", "101%", "100.000001%", "-1%", "0.0000001%", "1.%", ".5%", "5e1%"] {
            assert!(text.parse::<Percent>().is_err(), "{text}");
        }
    }

    #[test]
    fn thresholds_are_monotone_and_exact() {
        assert_eq!(Percent::whole(0).threshold(), Some(0));
        assert_eq!(Percent::whole(50).threshold(), Some(1 << 63));
        assert_eq!(Percent::whole(100).threshold(), None);
        assert!(
            "0.01%".parse::<Percent>().unwrap().threshold()
                < "0.011%".parse::<Percent>().unwrap().threshold()
        );
    }
}
