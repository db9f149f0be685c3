//! `Math`.

/// A function of `Math`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MathFunction {
    Abs,
    Ceil,
    Floor,
    Max,
    Min,
    Random,
    Round,
    Trunc,
}

impl MathFunction {
    /// The function of this name, if it can be called here with so many arguments.
    pub(crate) fn named(name: &str, arguments: usize) -> Option<Self> {
        Some(match (name, arguments) {
            ("abs", 1) => Self::Abs,
            ("ceil", 1) => Self::Ceil,
            ("floor", 1) => Self::Floor,
            ("max", _) => Self::Max,
            ("min", _) => Self::Min,
            ("random", 0) => Self::Random,
            ("round", 1) => Self::Round,
            ("trunc", 1) => Self::Trunc,
            _ => return None,
        })
    }

    /// Its value.
    pub(crate) fn of(self, numbers: &[f64]) -> f64 {
        let number = numbers.first().copied().unwrap_or(f64::NAN);
        match self {
            Self::Abs => number.abs(),
            Self::Ceil => number.ceil(),
            Self::Floor => number.floor(),
            Self::Max => numbers.iter().copied().fold(f64::NEG_INFINITY, larger),
            Self::Min => numbers.iter().copied().fold(f64::INFINITY, |least, next| -larger(-least, -next)),
            Self::Random => fraction(),
            Self::Round => round(number),
            Self::Trunc => number.trunc(),
        }
    }
}

/// The larger one. What is no number wins, and 0 is more than -0.
fn larger(one: f64, other: f64) -> f64 {
    if one.is_nan() || other.is_nan() {
        return f64::NAN;
    }
    if one.total_cmp(&other).is_lt() { other } else { one }
}

/// To the nearest whole number; of two the larger one.
fn round(number: f64) -> f64 {
    let below = number.floor();
    let whole = if number - below >= 0.5 { below + 1.0 } else { below };
    whole.copysign(number)
}

/// A number from 0 to less than 1, at random.
fn fraction() -> f64 {
    const BITS: u32 = f64::MANTISSA_DIGITS;
    let mut bytes = [0; 8];
    crate::random::fill(&mut bytes);
    (u64::from_le_bytes(bytes) >> (u64::BITS - BITS)) as f64 / (1_u64 << BITS) as f64
}
