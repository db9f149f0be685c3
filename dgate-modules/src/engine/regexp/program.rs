//! Patterns as instructions.

use std::ops::Range;

use super::class::Class;
use super::node::{Node, One, Parsed};
use super::set::Set;

/// One instruction.
#[derive(Debug)]
pub(super) enum Op {
    /// A character.
    One(One),
    /// The character before.
    OneBehind(One),
    /// A text of a class, or a character of it; one that ends here if it is behind.
    Texts {
        class: usize,
        longest: usize,
        behind: bool,
    },
    /// Some characters of one kind.
    Many {
        one: One,
        least: u32,
        most: u32,
        greedy: bool,
    },
    /// Goes on here, or else there.
    Split(usize),
    Jump(usize),
    /// The register holds the place.
    Save(usize),
    /// The register is nought.
    Begin(usize),
    /// Decides whether a repetition goes on; its turns begin after this.
    Decide {
        turns: usize,
        least: u32,
        most: u32,
        greedy: bool,
        exit: usize,
    },
    /// A turn begins here, and knows nothing of the ones before.
    Turn {
        place: usize,
        forget: Range<usize>,
    },
    /// A turn ends.
    Again {
        turns: usize,
        place: usize,
        least: u32,
        decide: usize,
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
    /// What a group captured, once more.
    Back {
        groups: Vec<usize>,
        fold: bool,
        behind: bool,
    },
    /// What comes next up to a hit is only looked at.
    Look {
        negative: bool,
        exit: usize,
    },
    Hit,
}

/// A pattern as instructions.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) ops: Vec<Op>,
    pub(super) sets: Vec<Set>,
    pub(super) classes: Vec<Class>,
    pub(super) groups: usize,
    pub(super) registers: usize,
    pub(super) unicode: bool,
    /// What every match begins with, when that is one kind of character.
    pub(super) first: Option<One>,
    /// Whether a match can only be where the text begins.
    pub(super) anchored: bool,
}

impl Program {
    pub(super) fn new(parsed: Parsed) -> Self {
        let (first, anchored) = (parsed.node.first(), parsed.node.is_anchored());
        let mut writer = Writer { ops: Vec::new(), registers: parsed.groups * 2 };
        writer.write(&parsed.node, false);
        writer.ops.push(Op::Hit);
        Self {
            ops: writer.ops,
            groups: parsed.groups,
            registers: writer.registers,
            sets: parsed.sets,
            classes: parsed.classes,
            unicode: parsed.unicode,
            first,
            anchored,
        }
    }
}

struct Writer {
    ops: Vec<Op>,
    registers: usize,
}

impl Writer {
    fn register(&mut self) -> usize {
        self.registers += 1;
        self.registers - 1
    }

    fn write(&mut self, node: &Node, behind: bool) {
        match node {
            Node::One(one) => self.ops.push(if behind { Op::OneBehind(*one) } else { Op::One(*one) }),
            Node::Texts { class, longest } => {
                self.ops.push(Op::Texts { class: *class, longest: *longest, behind });
            }
            Node::Sequence(parts) if behind => parts.iter().rev().for_each(|part| self.write(part, behind)),
            Node::Sequence(parts) => parts.iter().for_each(|part| self.write(part, behind)),
            Node::Choice(parts) => self.choice(parts, behind),
            Node::Group(number, body) => {
                let (begin, end) = if behind { (1, 0) } else { (0, 1) };
                self.ops.push(Op::Save(number * 2 + begin));
                self.write(body, behind);
                self.ops.push(Op::Save(number * 2 + end));
            }
            Node::Repeat { least, most, greedy, body, groups } => match **body {
                Node::One(one) if !behind => {
                    self.ops.push(Op::Many { one, least: *least, most: *most, greedy: *greedy });
                }
                _ => self.repeat((*least, *most, *greedy), body, groups, behind),
            },
            Node::Look { behind, negative, body } => {
                let look = self.ops.len();
                self.ops.push(Op::Look { negative: *negative, exit: 0 });
                self.write(body, *behind);
                self.ops.push(Op::Hit);
                self.ops[look] = Op::Look { negative: *negative, exit: self.ops.len() };
            }
            Node::Start { multiline } => self.ops.push(Op::Start { multiline: *multiline }),
            Node::End { multiline } => self.ops.push(Op::End { multiline: *multiline }),
            Node::Boundary { negative, wide } => {
                self.ops.push(Op::Boundary { negative: *negative, wide: *wide });
            }
            Node::Back { groups, fold } => {
                self.ops.push(Op::Back { groups: groups.clone(), fold: *fold, behind });
            }
        }
    }

    fn choice(&mut self, parts: &[Node], behind: bool) {
        let mut jumps = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            let split = self.ops.len();
            let is_last = number + 1 == parts.len();
            if !is_last {
                self.ops.push(Op::Split(0));
            }
            self.write(part, behind);
            if !is_last {
                jumps.push(self.ops.len());
                self.ops.push(Op::Jump(0));
                self.ops[split] = Op::Split(self.ops.len());
            }
        }
        let end = self.ops.len();
        jumps.into_iter().for_each(|jump| self.ops[jump] = Op::Jump(end));
    }

    fn repeat(
        &mut self,
        (least, most, greedy): (u32, u32, bool),
        body: &Node,
        groups: &Range<usize>,
        behind: bool,
    ) {
        let (turns, place) = (self.register(), self.register());
        self.ops.push(Op::Begin(turns));
        let decide = self.ops.len();
        self.ops.push(Op::Decide { turns, least, most, greedy, exit: 0 });
        self.ops.push(Op::Turn { place, forget: groups.start * 2..groups.end * 2 });
        self.write(body, behind);
        self.ops.push(Op::Again { turns, place, least, decide });
        self.ops[decide] = Op::Decide { turns, least, most, greedy, exit: self.ops.len() };
    }
}
