//! Goes through instructions, and back where there was a choice.

mod take;

use super::Halt;
use super::node::One;
use super::program::{Op, Program};
use super::text::{Text, is_line_end};

/// How many steps are taken between two looks at the clock.
const STEPS_PER_LOOK: u32 = 4_096;
/// How many characters of one kind are one step.
const CHARS_PER_STEP: u32 = 8;
/// How much there may be to go back to: some 100 MB.
const DEEPEST: usize = 1 << 22;
/// What is in a register that holds nothing.
const NOTHING: usize = usize::MAX;

/// Something to go back to.
enum Back {
    /// Goes on elsewhere.
    Branch { op: usize, at: usize },
    /// A register held something else.
    Register { register: usize, before: usize },
    /// One character less.
    Less { op: usize, least_at: usize, at: usize },
    /// One character more.
    More { op: usize, at: usize, left: u32 },
}

struct Run<'p, 't, T, E> {
    program: &'p Program,
    text: Text<'t, T>,
    registers: Vec<usize>,
    back: Vec<Back>,
    steps: u32,
    look: &'p mut dyn FnMut() -> Result<(), E>,
    /// Where the last hit was.
    hit_at: usize,
}

/// What each group captured, the whole first.
pub(in crate::engine) type Captures = Vec<Option<(usize, usize)>>;

/// Looks for a match from a place on, or only there.
pub(super) fn find<T: Copy + Into<u32>, E>(
    program: &Program,
    units: &[T],
    from: usize,
    only_there: bool,
    look: &mut dyn FnMut() -> Result<(), E>,
) -> Result<Option<Captures>, Halt<E>> {
    let registers = vec![NOTHING; program.registers];
    let text = Text { units, unicode: program.unicode };
    let mut run = Run { program, text, registers, back: Vec::new(), steps: 0, look, hit_at: 0 };
    let mut at = from;
    while at <= text.len() {
        if program.anchored && at > 0 {
            break;
        }
        let next = text.after(at).map_or(at + 1, |(_, next)| next);
        let may_begin =
            program.first.is_none_or(|one| text.after(at).is_some_and(|(char, _)| run.is(one, char)));
        if may_begin {
            run.registers.fill(NOTHING);
            run.back.clear();
            if run.matches(0, at)? {
                return Ok(Some(run.captures(at)));
            }
        } else {
            run.count(1)?;
        }
        if only_there {
            break;
        }
        at = next;
    }
    Ok(None)
}

impl<T: Copy + Into<u32>, E> Run<'_, '_, T, E> {
    /// What was captured by a match that begins at a place.
    fn captures(&self, begin: usize) -> Captures {
        let group = |group: usize| {
            let (begin, end) = (self.registers[group * 2], self.registers[group * 2 + 1]);
            (begin != NOTHING && end != NOTHING).then_some((begin, end))
        };
        std::iter::once(Some((begin, self.hit_at))).chain((1..self.program.groups).map(group)).collect()
    }

    /// Notes so many characters, or eight times as much as a step.
    fn count(&mut self, chars: u32) -> Result<(), Halt<E>> {
        self.steps = self.steps.saturating_add(chars);
        if self.steps >= STEPS_PER_LOOK * CHARS_PER_STEP {
            self.steps = 0;
            (self.look)().map_err(Halt::Told)?;
        }
        Ok(())
    }

    fn is(&self, one: One, char: u32) -> bool {
        one.is(char, &self.program.sets)
    }

    fn set(&mut self, register: usize, value: usize) {
        let before = std::mem::replace(&mut self.registers[register], value);
        self.back.push(Back::Register { register, before });
    }

