//! What takes more than one character at once.

use super::super::Halt;
use super::super::class::Class;
use super::super::node::One;
use super::super::text::is_same;
use super::{Back, NOTHING, Run};

/// Finding out whether a text is one of a set's takes as long as so many characters.
const CHARS_PER_TEXT: u32 = 512;
impl<T: Copy + Into<u32>, E> Run<'_, '_, T, E> {
    /// Takes a text of a class: the longest that there is here, and shorter ones when that leads nowhere.
    pub(super) fn texts(
        &mut self,
        op: usize,
        from: usize,
        class: &Class,
        (longest, behind): (usize, bool),
    ) -> Result<Option<(usize, usize)>, Halt<E>> {
        let (mut text, mut at, mut first) = (Vec::new(), from, None);
        loop {
            self.count(CHARS_PER_TEXT)?;
            if class.has(&text, &self.program.sets) {
                // What is found last is what is gone on with first.
                let shorter = first.replace(at);
                self.back.extend(shorter.map(|at| Back::Branch { op: op + 1, at }));
            }
            let next = if behind { self.text.before(at) } else { self.text.after(at) };
            let Some((char, next)) = next.filter(|_| text.len() < longest) else {
                return Ok(first.map(|at| (op + 1, at)));
            };
            text.insert(if behind { 0 } else { text.len() }, char);
            at = next;
        }
    }

    /// Takes characters of one kind: all there are, or as few as may be.
    pub(super) fn many(
        &mut self,
        op: usize,
        from: usize,
        one: One,
        (least, most, greedy): (u32, u32, bool),
    ) -> Result<Option<(usize, usize)>, Halt<E>> {
        let (mut at, mut least_at, mut count) = (from, from, 0);
        let wanted = if greedy { most } else { least };
        while count < wanted
            && let Some((_, next)) = self.text.after(at).filter(|(char, _)| self.is(one, *char))
        {
            at = next;
            count += 1;
            if count == least {
                least_at = at;
            }
            self.count(1)?;
        }
        if count < least {
            return Ok(None);
        }
        if greedy && at > least_at {
            self.back.push(Back::Less { op: op + 1, least_at, at });
        }
        if !greedy && most > least {
            self.back.push(Back::More { op, at, left: most.saturating_sub(least) });
        }
        Ok(Some((op + 1, at)))
    }

    /// What a group captured, once more: where that ends.
    pub(super) fn again(
        &mut self,
        groups: &[usize],
        fold: bool,
        behind: bool,
        at: usize,
    ) -> Result<Option<usize>, Halt<E>> {
        let captured = groups.iter().find_map(|group| {
            let (begin, end) = (*self.registers.get(group * 2)?, *self.registers.get(group * 2 + 1)?);
            (begin != NOTHING && end != NOTHING).then_some((begin, end))
        });
        let Some((begin, end)) = captured else { return Ok(Some(at)) };
        let Some(length) = end.checked_sub(begin) else { return Ok(Some(at)) };
        let other = if behind { at.checked_sub(length) } else { Some(at) };
        let Some(other) = other.filter(|other| other + length <= self.text.len()) else { return Ok(None) };
        for offset in 0..length {
            self.count(1)?;
            if !is_same(self.text.unit(begin + offset), self.text.unit(other + offset), fold) {
                return Ok(None);
            }
        }
        Ok(Some(if behind { other } else { at + length }))
    }
}
