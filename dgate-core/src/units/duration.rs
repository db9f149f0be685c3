//! Durations: `"250ms"`, `"30s"`, `"1m30s"`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{UnitError, text_unit};

/// A duration written with units (`ms`, `s`, `m`, `h`, `d`): `"250ms"`, `"1m30s"`.
///
/// A bare number is refused: nobody can tell seconds from milliseconds.
///
/// ```
/// use dgate_core::units::HumanDuration;
/// let d: HumanDuration = "1m 30s".parse().unwrap();
/// assert_eq!(d.get(), std::time::Duration::from_secs(90));
/// assert_eq!(d.to_string(), "1m30s");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct HumanDuration(Duration);

impl HumanDuration {
    /// A whole number of milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// A whole number of seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(Duration::from_secs(secs))
    }

    /// The duration itself.
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl From<Duration> for HumanDuration {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl FromStr for HumanDuration {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        humantime::parse_duration(text).map(Self).map_err(|_| UnitError {
            text: text.to_owned(),
            expected: "a duration such as \"250ms\", \"30s\" or \"5m\"",
        })
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // humantime writes months and years, which nobody expects in a timeout.
        let mut left = self.0;
        if left.is_zero() {
            return f.write_str("0s");
        }
        for (unit, size) in [("h", 3600), ("m", 60), ("s", 1)] {
            let count = left.as_secs() / size;
            if count > 0 {
                write!(f, "{count}{unit}")?;
                left -= Duration::from_secs(count * size);
            }
        }
        for (unit, size) in [("ms", 1_000_000), ("us", 1_000), ("ns", 1)] {
            let count = left.subsec_nanos() / size;
            if count > 0 {
                write!(f, "{count}{unit}")?;
                left -= Duration::from_nanos(u64::from(count * size));
            }
        }
        Ok(())
    }
}

text_unit!(
    HumanDuration,
    "duration",
    "a duration with units, such as \"250ms\", \"30s\" or \"5m\"",
    r"^\s*(\d+\s*[a-zµ]+\s*)+$|^0$"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        for text in ["0s", "250ms", "30s", "1m30s", "5m", "2h", "26h", "1s500ms", "10us", "7ns"] {
            assert_eq!(text.parse::<HumanDuration>().unwrap().to_string(), text);
        }
        assert_eq!("90s".parse::<HumanDuration>().unwrap().to_string(), "1m30s");
    }

    #[test]
    fn a_bare_number_is_refused() {
        let error = "30".parse::<HumanDuration>().unwrap_err();
        assert!(error.to_string().contains("`30` is not a duration"), "{error}");
    }
}