    /// Whether the instructions come to a hit from a place on. What there is to go back to stays.
    fn matches(&mut self, mut op: usize, mut at: usize) -> Result<bool, Halt<E>> {
        let floor = self.back.len();
        let program = self.program;
        loop {
            self.count(CHARS_PER_STEP)?;
            if self.back.len() > DEEPEST {
                return Err(Halt::TooDeep);
            }
            let next = match &program.ops[op] {
                Op::Hit => {
                    self.hit_at = at;
                    return Ok(true);
                }
                Op::One(one) => {
                    self.text.after(at).filter(|(char, _)| self.is(*one, *char)).map(|(_, at)| (op + 1, at))
                }
                Op::OneBehind(one) => {
                    self.text.before(at).filter(|(char, _)| self.is(*one, *char)).map(|(_, at)| (op + 1, at))
                }
                Op::Texts { class, longest, behind } => {
                    self.texts(op, at, &program.classes[*class], (*longest, *behind))?
                }
                Op::Many { one, least, most, greedy } => self.many(op, at, *one, (*least, *most, *greedy))?,
                Op::Split(other) => {
                    self.back.push(Back::Branch { op: *other, at });
                    Some((op + 1, at))
                }
                Op::Jump(to) => Some((*to, at)),
                Op::Save(register) => {
                    self.set(*register, at);
                    Some((op + 1, at))
                }
                Op::Begin(turns) => {
                    self.set(*turns, 0);
                    Some((op + 1, at))
                }
                Op::Decide { turns, least, most, greedy, exit } => {
                    let turns = self.registers[*turns];
                    let (may_go_on, may_end) = (turns < *most as usize, turns >= *least as usize);
                    let (first, second) = if *greedy { (op + 1, *exit) } else { (*exit, op + 1) };
                    match (may_go_on, may_end) {
                        (true, true) => {
                            self.back.push(Back::Branch { op: second, at });
                            Some((first, at))
                        }
                        (true, false) => Some((op + 1, at)),
                        (false, _) => Some((*exit, at)),
                    }
                }
                Op::Turn { place, forget } => {
                    self.set(*place, at);
                    for register in forget.clone() {
                        if self.registers[register] != NOTHING {
                            self.set(register, NOTHING);
                        }
                    }
                    Some((op + 1, at))
                }
                Op::Again { turns, place, least, decide } => {
                    let count = self.registers[*turns];
                    if self.registers[*place] == at && count >= *least as usize {
                        None
                    } else {
                        self.set(*turns, count + 1);
                        Some((*decide, at))
                    }
                }
                Op::Start { multiline } => {
                    let before = self.text.before(at);
                    let holds = before.is_none_or(|(char, _)| *multiline && is_line_end(char));
                    holds.then_some((op + 1, at))
                }
                Op::End { multiline } => {
                    let after = self.text.after(at);
                    let holds = after.is_none_or(|(char, _)| *multiline && is_line_end(char));
                    holds.then_some((op + 1, at))
                }
                Op::Boundary { negative, wide } => {
                    (self.text.is_boundary(at, *wide) != *negative).then_some((op + 1, at))
                }
                Op::Back { groups, fold, behind } => {
                    self.again(groups, *fold, *behind, at)?.map(|at| (op + 1, at))
                }
                Op::Look { negative, exit } => {
                    let floor = self.back.len();
                    let found = self.matches(op + 1, at)?;
                    self.settle(floor, found && !negative);
                    (found != *negative).then_some((*exit, at))
                }
            };
            (op, at) = match next {
                Some(next) => next,
                None => match self.go_back(floor)? {
                    Some(next) => next,
                    None => return Ok(false),
                },
            };
        }
    }

    /// What was looked at cannot be gone back into. What it captured stays if it held.
    fn settle(&mut self, floor: usize, held: bool) {
        if held {
            let kept: Vec<Back> =
                self.back.drain(floor..).filter(|back| matches!(back, Back::Register { .. })).collect();
            self.back.extend(kept);
            return;
        }
        while self.back.len() > floor {
            if let Some(Back::Register { register, before }) = self.back.pop() {
                self.registers[register] = before;
            }
        }
    }

    /// Where to go on instead; nothing when there is nothing left down to the floor.
    fn go_back(&mut self, floor: usize) -> Result<Option<(usize, usize)>, Halt<E>> {
        while self.back.len() > floor {
            self.count(1)?;
            match self.back.pop() {
                Some(Back::Register { register, before }) => self.registers[register] = before,
                Some(Back::Branch { op, at }) => return Ok(Some((op, at))),
                Some(Back::Less { op, least_at, at }) => {
                    let Some((_, before)) = self.text.before(at) else { continue };
                    if before > least_at {
                        self.back.push(Back::Less { op, least_at, at: before });
                    }
                    return Ok(Some((op, before)));
                }
                Some(Back::More { op, at, left }) => {
                    let Op::Many { one, .. } = self.program.ops[op] else { continue };
                    let Some((_, next)) = self.text.after(at).filter(|(char, _)| self.is(one, *char)) else {
                        continue;
                    };
                    if left > 1 {
                        self.back.push(Back::More { op, at: next, left: left - 1 });
                    }
                    return Ok(Some((op + 1, next)));
                }
                None => {}
            }
        }
        Ok(None)
    }
}
