//! Conditions with everything settled that does not depend on the request.

use smallvec::SmallVec;

use super::condition::Operator;
use super::{ActiveTags, Condition};

/// Whether a resource applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applies {
    /// To every request.
    Always,
    /// To no request.
    Never,
    /// To some requests.
    Sometimes(CanaryRule),
}

/// Which canary tags a request must carry. Each is a bit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CanaryRule {
    terms: SmallVec<[Term; 1]>,
    bits: u64,
}

/// A condition on some bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Term {
    operator: Operator,
    bits: u64,
}

impl CanaryRule {
    fn new(operator: Operator, bits: u64) -> Self {
        Self { terms: SmallVec::from_buf([Term { operator, bits }]), bits }
    }

    /// The bits it asks for.
    pub fn bits(&self) -> u64 {
        self.bits
    }

    /// Whether it holds for a request that carries these.
    pub fn holds(&self, carried: u64) -> bool {
        self.terms.iter().all(|term| {
            let had = carried & term.bits;
            match term.operator {
                Operator::All => had == term.bits,
                Operator::None => had == 0,
                Operator::Any => had != 0,
                Operator::One => had.is_power_of_two(),
            }
        })
    }

    /// Whether no request can satisfy both: one asks for what the other one forbids.
    pub(crate) fn excludes(&self, other: &Self) -> bool {
        let forbids = |one: &Self, other: &Self| {
            one.terms.iter().filter(|term| term.operator == Operator::None).any(|none| {
                other.terms.iter().any(|term| match term.operator {
                    Operator::All => term.bits & none.bits != 0,
                    Operator::Any | Operator::One => term.bits & !none.bits == 0,
                    Operator::None => false,
                })
            })
        };
        forbids(self, other) || forbids(other, self)
    }
}

impl Applies {
    /// Whether both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::Always, applies) | (applies, Self::Always) => applies,
            (Self::Sometimes(mut rule), Self::Sometimes(other)) => {
                rule.terms.extend(other.terms);
                rule.bits |= other.bits;
                Self::Sometimes(rule)
            }
        }
    }

    /// Whether there may be a request to which it applies, and what that has to carry.
    #[allow(clippy::option_option, reason = "nothing if it never applies, no rule if it always does")]
    pub(crate) fn rule(self) -> Option<Option<CanaryRule>> {
        match self {
            Self::Always => Some(None),
            Self::Never => None,
            Self::Sometimes(rule) => Some(Some(rule)),
        }
    }

    /// Whether there may be a request to which it applies.
    pub fn is_possible(&self) -> bool {
        *self != Self::Never
    }

    fn certain(holds: bool) -> Self {
        if holds { Self::Always } else { Self::Never }
    }
}

impl Condition {
    /// Whether it holds, as far as that does not depend on the request.
    pub fn on(&self, tags: &ActiveTags) -> Applies {
        let Some(carried) = tags.named(&self.name) else {
            return Applies::certain(self.operator == Operator::None);
        };
        // The name alone stands for all that the server has of it.
        let (had, bits, missing) = if self.values.is_empty() {
            (u32::from(carried.is_carried()), carried.all_bits(), 0)
        } else {
            self.values.iter().fold((0, 0_u64, 0), |(had, bits, missing), value| {
                if carried.has(value) {
                    (had + 1, bits, missing)
                } else if let Some(bit) = carried.bit(value) {
                    (had, bits | 1 << bit, missing)
                } else {
                    (had, bits, missing + 1)
                }
            })
        };
        let asks = |operator| Applies::Sometimes(CanaryRule::new(operator, bits));
        match self.operator {
            Operator::All if self.values.is_empty() => match (had, bits) {
                (0, 0) => Applies::Never,
                (0, _) => asks(Operator::Any),
                _ => Applies::Always,
            },
            Operator::All if missing > 0 => Applies::Never,
            Operator::All if bits == 0 => Applies::Always,
            Operator::All => asks(Operator::All),
            Operator::None if had > 0 => Applies::Never,
            Operator::None if bits == 0 => Applies::Always,
            Operator::None => asks(Operator::None),
            Operator::Any if had > 0 => Applies::Always,
            Operator::Any if bits == 0 => Applies::Never,
            Operator::Any => asks(Operator::Any),
            Operator::One if had > 1 => Applies::Never,
            Operator::One if bits == 0 => Applies::certain(had == 1),
            Operator::One if had == 1 => asks(Operator::None),
            Operator::One => asks(Operator::One),
        }
    }
}
