//! Patterns as trees.

use std::ops::Range;

use super::class::Class;
use super::set::Set;
use super::text::is_line_end;

/// A part of a pattern.
#[derive(Debug)]
pub(super) enum Node {
    One(One),
    /// One of the texts of a class, or of its characters: the longest first, of at most so many characters.
    Texts {
        class: usize,
        longest: usize,
    },
    Sequence(Vec<Node>),
    Choice(Vec<Node>),
    Group(usize, Box<Node>),
    Repeat {
        least: u32,
        most: u32,
        greedy: bool,
        body: Box<Node>,
        groups: Range<usize>,
    },
    Look {
        behind: bool,
        negative: bool,
        body: Box<Node>,
    },
    Start {
        multiline: bool,
    },
    End {
        multiline: bool,
    },
    Boundary {
        negative: bool,
        wide: bool,
    },
    Back {
        groups: Vec<usize>,
        fold: bool,
    },
}

/// What a single character may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum One {
    Char(u32),
    All,
    AllInLine,
    /// One of the pattern's sets.
    Set(usize),
}

impl One {
    /// Whether a character is one of these.
    pub(super) fn is(self, char: u32, sets: &[Set]) -> bool {
        match self {
            Self::Char(expected) => char == expected,
            Self::All => true,
            Self::AllInLine => !is_line_end(char),
            Self::Set(set) => sets[set].has(char),
        }
    }
}

/// A pattern as a tree.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) node: Node,
    /// How many groups capture, the whole included.
    pub(super) groups: usize,
    pub(super) sets: Vec<Set>,
    pub(super) classes: Vec<Class>,
    pub(super) unicode: bool,
    /// The names of groups, by number; empty for those without.
    pub(super) names: Vec<Vec<u32>>,
}

impl Node {
    /// What it begins with, when that is one kind of character.
    pub(super) fn first(&self) -> Option<One> {
        match self {
            Self::One(one) => Some(*one),
            Self::Sequence(parts) => parts.first().and_then(Self::first),
            Self::Group(_, body) => body.first(),
            Self::Repeat { least, body, .. } if *least > 0 => body.first(),
            _ => None,
        }
    }

    /// Whether it can only be where the text begins.
    pub(super) fn is_anchored(&self) -> bool {
        match self {
            Self::Start { multiline } => !multiline,
            Self::Sequence(parts) => parts.first().is_some_and(Self::is_anchored),
            Self::Group(_, body) => body.is_anchored(),
            _ => false,
        }
    }

    /// Whether something in it is repeated that is not always the same length, goes back to what was captured, or is one of
    /// many texts.
    pub(super) fn is_nested(&self) -> bool {
        match self {
            Self::Sequence(parts) | Self::Choice(parts) => parts.iter().any(Self::is_nested),
            Self::Group(_, body) => body.is_nested(),
            Self::Repeat { body, .. } => !body.is_plain(),
            Self::Look { .. } | Self::Back { .. } | Self::Texts { .. } => true,
            _ => false,
        }
    }

    /// Whether there is one way to match it.
    fn is_plain(&self) -> bool {
        match self {
            Self::One(_) => true,
            Self::Sequence(parts) => !parts.is_empty() && parts.iter().all(Self::is_plain),
            Self::Group(_, body) => body.is_plain(),
            _ => false,
        }
    }

    /// How many parts it has.
    pub(super) fn size(&self) -> f64 {
        match self {
            Self::Sequence(parts) | Self::Choice(parts) => 1.0 + parts.iter().map(Self::size).sum::<f64>(),
            Self::Group(_, body) | Self::Repeat { body, .. } | Self::Look { body, .. } => 1.0 + body.size(),
            _ => 1.0,
        }
    }

    /// In how many ways it can go on from one place of a text of a length, at most.
    pub(super) fn ways(&self, length: f64) -> f64 {
        match self {
            Self::Sequence(parts) => parts.iter().map(|part| part.ways(length)).product(),
            Self::Choice(parts) => parts.iter().map(|part| part.ways(length)).sum(),
            Self::Group(_, body) | Self::Look { body, .. } => body.ways(length),
            Self::Repeat { least, most, body, .. } => {
                let (least, most) = (f64::from(*least), f64::from(*most));
                let turns = most.min(length).max(least);
                let (ends, ways) = (turns - least + 1.0, body.ways(length));
                if ways > 1.0 { ways.powf(turns) * ends } else { ends }
            }
            Self::Back { .. } => length.max(1.0),
            Self::Texts { longest, .. } => *longest as f64 + 1.0,
            _ => 1.0,
        }
    }
}
